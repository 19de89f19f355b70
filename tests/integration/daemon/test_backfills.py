"""Backfills launched as the UI launches them, carried out by a daemon: few runs, and each batch's status true."""

import pytest

from tests.integration.daemon.rig import BATCH_SIZE, Rig

pytestmark = pytest.mark.slow

MATERIALIZED, FAILED = "MATERIALIZED", "FAILED"


def test_a_backfill_of_all_batches_is_one_run_and_each_is_materialised_with_its_figures(rig: Rig):
    batches = rig.new_batches(20)
    backfill = rig.backfill()
    assert rig.wait(backfill) == "COMPLETED_SUCCESS"
    everything = rig.workspace.ledger.planning.batch_keys()
    assert list(rig.ranges(backfill).values()) == [(everything[0], everything[-1])]
    assert rig.counts(backfill) == (len(everything), len(everything), 0)
    assert rig.statuses(batches) == rig.dagsters_own(batches) == dict.fromkeys(batches, MATERIALIZED)
    for key in batches:
        figures = rig.latest(key).metadata
        assert figures["dagster/row_count"].value == figures["images_published"].value == BATCH_SIZE
    assert rig.stored_twice() == []


@pytest.mark.exhaustive
def test_a_selection_with_gaps_is_a_run_for_each_range(rig: Rig):
    batches = rig.new_batches(8)
    chosen = [*batches[:3], batches[4], *batches[6:]]
    backfill = rig.backfill(chosen)
    assert rig.wait(backfill) == "COMPLETED_SUCCESS"
    assert sorted(rig.ranges(backfill).values()) == [
        (batches[0], batches[2]), (batches[4], batches[4]), (batches[6], batches[7]),
    ]  # fmt: skip
    untouched = {batches[3]: "MISSING", batches[5]: "MISSING"}
    assert rig.statuses(batches) == dict.fromkeys(chosen, MATERIALIZED) | untouched


@pytest.mark.exhaustive
def test_a_backfill_of_the_job_is_one_run_as_well(rig: Rig):
    batches = rig.new_batches(5)
    backfill = rig.job_backfill(batches)
    assert rig.wait(backfill) == "COMPLETED_SUCCESS"
    assert list(rig.ranges(backfill).values()) == [(batches[0], batches[-1])]
    assert rig.statuses(batches) == dict.fromkeys(batches, MATERIALIZED)


def test_with_r2_down_the_batches_not_done_are_failed_and_a_re_execution_finishes_them(rig: Rig):
    batches = rig.new_batches(30)
    with rig.tap.down_after(10 * BATCH_SIZE):
        backfill = rig.backfill(batches)
        assert rig.wait(backfill) == "COMPLETED_FAILED"
    statuses = rig.statuses(batches)
    done = [key for key, status in statuses.items() if status == MATERIALIZED]
    assert statuses == rig.dagsters_own(batches) == rig.truth(batches)
    assert 8 <= len(done) <= 10
    assert rig.counts(backfill) == (30, len(done), 30 - len(done))
    again = rig.retry_backfill(backfill)
    assert rig.wait(again) == "COMPLETED_SUCCESS"
    assert rig.counts(again) == (30 - len(done), 30 - len(done), 0)
    assert rig.statuses(batches) == dict.fromkeys(batches, MATERIALIZED)
    assert rig.stored_twice() == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("strategy", ["FROM_FAILURE", "ALL_STEPS"])
def test_a_failed_run_is_finished_by_its_re_execution(rig: Rig, strategy: str):
    batches = rig.new_batches(12)
    with rig.tap.down_after(6 * BATCH_SIZE):
        backfill = rig.backfill(batches)
        rig.wait(backfill)
    (failed,) = rig.ranges(backfill)
    again = rig.wait_for_run(rig.reexecute(failed, strategy))
    assert again.is_success
    assert rig.statuses(batches) == dict.fromkeys(batches, MATERIALIZED)
    assert rig.stored_twice() == []


@pytest.mark.exhaustive  # dagster/test_migration_assets does it in a run of its own
def test_a_done_batch_materialised_again_puts_nothing_and_stays_materialised(rig: Rig):
    batches = rig.new_batches(3)
    rig.wait(rig.backfill(batches))
    before = rig.tap.stored.total(), rig.latest(batches[1]).metadata
    again = rig.backfill(batches)
    assert rig.wait(again) == "COMPLETED_SUCCESS"
    assert rig.statuses(batches) == dict.fromkeys(batches, MATERIALIZED)
    assert (rig.tap.stored.total(), rig.latest(batches[1]).metadata) == before


@pytest.mark.exhaustive
def test_a_backfill_takes_run_config(rig: Rig):
    batches = rig.new_batches(3)
    image = rig.workspace.ledger.ask.batch_items(batches[1])[0].image_id
    config = {"ops": {"migrated_images": {"config": {"image_ids": [image]}}}}
    assert rig.wait(rig.backfill(batches, config=config)) == "COMPLETED_FAILED"  # no batch was done whole
    migrated = [
        item.image_id
        for key in batches
        for item in rig.workspace.ledger.ask.batch_items(key)
        if item.state.value == "published"
    ]
    assert migrated == [image]
    assert rig.statuses(batches) == dict.fromkeys(batches, "MISSING")
