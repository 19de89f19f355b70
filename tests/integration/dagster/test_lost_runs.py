"""A run is told lost by the silence of its lease, and by nothing less."""

import dagster as dg
import pytest

from tests.integration.dagster.installation import Installation
from tests.integration.dagster.ticking import tick_of
from z_interact_assets.core.records import LeaseHolder
from z_interact_assets.migrate.migration import clock_ms

pytestmark = pytest.mark.slow

SENSOR = "lost_runs_are_failed"


def run_with_a_lease(
    installation: Installation, *, silent: bool, status: dg.DagsterRunStatus = dg.DagsterRunStatus.STARTED
) -> str:
    """A run that is recorded as started, of a process that may be gone."""
    job = installation.defs.resolve_job_def("migrate_images")
    run_id = installation.instance.create_run_for_job(job, status=status).run_id
    now = clock_ms()
    installation.ledger.leases.enter(
        LeaseHolder(
            holder_id=run_id, operation="migrate", run_id=run_id, host="elsewhere", pid=1, process_started_at=0.0,
            since=now - 120_000, expires_at=now - 1 if silent else now + 30_000,
        )
    )  # fmt: skip
    installation.ledger.leases.claim(run_id, installation.batches, is_over=lambda _: False)
    return run_id


def status_of(installation: Installation, run_id: str) -> str:
    run = installation.instance.get_run_by_id(run_id)
    assert run is not None
    return run.status.value


def test_a_run_whose_process_is_silent_is_failed_once_and_may_be_retried(installation: Installation):
    installation.add_rows(4)
    installation.plan()
    run_id = run_with_a_lease(installation, silent=True)
    assert run_id in (tick_of(installation, SENSOR, None).skip_message or "")
    assert status_of(installation, run_id) == "FAILURE"
    assert tick_of(installation, SENSOR, None).skip_message == "No run is lost."
    run = installation.instance.get_run_by_id(run_id)
    assert run is not None
    assert run.tags["dagster/will_retry"] == "true"


def test_a_silent_run_that_was_asked_to_end_has_ended(installation: Installation):
    installation.add_rows(4)
    installation.plan()
    run_id = run_with_a_lease(installation, silent=True, status=dg.DagsterRunStatus.CANCELING)
    tick_of(installation, SENSOR, None)
    assert status_of(installation, run_id) == "CANCELED"


@pytest.mark.parametrize(
    ("silent", "status"),
    [
        (False, dg.DagsterRunStatus.STARTED),
        (True, dg.DagsterRunStatus.SUCCESS),
        (True, dg.DagsterRunStatus.NOT_STARTED),
    ],
)
def test_a_run_that_lives_or_has_ended_or_has_not_begun_is_left_alone(
    installation: Installation, *, silent: bool, status: dg.DagsterRunStatus
):
    installation.add_rows(4)
    installation.plan()
    run_id = run_with_a_lease(installation, silent=silent, status=status)
    assert tick_of(installation, SENSOR, None).skip_message == "No run is lost."
    assert status_of(installation, run_id) == status.value
