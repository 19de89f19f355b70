"""Schedules: their cron and zone come from the settings; what destroys is off until somebody turns it on."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import dagster as dg

from z_interact_assets.core.errors import SettingsError
from z_interact_assets.defs.alerts import NO_CHANNEL, channels, weekly_summary
from z_interact_assets.defs.inventory import r2_inventory, storage_stats, totals_reconcile
from z_interact_assets.defs.jobs import migrate_images, reclaim_base64, validate_migration
from z_interact_assets.defs.report import storage_report
from z_interact_assets.defs.requests import in_hand, is_rehearsal, plan_now, range_requests, unfinished_runs
from z_interact_assets.defs.run_config import op_config
from z_interact_assets.defs.timeouts import TWO_HOURS
from z_interact_assets.defs.validation import public_urls_serve_the_images
from z_interact_assets.migrate.migration import clock_ms
from z_interact_assets.reverse import reclaimable
from z_interact_assets.settings import AutomationSettings
from z_interact_assets.workspace import Workspace

Requests = list[dg.RunRequest] | dg.SkipReason

_DAY_MS = int(timedelta(days=1).total_seconds() * 1000)
_DUMP = "DATABASE_URL names a dump: it can be rehearsed on, not changed."

take_stock_and_report = dg.define_asset_job(
    "take_stock_and_report",
    selection=dg.AssetSelection.assets(r2_inventory, storage_stats, storage_report)
    | dg.AssetSelection.checks(totals_reconcile, public_urls_serve_the_images),
    config=op_config("write_storage_report", {"publish": False}),
    tags=TWO_HOURS,
    description=(
        "List the bucket, match it, append a snapshot of the statistics and write the report of it; see whether the "
        "public URLs of some images serve them."
    ),
)


def build_schedules(settings: AutomationSettings) -> Sequence[dg.ScheduleDefinition]:
    """Return the schedules; SettingsError for a cron expression that no day fulfils."""
    by_name = {
        "nightly_migration": _nightly_migration,
        "nightly_reclaim": _nightly_reclaim,
        "daily_storage_report": _daily_storage_report,
        "weekly_full_validation": _weekly_full_validation,
        "weekly_summary": _weekly_summary,
    }
    return [_built(name, build, settings) for name, build in by_name.items()]


def _built(
    name: str, build: Callable[[AutomationSettings], dg.ScheduleDefinition], settings: AutomationSettings
) -> dg.ScheduleDefinition:
    try:
        return build(settings)
    except dg.DagsterInvalidDefinitionError:  # 30 February
        raise SettingsError([f"{name.upper()}_CRON: no date fulfils {_cron(name, settings)!r}"]) from None


def _cron(name: str, settings: AutomationSettings) -> str:
    return getattr(settings, f"{name}_cron")


def _when(name: str, settings: AutomationSettings, *, on: bool) -> dict[str, Any]:
    """Return a schedule's name and times, and whether it is on until somebody turns it off."""
    return {
        "name": name,
        "cron_schedule": _cron(name, settings),
        "execution_timezone": settings.schedule_time_zone,
        "default_status": dg.DefaultScheduleStatus.RUNNING if on else dg.DefaultScheduleStatus.STOPPED,
    }


def _nightly_migration(settings: AutomationSettings) -> dg.ScheduleDefinition:
    @dg.schedule(
        job=migrate_images,
        **_when("nightly_migration", settings, on=settings.unattended),
        description=(
            "Plans what is new and migrates all that is pending, also what failed before: batches that a run has in "
            "hand or waits for are left to it. Rows set aside or rolled back are not tried again."
        ),
    )
    def nightly_migration(context: dg.ScheduleEvaluationContext, workspace: dg.ResourceParam[Workspace]) -> Requests:
        if is_rehearsal(workspace):
            return dg.SkipReason(_DUMP)
        plan_now(context.instance, workspace)
        pending = list(workspace.ledger.work.pending())
        taken = in_hand(unfinished_runs(context.instance, workspace.ledger, now_ms=clock_ms()), pending)
        keys = [key for key in pending if key not in taken]
        if not keys:
            return dg.SkipReason(
                f"{len(taken):,} batches are pending, and in hand." if taken else "Nothing is pending."
            )
        return _requests(context, workspace, keys, settings)

    return nightly_migration


def _nightly_reclaim(settings: AutomationSettings) -> dg.ScheduleDefinition:
    @dg.schedule(
        job=reclaim_base64,
        **_when("nightly_reclaim", settings, on=False),
        description=(
            "CLEARS base64 from the app's table, of images whose soak of RECLAIM_AFTER_DAYS is over, each after every "
            "byte of its object was read back and proved. Off until you turn it on; UNATTENDED does not."
        ),
    )
    def nightly_reclaim(context: dg.ScheduleEvaluationContext, workspace: dg.ResourceParam[Workspace]) -> Requests:
        if is_rehearsal(workspace):
            return dg.SkipReason(_DUMP)
        until = clock_ms() - int(workspace.settings.reclaim_after_days * _DAY_MS)
        due = list(workspace.ledger.undo.count(reclaimable(until=until)))
        if not due:
            return dg.SkipReason("No base64 is past its soak.")
        return _requests(context, workspace, due, settings, op_config("reclaimed_images", {"dry_run": False}))

    return nightly_reclaim


def _daily_storage_report(settings: AutomationSettings) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        job=take_stock_and_report,
        **_when("daily_storage_report", settings, on=True),
        description=(
            "Lists the bucket, matches it with table and ledger, and writes the storage report; fetches some images by "
            "their public URLs. Only reads."
        ),
    )


def _weekly_full_validation(settings: AutomationSettings) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        job=validate_migration,
        run_config=op_config("validation", {"mode": "full"}),
        **_when("weekly_full_validation", settings, on=True),
        description="Reads every byte of every migrated image back and proves it. Only reads.",
    )


def _weekly_summary(settings: AutomationSettings) -> dg.ScheduleDefinition:
    @dg.schedule(
        job=weekly_summary,
        **_when("weekly_summary", settings, on=True),
        description="Sends the week in numbers by webhook and mail, whichever is set; without either there is no run.",
    )
    def weekly_summary_schedule(workspace: dg.ResourceParam[Workspace]) -> dg.RunRequest | dg.SkipReason:
        return dg.RunRequest() if channels(workspace.settings) else dg.SkipReason(NO_CHANNEL)

    return weekly_summary_schedule


def _requests(
    context: dg.ScheduleEvaluationContext,
    workspace: Workspace,
    keys: Sequence[str],
    settings: AutomationSettings,
    run_config: dict[str, object] | None = None,
) -> list[dg.RunRequest]:
    return range_requests(
        context.instance,
        workspace.ledger,
        keys,
        longest=settings.batches_per_run,
        run_key=context.scheduled_execution_time.isoformat(),
        run_config=run_config,
    )
