"""Rollback and reclaim in Dagster: nothing happens by default, and each batch is told truly."""

import dagster as dg
import pytest

from tests.integration.dagster.installation import Installation, failures, op, plain
from z_interact_assets.core.models import ItemState
from z_interact_assets.defs.partitions import migration_batch_partitions

pytestmark = pytest.mark.slow

RECLAIMED = dg.AssetKey("reclaimed_images")


def reclaim(installation: Installation, batches: list[str] | None = None, **config) -> dg.ExecuteInProcessResult:
    keys = batches or installation.batches
    installation.observer.results.clear()
    tags = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]}
    return installation.run("reclaim_base64", config=op("reclaimed_images", **config), tags=tags)


def statuses(installation: Installation) -> list[str | None]:
    found = installation.instance.get_status_by_partition(
        RECLAIMED, installation.batches, migration_batch_partitions
    ) or {}  # fmt: skip
    return [status.value if (status := found.get(key)) else None for key in installation.batches]


def base64_left(installation: Installation) -> int:
    return installation.sql("SELECT count(*) FROM images WHERE image_data IS NOT NULL")[0][0]


@pytest.fixture
def due(migrated, monkeypatch) -> Installation:
    monkeypatch.setenv("RECLAIM_AFTER_DAYS", "0")
    return migrated


def test_by_default_a_reclaim_changes_nothing_and_materialises_nothing(due):
    result = reclaim(due)
    assert not failures(result)
    assert (base64_left(due), statuses(due)) == (7, [None, None, None])
    (observation,) = result.asset_observations_for_node("reclaimed_images")
    metadata = plain(observation.metadata)
    assert (metadata["dry_run"], metadata["reclaimed"]) == (True, 7)


def test_before_its_soak_nothing_is_reclaimed_and_no_batch_is_materialised(migrated):
    result = reclaim(migrated, dry_run=False)
    assert not failures(result)
    assert (base64_left(migrated), statuses(migrated)) == (7, [None, None, None])


def test_reclaimed_batches_are_materialised_with_their_figures(due):
    result = reclaim(due, due.batches[:2], dry_run=False)
    assert not failures(result)
    assert base64_left(due) == 1
    assert statuses(due) == ["MATERIALIZED", "MATERIALIZED", None]
    records = due.instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=RECLAIMED, asset_partitions=[due.batches[0]]), limit=1
    ).records
    materialization = records[0].asset_materialization
    assert materialization is not None
    metadata = plain(materialization.metadata)
    assert (metadata["dagster/row_count"], metadata["images_reclaimed"]) == (3, 3)
    assert metadata["bytes_reclaimed"] > 0


def test_a_reclaimed_batch_is_reported_again_without_any_work(due):
    reclaim(due, dry_run=False)
    gets = due.standin.requests["GET", "object"]
    assert not failures(reclaim(due, dry_run=False))
    assert statuses(due) == ["MATERIALIZED"] * 3
    assert due.standin.requests["GET", "object"] == gets


def test_an_image_that_cannot_be_proved_fails_its_batch_alone(due):
    due.store.delete(due.key_of("image-003"))
    result = reclaim(due, dry_run=False)
    assert not result.success
    assert base64_left(due) == 1
    assert statuses(due) == ["MATERIALIZED", "FAILED", "MATERIALIZED"]
    (observation,) = result.asset_observations_for_node("reclaimed_images")
    table = observation.metadata["images_refused"]
    assert isinstance(table, dg.TableMetadataValue)
    (refused,) = table.records
    assert refused.data["image_id"] == "image-003"
    assert refused.data["reason"] == "object_missing"


def test_a_bucket_out_of_reach_clears_nothing_and_fails_every_batch(due):
    due.standin.stop()
    result = reclaim(due, dry_run=False)
    assert not result.success
    assert (base64_left(due), statuses(due)) == (7, ["FAILED"] * 3)


def test_by_default_a_rollback_changes_nothing(migrated):
    before = migrated.sql("SELECT * FROM images")
    result = migrated.run("rollback_migration", config=op("rollback", everything=True))
    assert not failures(result)
    assert migrated.sql("SELECT * FROM images") == before
    assert migrated.observer.results["rollback"].done == 7
    assert result.get_asset_observation_events() == []


def test_a_rollback_observes_its_batches_and_tells_its_figures(migrated):
    batch = migrated.batches[1]
    result = migrated.run("rollback_migration", config=op("rollback", batch_keys=[batch], dry_run=False))
    assert not failures(result)
    assert migrated.item("image-003").state is ItemState.ROLLED_BACK
    assert migrated.sql("SELECT count(*) FROM images WHERE image_url IS NULL") == [(3,)]
    (event,) = result.get_asset_observation_events()
    observation = event.asset_observation_data.asset_observation
    assert (observation.asset_key.path, observation.partition) == (["migrated_images"], batch)
    assert plain(observation.metadata)["images_rolled_back"] == 3
    (output,) = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
    assert plain(output.step_output_data.metadata)["rolled_back"] == 3


@pytest.mark.parametrize("choice", [{}, {"everything": True, "image_ids": ["image-001"]}])
def test_a_rollback_wants_exactly_one_choice(migrated, choice):
    result = migrated.run("rollback_migration", config=op("rollback", dry_run=False, **choice))
    assert "choose exactly one" in failures(result)[0]
    assert {migrated.item(f"image-00{n}").state for n in range(7)} == {ItemState.PUBLISHED}


def test_a_rolled_back_batch_is_not_called_reclaimed(due):
    due.run("rollback_migration", config=op("rollback", batch_keys=[due.batches[0]], dry_run=False))
    assert not failures(reclaim(due, dry_run=False))
    assert statuses(due) == [None, "MATERIALIZED", "MATERIALIZED"]
