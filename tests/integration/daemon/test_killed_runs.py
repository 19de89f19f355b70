"""A run whose worker is killed, or that somebody ends: what is done is told as done, and the rest is finished later."""

import os
import signal

import pytest

from tests.integration.daemon.rig import BATCH_SIZE, Rig

pytestmark = pytest.mark.slow

MATERIALIZED = "MATERIALIZED"


def kill_the_worker(rig: Rig) -> None:
    """Kill the process that has the batches in hand."""
    (holder,) = rig.workspace.ledger.leases.holders()
    os.kill(holder.pid, signal.SIGKILL)


def done_in_truth(rig: Rig, batches: list[str]) -> list[str]:
    """Those that the ledger has as done."""
    return [key for key, status in rig.truth(batches).items() if status == MATERIALIZED]


def test_a_killed_worker_leaves_true_statuses_and_the_daemon_starts_the_run_anew(rig: Rig):
    batches = rig.new_batches(24)
    with rig.tap.silent_after(10 * BATCH_SIZE) as silent:
        backfill = rig.backfill(batches)
        run_id = rig.run_of(backfill)
        assert silent.wait(60)
        # Nothing more gets done. Killed right after a batch's end the run could not report it; the next one would.
        rig.deployment.wait_until(lambda: rig.done(batches) == done_in_truth(rig, batches), "all that is done")
        assert len(rig.done(batches)) >= 8
        kill_the_worker(rig)
        killed = rig.wait_for_run(run_id)
        assert killed.is_failure
        assert rig.statuses(batches) == rig.truth(batches)
    assert rig.wait(backfill) == "COMPLETED_SUCCESS"
    assert [run.tags.get("dagster/retry_number") for run in rig.runs(backfill)] == [None, "1"]
    assert rig.statuses(batches) == dict.fromkeys(batches, MATERIALIZED)
    assert rig.stored_twice() == []


@pytest.mark.exhaustive
def test_a_terminated_run_ends_what_is_in_flight_and_reports_every_batch_that_is_done(rig: Rig):
    batches = rig.new_batches(24)
    with rig.tap.slow(0.2):
        backfill = rig.backfill(batches)
        rig.deployment.wait_until(lambda: rig.done(batches), "a batch that is done")
        run_id = rig.run_of(backfill)
        rig.terminate(run_id)
        ended = rig.wait_for_run(run_id)
    done = done_in_truth(rig, batches)
    assert ended.status.value == "CANCELED"
    assert rig.done(batches) == done
    assert len(done) < 24
    assert rig.workspace.ledger.leases.holders() == []
    assert rig.wait(backfill) == "COMPLETED_FAILED"
    assert rig.counts(backfill) == (24, len(done), 24 - len(done))
    assert rig.wait(rig.retry_backfill(backfill)) == "COMPLETED_SUCCESS"
    assert rig.done(batches) == batches
    assert rig.stored_twice() == []


@pytest.mark.exhaustive
def test_a_machine_that_goes_down_does_not_keep_later_runs_waiting(rig: Rig):
    batches = rig.new_batches(12)
    with rig.tap.silent_after(4 * BATCH_SIZE) as silent:
        rig.backfill(batches)
        assert silent.wait(60)
        rig.deployment.kill_code_server()
    rig.deployment.start_code_server()
    assert rig.wait(rig.backfill(batches)) == "COMPLETED_SUCCESS"
    assert rig.done(batches) == batches
    assert rig.stored_twice() == []
