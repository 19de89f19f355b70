"""Sensors: new images in the app's table, the reports that follow a migration, failed runs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from json import JSONDecodeError, dumps, loads

import dagster as dg

from z_interact_assets.core.records import WorkMark
from z_interact_assets.defs.alerts import failed_runs_are_told
from z_interact_assets.defs.automation import reports_follow_the_migration
from z_interact_assets.defs.false_claims import false_claims_are_told
from z_interact_assets.defs.jobs import migrate_images, plan_batches
from z_interact_assets.defs.lost_runs import lost_runs_are_failed
from z_interact_assets.defs.requests import is_rehearsal, plan_now, range_requests, unfinished_runs
from z_interact_assets.migrate.migration import clock_ms
from z_interact_assets.settings import AutomationSettings
from z_interact_assets.workspace import Workspace

INTERVAL_S = 60
# What no sign of the database showed is found by then.
LOOK_AFTER_MS = 15 * 60_000
# Of a table that is written all the time looking takes at most one second in so many.
REST = 20
# Looking at 100,000 rows takes some 4 s, planning them all some 10 s; Dagster ends a tick after 60 s.
MAX_ROWS_IN_A_TICK = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TickCursor:
    """What a tick remembers for the next one. Lost or reset, it only costs a look; the ledger knows what is pending.

    `batch` and `event` are a WorkMark: what was planned up to there has been requested. `sign` is the table's when its
    rows were looked at, `looked_at` (UTC ms) when that was, `took` how long (ms).
    """

    batch: int = 0
    event: int = 0
    sign: str | None = None
    looked_at: int = 0
    took: int = 0

    @classmethod
    def parse(cls, text: str | None) -> "TickCursor":
        """Read a cursor; one that is none of ours counts as absent."""
        try:
            return cls(**loads(text or "{}"))
        except (JSONDecodeError, TypeError):
            return cls()

    def __str__(self) -> str:
        return dumps(asdict(self))

    @property
    def mark(self) -> WorkMark:
        """Up to where work has been requested."""
        return WorkMark(batch=self.batch, event=self.event)

    def is_worth_a_look(self, sign: str | None, now_ms: int) -> bool:
        """Tell whether the rows should be looked at: after a write, and now and then, but not all the time."""
        since = now_ms - self.looked_at
        return since >= LOOK_AFTER_MS or (sign != self.sign and since >= REST * self.took)


class _Tick:
    """One evaluation of `new_base64_images`."""

    def __init__(
        self, context: dg.SensorEvaluationContext, workspace: Workspace, *, longest: int | None, most_rows: int
    ) -> None:
        self._instance = context.instance
        self._workspace = workspace
        self._ledger = workspace.ledger
        self._longest = longest
        self._most_rows = most_rows
        self._started = 0
        self._sign: str | None = None
        self._cursor = TickCursor.parse(context.cursor)

    def result(self) -> dg.SensorResult:
        """Ask for the runs of what is planned, planning first if nothing waits and the table was written to."""
        if busy := unfinished_runs(self._instance, self._ledger, now_ms=clock_ms()):
            return self._nothing(
                f"Run {busy[0].run_id} migrates; what is new meanwhile is looked at when it has ended."
            )
        # The mark comes first: what somebody plans between the two statements is beyond it, and found again.
        mark = self._ledger.demand.mark()
        keys = self._beyond(mark)
        if not keys and self._is_worth_a_look():
            if self._workspace.table.count() > self._most_rows:
                return self._planning_run()
            self._look()
            mark = self._ledger.demand.mark()
            keys = self._beyond(mark)
        self._cursor = replace(self._cursor, batch=mark.batch, event=mark.event)
        if not keys:
            return self._nothing("Nothing new.")
        requests = range_requests(
            self._instance,
            self._ledger,
            keys,
            longest=self._longest,
            run_key=f"{mark.batch}.{mark.event}",
            job_name=migrate_images.name,
        )
        return dg.SensorResult(run_requests=requests, cursor=str(self._cursor))

    def _beyond(self, mark: WorkMark) -> list[str]:
        return [] if mark == self._cursor.mark else self._ledger.demand.beyond(self._cursor.mark)

    def _is_worth_a_look(self) -> bool:
        self._started = clock_ms()
        self._sign = self._workspace.table.changes.sign()
        return self._cursor.is_worth_a_look(self._sign, self._started)

    def _look(self) -> None:
        plan_now(self._instance, self._workspace)
        self._looked(took=clock_ms() - self._started)

    def _planning_run(self) -> dg.SensorResult:
        """Have a large table planned by a run; what that plans a later tick finds in the ledger."""
        self._looked(took=LOOK_AFTER_MS // REST)
        request = dg.RunRequest(job_name=plan_batches.name, run_key=f"plan {self._started}")
        return dg.SensorResult(run_requests=[request], cursor=str(self._cursor))

    def _looked(self, *, took: int) -> None:
        self._cursor = replace(self._cursor, sign=self._sign, looked_at=self._started, took=took)

    def _nothing(self, why: str) -> dg.SensorResult:
        return dg.SensorResult(skip_reason=why, cursor=str(self._cursor))


def build_sensors(
    settings: AutomationSettings, *, most_rows: int = MAX_ROWS_IN_A_TICK
) -> Sequence[dg.SensorDefinition]:
    """Return the sensors; the one that starts migrations is on by itself only where UNATTENDED says so.

    A table of more than `most_rows` rows is planned by a run of `plan_batches`, not in a tick.
    """

    @dg.sensor(
        name="new_base64_images",
        jobs=[migrate_images, plan_batches],
        minimum_interval_seconds=INTERVAL_S,
        default_status=dg.DefaultSensorStatus.RUNNING if settings.unattended else dg.DefaultSensorStatus.STOPPED,
        description=(
            "Finds images that came into the table as base64 or were changed by the app, gives them to batches and "
            "requests one run for all of them. Work is requested once: what fails is tried again by "
            "`nightly_migration`. While a migration runs or waits, nothing is requested. An idle tick reads no row: it "
            "compares when the table was last written to, and looks at the rows every 15 minutes all the same. "
            f"A table of over {most_rows:,} rows is looked at by a run of `plan_batches`, every 15 minutes at most."
        ),
    )
    def new_base64_images(
        context: dg.SensorEvaluationContext, workspace: dg.ResourceParam[Workspace]
    ) -> dg.SensorResult | dg.SkipReason:
        if is_rehearsal(workspace):
            return dg.SkipReason("DATABASE_URL names a dump: it can be rehearsed on, not migrated.")
        return _Tick(context, workspace, longest=settings.batches_per_run, most_rows=most_rows).result()

    return [
        new_base64_images,
        reports_follow_the_migration,
        failed_runs_are_told,
        false_claims_are_told,
        lost_runs_are_failed,
    ]
