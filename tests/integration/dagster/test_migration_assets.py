"""legacy_images, migration_batches and migrated_images, on real parts."""

from collections import Counter

import dagster as dg
import pytest

from tests.integration.dagster.installation import BATCH_SIZE, Installation, check_of, failures, op, plain
from z_interact_assets.core.errors import TableUnusableError
from z_interact_assets.core.models import ItemState
from z_interact_assets.demo.sample import make_sample_table

pytestmark = pytest.mark.slow


def data_version(observation: dg.AssetObservation) -> str:
    return observation.tags["dagster/data_version"]


@pytest.mark.slow
def test_the_tables_data_version_changes_exactly_when_there_is_new_work(installation: Installation):
    installation.add_rows(4)
    first = data_version(installation.observe())
    installation.plan()
    planned = data_version(installation.observe())
    assert not failures(installation.migrate())
    migrated = data_version(installation.observe())
    installation.add_rows(1, prefix="new")
    renewed = data_version(installation.observe())
    installation.plan()
    assert not failures(installation.migrate())
    assert (planned, migrated) == (first, first)
    assert renewed != first
    assert data_version(installation.observe()) == renewed


def test_rows_without_an_image_are_no_new_work(installation: Installation):
    installation.add_rows(1)
    before = data_version(installation.observe())
    installation.add_external_row("elsewhere")
    assert data_version(installation.observe()) == before


def test_an_observation_counts_the_rows_by_state(migrated: Installation):
    migrated.add_rows(2, prefix="new")
    metadata = plain(migrated.observe().metadata)
    size = migrated.sql("SELECT sum(length(image_data)) FROM images")[0][0]
    assert metadata["dagster/row_count"] == 9
    assert (metadata["mixed_images"], metadata["base64_images"], metadata["not_yet_planned"]) == (7, 2, 2)
    assert metadata["base64_bytes"] == size
    assert sum(value for name, value in metadata.items() if name.endswith("_images")) == 9
    columns = [column.name for column in metadata["dagster/column_schema"].columns]
    assert columns == [row[1] for row in migrated.sql("PRAGMA table_info(images)")]


def test_partitions_mirror_the_batches_of_the_ledger(installation: Installation):
    installation.add_rows(7)
    result = installation.run("plan_batches", config=op("migration_batches", batch_size=BATCH_SIZE))
    materialization = result.asset_materializations_for_node("migration_batches")[0]
    metadata = plain(materialization.metadata)
    assert (metadata["new_batches"], metadata["planned_images"], metadata["rows_in_table"]) == (3, 7, 7)
    assert installation.instance.get_dynamic_partitions("migration_batch") == installation.batches
    installation.add_rows(1, prefix="new")
    assert installation.plan() == ["b000001", "b000002", "b000003", "b000004"]
    assert installation.instance.get_dynamic_partitions("migration_batch") == installation.batches


def test_partitions_an_instance_lost_come_back_with_the_next_plan(migrated: Installation):
    migrated.instance.delete_dynamic_partition("migration_batch", "b000002")
    migrated.plan()
    assert sorted(migrated.instance.get_dynamic_partitions("migration_batch")) == migrated.batches


def test_one_run_migrates_a_range_and_reports_each_batch(installation: Installation):
    installation.add_rows(7)
    installation.plan()
    result = installation.migrate()
    assert not failures(result)
    assert installation.statuses() == dict.fromkeys(installation.batches, "MATERIALIZED")
    assert installation.puts == 7
    for batch in installation.batches:
        (materialization,) = installation.materializations(batch)
        metadata = plain(materialization.metadata)
        items = installation.ledger.ask.batch_items(batch)
        assert metadata["dagster/row_count"] == len(items)
        assert metadata["bytes"] == sum(item.size or 0 for item in items)
        assert metadata["images_published"] == len(items)
        records = [record.data for record in metadata["images"].records]
        public = installation.standin.public_url
        assert [record["object"] for record in records] == [f"{public}/{item.object_key}" for item in items]
        assert {record["state"] for record in records} == {"published"}
    check = check_of(result, "every_image_is_migrated")
    assert check.passed
    assert plain(check.metadata)["uploads_at_once"] == 2


def test_a_second_run_sends_no_put_and_reports_every_batch_again(migrated: Installation):
    puts = migrated.puts
    before = [plain(migrated.materializations(batch)[0].metadata) for batch in migrated.batches]
    assert not failures(migrated.migrate())
    assert migrated.puts == puts
    assert migrated.statuses() == dict.fromkeys(migrated.batches, "MATERIALIZED")
    newest = [migrated.materializations(batch) for batch in migrated.batches]
    assert [len(events) for events in newest] == [2, 2, 2]
    assert [plain(events[0].metadata) for events in newest] == before


def test_a_part_of_the_batches_can_be_migrated(installation: Installation):
    installation.add_rows(7)
    installation.plan()
    assert not failures(installation.migrate(["b000002"]))
    assert installation.statuses() == {"b000001": None, "b000002": "MATERIALIZED", "b000003": None}
    assert installation.puts == BATCH_SIZE


def test_a_limit_leaves_batches_unfinished_but_not_failed(installation: Installation):
    installation.add_rows(7)
    installation.plan()
    assert not failures(installation.migrate(limit=4))
    assert installation.statuses() == {"b000001": "MATERIALIZED", "b000002": None, "b000003": None}


@pytest.mark.slow
def test_the_sample_table_ends_as_foretold_and_its_quarantined_rows_are_a_warning(installation: Installation):
    def upload(key: str, data: bytes, content_type: str) -> None:
        installation.store.upload(key, data, content_type=content_type)

    sample = make_sample_table(
        installation.database, public_url=installation.standin.public_url, uploader=upload, rows=100
    )
    installation.plan()
    result = installation.migrate()
    check = check_of(result, "every_image_is_migrated")
    expected = Counter(found.state for found in sample.expected.values() if found.state)
    assert not failures(result)
    assert installation.statuses() == dict.fromkeys(installation.batches, "MATERIALIZED")
    assert installation.ledger.ask.states() == expected
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    set_aside = plain(check.metadata)["set_aside"]
    reported = Counter[str]()
    for batch in installation.batches:
        metadata = plain(installation.materializations(batch)[0].metadata)
        reported.update({name: value for name, value in metadata.items() if name.startswith("images_")})
    assert reported["images_published"] == expected[ItemState.PUBLISHED]
    assert reported["images_quarantined"] == set_aside


def test_planning_looks_at_the_table_first(installation: Installation):
    installation.add_rows(4)
    (seen,) = installation.run("plan_batches").asset_observations_for_node("legacy_images")
    assert plain(seen.metadata)["not_yet_planned"] == 4


def test_a_table_that_is_not_there_is_told_to_whoever_launched_the_run(installation: Installation):
    installation.database.unlink()
    result = installation.run("plan_batches")
    assert len(failures(result)) == 1
    assert isinstance(installation.observer.error, TableUnusableError)
