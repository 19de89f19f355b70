"""Telling people: a sensor for runs that failed for good, a job for the weekly summary. The words are in `alerts`."""

from time import sleep

import dagster as dg

from z_interact_assets.alerts import (
    Channel,
    FailedRun,
    Mail,
    Message,
    Undelivered,
    Webhook,
    WeekInNumbers,
    about_failure,
    about_week,
    deliver,
)
from z_interact_assets.defs.failures import as_failures
from z_interact_assets.defs.requests import batches_of
from z_interact_assets.migrate.migration import clock_ms
from z_interact_assets.settings import Settings
from z_interact_assets.workspace import Workspace

WEEK_MS = 7 * 24 * 3_600_000
BY_COMMAND_LINE = ("launched_by", "command line")
NO_CHANNEL = "Neither ALERT_WEBHOOK_URL nor ALERT_EMAIL_URL is set."

_WILL_RETRY = "dagster/will_retry"
_RETRY_NUMBER = "dagster/retry_number"
_NOTED_AFTER_S = 2


class AlertsUndeliveredError(Exception):
    """Some channels did not take a message; says which and why, never an address."""

    def __init__(self, undelivered: list[Undelivered]) -> None:
        super().__init__("Not delivered by " + " By ".join(map(str, undelivered)))


def channels(settings: Settings) -> list[Channel]:
    """Return the channels that are set."""
    webhook, mail = settings.alert_webhook_url, settings.alert_email_url
    return [
        *([Webhook(webhook.get_secret_value())] if webhook else []),
        *([Mail(mail.get_secret_value())] if mail else []),
    ]


def tell(message: Message, settings: Settings) -> None:
    """Send a message by every channel; AlertsUndeliveredError when all were tried and some did not take it."""
    if undelivered := deliver(message, channels(settings)):
        # Without its context: nothing but this sentence goes into the tick's record.
        raise AlertsUndeliveredError(undelivered) from None


@dg.run_failure_sensor(
    name="failed_runs_are_told",
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Tells of each failed run once, by the webhook (ALERT_WEBHOOK_URL) and by mail (ALERT_EMAIL_URL): what failed, "
        "that nothing is lost by it, what to do, and a link if DAGSTER_UI_URL is set. A run that Dagster tries again "
        "by itself is told of when its last try has failed; runs of the command line are not, their operator sees "
        "them. Without a channel nothing is sent."
    ),
)
def failed_runs_are_told(
    context: dg.RunFailureSensorContext, workspace: dg.ResourceParam[Workspace]
) -> dg.SkipReason | None:
    """Tell of one run. What a channel does not take is the tick's error; the others have it all the same."""
    run, settings = context.dagster_run, workspace.settings
    if (untold := nobody_to_tell(run, settings)) is not None:
        return untold
    if _will_be_retried(context):
        return dg.SkipReason(f"Dagster tries run {run.run_id} again.")
    tell(about_failure(_failed(context), ui_url=settings.dagster_ui_url), settings)
    return None


def nobody_to_tell(run: dg.DagsterRun, settings: Settings) -> dg.SkipReason | None:
    """Return why nobody is told of a run, whatever became of it; None if somebody is."""
    if not channels(settings):
        return dg.SkipReason(NO_CHANNEL)
    if run.tags.get(BY_COMMAND_LINE[0]) == BY_COMMAND_LINE[1]:
        return dg.SkipReason(f"Run {run.run_id} is somebody's at the command line.")
    return None


def _will_be_retried(context: dg.RunFailureSensorContext) -> bool:
    """Tell whether Dagster tries the run again; it notes so a moment after it has noted the failure."""
    run: dg.DagsterRun | None = context.dagster_run
    for _ in range(_NOTED_AFTER_S * 10 if context.instance.run_retries_enabled else 0):
        if run is None or _WILL_RETRY in run.tags:
            break
        sleep(0.1)
        run = context.instance.get_run_by_id(context.dagster_run.run_id)
    return run is not None and run.tags.get(_WILL_RETRY) == "true"


def _failed(context: dg.RunFailureSensorContext) -> FailedRun:
    run = context.dagster_run
    first, last = batches_of(run)
    retries = run.tags.get(_RETRY_NUMBER, "")
    return FailedRun(
        job=_name(run),
        run_id=run.run_id,
        reason=_reason(context),
        first_batch=first,
        last_batch=last,
        retries=int(retries) if retries.isdigit() else 0,
    )


def _name(run: dg.DagsterRun) -> str:
    """Return the job's name; of a run without one (a backfill, the UI's Materialize) its assets."""
    if run.job_name.startswith("__") and run.asset_selection:
        return ", ".join(sorted(key.to_user_string() for key in run.asset_selection))
    return run.job_name


def _reason(context: dg.RunFailureSensorContext) -> str:
    """Return why: the words of a failure of ours; of any other error only its class, its text may hold anything."""
    for event in context.get_step_failure_events():
        data = event.step_failure_data
        if data.user_failure_data is not None and data.user_failure_data.description:
            return data.user_failure_data.description
        if data.error is not None:
            return f"An unexpected error, {(data.error.cause or data.error).cls_name}, ended it"
    return "Its process ended, was ended for taking too long, or never started"


@dg.op(
    out=dg.Out(dg.Nothing),
    description="Sum the last seven days up from the ledger and send it by the channels of the alerts.",
)
def send_weekly_summary(context: dg.OpExecutionContext, workspace: dg.ResourceParam[Workspace]) -> dg.Output[None]:
    """Read, send, show."""
    with as_failures():
        message = about_week(_week(workspace, clock_ms()), ui_url=workspace.settings.dagster_ui_url)
    names = [channel.name for channel in channels(workspace.settings)]
    if not names:
        context.log.info("%s The summary is sent to nobody.", NO_CHANNEL)
    try:
        tell(message, workspace.settings)
    except AlertsUndeliveredError as error:
        raise dg.Failure(str(error), metadata={"summary": _text(message)}, allow_retries=False) from None
    return dg.Output(None, metadata={"summary": _text(message), "sent_by": ", ".join(names) or "none"})


@dg.job(description="The week in numbers: images by state, what was moved, failed or set aside, and the health.")
def weekly_summary() -> None:
    """Run the one op."""
    send_weekly_summary()


def _week(workspace: Workspace, now_ms: int) -> WeekInNumbers:
    ledger, since = workspace.ledger, now_ms - WEEK_MS
    newest = next(iter(ledger.snapshots.stats(limit=1)), None)
    health = newest["health"] if newest else {"status": None, "score": None, "issues": ()}
    return WeekInNumbers(
        states=ledger.ask.states(),
        came_to=ledger.recent.images_that_came_to(since=since),
        bytes_stored=ledger.recent.bytes_stored(since=since),
        health=health["status"],
        score=health["score"],
        issues=tuple(health["issues"]),
    )


def _text(message: Message) -> dg.MetadataValue:
    return dg.MetadataValue.text("\n".join([message.title, *message.sentences]))
