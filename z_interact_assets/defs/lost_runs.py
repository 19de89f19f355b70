"""Runs whose process is gone without a word, as when a machine goes down.

Dagster's own monitoring knows of them only on Kubernetes. Elsewhere such a run stays STARTED and keeps its place in the
pool, so that every later run waits for it. Ours keep a lease in the ledger alive, which tells.
"""

import dagster as dg

from z_interact_assets.execution.leases import LEASE_S
from z_interact_assets.migrate.migration import clock_ms
from z_interact_assets.workspace import Workspace

INTERVAL_S = 30
_MESSAGE = (
    "The process of this run has given no sign of life for {seconds} s: it was killed, or its machine went down. What "
    "it finished is recorded; the next run does the rest."
)

_ENDINGS = {
    dg.DagsterRunStatus.STARTED: dg.DagsterInstance.report_run_failed,
    # A backfill that found the code server gone has asked the run to end.
    dg.DagsterRunStatus.CANCELING: dg.DagsterInstance.report_run_canceled,
}


@dg.sensor(
    name="lost_runs_are_failed",
    minimum_interval_seconds=INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,  # else a queue stands still until somebody looks
    description=(
        f"Marks a run as failed when its process has been silent for {LEASE_S:.0f} s, so that the run is tried again "
        "and later runs need not wait for it. Changes nothing else: should the process only have slept, it finds its "
        "batches taken over and goes on with others."
    ),
)
def lost_runs_are_failed(context: dg.SensorEvaluationContext, workspace: dg.ResourceParam[Workspace]) -> dg.SkipReason:
    """Ask the ledger who has batches in hand but is silent."""
    now = clock_ms()
    silent = {holder.run_id for holder in workspace.ledger.leases.holders() if holder.expires_at < now}
    runs = [run for run_id in silent if run_id and (run := context.instance.get_run_by_id(run_id))]
    lost = [run for run in runs if run.status in _ENDINGS]
    for run in lost:
        _ENDINGS[run.status](context.instance, run, _MESSAGE.format(seconds=int(LEASE_S)))
    return dg.SkipReason(f"Marked as ended: {', '.join(run.run_id for run in lost)}." if lost else "No run is lost.")
