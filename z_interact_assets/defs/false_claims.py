"""Telling people of claims that were found false: such a check does not fail its run, so no failed run tells of it."""

from collections.abc import Iterator

import dagster as dg

from z_interact_assets.alerts import FalseClaim, about_false_claims
from z_interact_assets.defs.alerts import nobody_to_tell, tell
from z_interact_assets.workspace import Workspace


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    name="false_claims_are_told",
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Tells of checks that found a loss (severity ERROR: an object that is missing, other bytes, totals that do not "
        "add up), once a run, by webhook and mail. Warnings are in the weekly summary and on the checks' pages; runs "
        "of the command line are not told of, their operator sees them. Without a channel nothing is sent."
    ),
)
def false_claims_are_told(
    context: dg.RunStatusSensorContext, workspace: dg.ResourceParam[Workspace]
) -> dg.SkipReason | None:
    """Tell of one run's checks."""
    run, settings = context.dagster_run, workspace.settings
    if (untold := nobody_to_tell(run, settings)) is not None:
        return untold
    claims = list(_false_claims(context.instance, run))
    if not claims:
        return dg.SkipReason(f"Run {run.run_id} found no claim false.")
    tell(about_false_claims(claims, ui_url=settings.dagster_ui_url), settings)
    return None


def _false_claims(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Iterator[FalseClaim]:
    found = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    for record in found.records:
        event = record.event_log_entry.dagster_event
        if event is None:
            continue
        evaluation = event.asset_check_evaluation_data
        if not evaluation.passed and evaluation.severity is dg.AssetCheckSeverity.ERROR:
            yield FalseClaim(
                asset=evaluation.asset_key.to_user_string(),
                name=evaluation.check_name,
                figures={
                    name: value.value
                    for name, value in evaluation.metadata.items()
                    if isinstance(value, dg.IntMetadataValue) and value.value
                },
            )
