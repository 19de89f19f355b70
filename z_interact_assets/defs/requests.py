"""What the sensor and the nightly schedule share: planning in a tick, and runs for batches that nobody has in hand."""

from collections.abc import Iterable, Sequence

import dagster as dg

from z_interact_assets.core.ranges import batch_ranges
from z_interact_assets.defs.data_versions import BATCHES, input_version, observed
from z_interact_assets.defs.partitions import RANGE_END, RANGE_START, mirror_batches, range_tags
from z_interact_assets.migrate.planner import PlanResult
from z_interact_assets.storage.ledger import Ledger
from z_interact_assets.workspace import Workspace

MIGRATE_JOB = "migrate_images"
MIGRATED_IMAGES = dg.AssetKey("migrated_images")
MIGRATION_BATCHES = dg.AssetKey("migration_batches")
LEGACY_IMAGES = dg.AssetKey("legacy_images")

# A run that works keeps a lease alive in the ledger; before its first one, it reports the batches that are done.
GRACE_S = 600.0

_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def is_rehearsal(workspace: Workspace) -> bool:
    """Tell whether the table is a dump: nothing can be migrated there, and each opening would load all of it."""
    return workspace.settings.database_url.get_secret_value().lower().startswith("dump:")


def plan_now(instance: dg.DagsterInstance, workspace: Workspace) -> PlanResult:
    """Plan what is new, and show it in the UI as a run of `plan_batches` would; no payload is read."""
    result = workspace.planner().plan()
    if result.planned or result.planned_again:
        version = dg.DataVersion(str(workspace.ledger.ask.work_ever_seen()))
        instance.report_runless_asset_event(_observation(result, version))
        instance.report_runless_asset_event(_materialization(result, version))
    return result


def _observation(result: PlanResult, version: dg.DataVersion) -> dg.AssetObservation:
    return dg.AssetObservation(
        LEGACY_IMAGES, metadata={"dagster/row_count": result.rows, "not_yet_planned": 0}, tags=observed(version)
    )


def _materialization(result: PlanResult, version: dg.DataVersion) -> dg.AssetMaterialization:
    return dg.AssetMaterialization(
        MIGRATION_BATCHES,
        description="Planned in the tick of a sensor or a schedule, without a run.",
        metadata={
            "dagster/row_count": result.batches,
            "new_batches": len(result.new_batches),
            "planned_images": result.planned,
            "planned_again": result.planned_again,
            "rows_in_table": result.rows,
        },
        tags={**observed(BATCHES), **input_version(LEGACY_IMAGES.to_user_string(), version)},
    )


def unfinished_runs(instance: dg.DagsterInstance, ledger: Ledger, *, now_ms: int) -> list[dg.DagsterRun]:
    """Return the runs that migrate now or wait to, of whatever made them: a sensor, the UI, the command line.

    A run whose process was killed may stay STARTED for days: it counts only while its lease is alive.
    """
    found = [
        record
        for record in instance.get_run_records(dg.RunsFilter(statuses=_UNFINISHED))
        if _migrates(record.dagster_run)
    ]
    if not found:
        return []
    alive = {holder.run_id for holder in ledger.leases.holders() if holder.expires_at >= now_ms}
    young = now_ms / 1000 - GRACE_S
    return [
        record.dagster_run
        for record in found
        if record.dagster_run.status is dg.DagsterRunStatus.QUEUED
        or record.dagster_run.run_id in alive
        or (record.start_time or record.create_timestamp.timestamp()) > young
    ]


def _migrates(run: dg.DagsterRun) -> bool:
    return run.job_name == MIGRATE_JOB or MIGRATED_IMAGES in (run.asset_selection or ())


def batches_of(run: dg.DagsterRun) -> tuple[str | None, str | None]:
    """Return the first and the last batch of a run, None where it is not of batches."""
    first = run.tags.get(RANGE_START) or run.tags.get("dagster/partition")
    return first, run.tags.get(RANGE_END) or first


def in_hand(runs: Iterable[dg.DagsterRun], keys: Sequence[str]) -> set[str]:
    """Return those of the batches that these runs have or wait for."""
    taken: set[str] = set()
    for run in runs:
        first, last = batches_of(run)
        taken.update(key for key in keys if first is None or last is None or first <= key <= last)
    return taken


def range_requests(
    instance: dg.DagsterInstance,
    ledger: Ledger,
    keys: Sequence[str],
    *,
    longest: int | None,
    run_key: str,
    job_name: str | None = None,
    run_config: dict[str, object] | None = None,
) -> list[dg.RunRequest]:
    """Return as few runs as sensible that cover the batches, none with more than `longest`.

    `run_key` names the work: Dagster starts no second run of the same sensor for the same key and range.
    """
    if not keys:
        return []
    mirror_batches(instance, ledger)
    return [
        dg.RunRequest(
            run_key=f"{run_key} {first}-{last}",
            job_name=job_name,
            run_config=run_config,
            tags=range_tags(first, last),
        )
        for first, last in batch_ranges(keys, longest=longest)
    ]
