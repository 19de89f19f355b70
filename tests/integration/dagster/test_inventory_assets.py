"""r2_inventory and storage_stats: their numbers are those of the bucket and the table."""

import pytest

from tests.integration.dagster.installation import Installation, failures, make_png, op, plain

pytestmark = pytest.mark.slow

ORPHAN = "images/gen-x/1700000000000-orphan.png"


def test_the_inventory_is_true(migrated: Installation):
    migrated.store.upload(ORPHAN, make_png(1))
    migrated.store.delete(migrated.key_of("image-002"))
    result = migrated.run("take_stock")
    metadata = plain(result.asset_materializations_for_node("r2_inventory")[0].metadata)
    listed = list(migrated.store.list("images/"))
    assert not failures(result)
    assert metadata["dagster/row_count"] == len(listed) == 7
    assert metadata["bytes"] == sum(found.size for found in listed)
    assert (metadata["known"], metadata["orphans"], metadata["missing"]) == (6, 1, 1)
    assert metadata["dagster/uri"] == f"s3://{migrated.standin.bucket}/images/"


def test_the_statistics_are_true(migrated: Installation):
    migrated.add_rows(2, prefix="new")
    migrated.add_external_row("elsewhere")
    result = migrated.run("take_stock")
    metadata = plain(result.asset_materializations_for_node("storage_stats")[0].metadata)
    listed = list(migrated.store.list("images/"))
    (size,) = migrated.sql("SELECT sum(length(image_data)) FROM images")[0]
    assert not failures(result)
    assert (metadata["total_images"], metadata["mixed_images"], metadata["base64_images"]) == (10, 7, 2)
    assert (metadata["external_images"], metadata["quarantined_images"]) == (1, 0)
    assert (metadata["r2_objects"], metadata["r2_bytes"]) == (len(listed), sum(found.size for found in listed))
    assert metadata["base64_bytes"] == size
    assert [record.data for record in metadata["by_content_type"].records] == [
        {"content_type": "image/png", "images": 7, "bytes": metadata["r2_bytes"]}
    ]
    (stored,) = migrated.ledger.snapshots.stats(limit=1)
    assert stored["total_images"] == 10
    assert migrated.ledger.snapshots.history()[-1]["monthly_cost_usd"] == metadata["monthly_cost_usd"]
    assert (metadata["known_objects"], metadata["database_bytes"] > 0, metadata["misdirected_images"]) == (7, True, 0)
    assert isinstance(metadata["monthly_cost_usd"], float)
    assert len(metadata["summary"]) < 1_000
    findings = [record.data for record in metadata["findings"].records]
    assert next((found["issue"], found["command"]) for found in findings) == (
        "2 images are still base64 in the database.", "z-interact-assets migrate",
    )  # fmt: skip
    personas = [record.data for record in metadata["by_persona"].records]
    assert sum(group["images"] for group in personas) == 10
    assert [record.data["group"] for record in metadata["by_type"].records] == ["png", "(none)"]


def test_what_is_missing_is_kept_by_name_for_reports(migrated: Installation):
    gone = migrated.key_of("image-002")
    migrated.store.delete(gone)
    assert migrated.run("take_stock")
    inventory = migrated.ledger.snapshots.latest_inventory()
    assert inventory is not None
    assert [(found["kind"], found["image_id"], found["object_key"]) for found in inventory["problems"]] == [
        ("missing", "image-002", gone)
    ]
    (stats,) = migrated.ledger.snapshots.stats(limit=1)
    assert (stats["missing_objects"], stats["corrupted_objects"], stats["shared_objects"]) == (1, 0, 0)
    assert stats["findings"][0]["code"] == "missing"


def test_statistics_without_the_bucket_leave_its_numbers_out(migrated: Installation):
    assert not failures(migrated.run("take_stock"))
    migrated.standin.stop()
    result = migrated.run("count_table", config=op("storage_stats", bucket_listed=False))
    metadata = plain(result.asset_materializations_for_node("storage_stats")[0].metadata)
    assert not failures(result)
    assert metadata["total_images"] == 7
    assert metadata["health_status"] == "unknown"
    assert not {"r2_objects", "orphan_objects", "health_score", "bucket_as_of"} & metadata.keys()


def test_statistics_say_how_old_their_inventory_is(migrated: Installation):
    assert not failures(migrated.run("take_stock"))
    inventory = migrated.ledger.snapshots.latest_inventory()
    assert inventory is not None
    migrated.standin.stop()
    result = migrated.run("count_table")
    metadata = plain(result.asset_materializations_for_node("storage_stats")[0].metadata)
    assert metadata["r2_objects"] == 7
    assert metadata["bucket_as_of"] == inventory["finished_at"] / 1000


def test_a_bucket_that_cannot_be_listed_fails_the_inventory(migrated: Installation):
    migrated.standin.stop()
    assert len(failures(migrated.run("take_stock"))) == 1
    assert migrated.ledger.snapshots.latest_inventory() is None


def test_taking_stock_checks_the_table_as_well(migrated: Installation):
    result = migrated.run("take_stock")
    passed = {evaluation.check_name for evaluation in result.get_asset_check_evaluations() if evaluation.passed}
    assert passed == {
        "no_orphan_objects",
        "no_missing_objects",
        "totals_reconcile",
        "table_shape_is_known",
        "no_new_base64",
    }
