"""Sensors: new images in the app's table, the reports that follow a migration, failed runs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from json import JSONDecodeError, dumps, loads

import dagster as dg

from z_interact_assets.core.records import WorkMark
from z_interact_assets.defs.alerts import failed_runs_are_told
from z_interact_assets.defs.automation import reports_follow_the_migration
from z_interact_assets.defs.jobs import migrate_images
from z_interact_assets.defs.requests import is_rehearsal, plan_now, range_requests, unfinished_runs
from z_interact_assets.migrate.migration import clock_ms
from z_interact_assets.settings import AutomationSettings
from z_interact_assets.workspace import Workspace

INTERVAL_S = 60
# What no sign of the database showed is found by then.
LOOK_AFTER_MS = 15 * 60_000
# Of a table that is written all the time looking takes at most one second in so many.
REST = 20


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

    def __init__(self, context: dg.SensorEvaluationContext, workspace: Workspace, longest: int | None) -> None:
        self._instance = context.instance
        self._workspace = workspace
        self._ledger = workspace.ledger
        self._longest = longest
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
        if not keys and self._look():
            mark = self._ledger.demand.mark()
            keys = self._beyond(mark)
        self._cursor = replace(self._cursor, batch=mark.batch, event=mark.event)
        if not keys:
            return self._nothing("Nothing new.")
        requests = range_requests(
            self._instance, self._ledger, keys, longest=self._longest, run_key=f"{mark.batch}.{mark.event}"
        )
        return dg.SensorResult(run_requests=requests, cursor=str(self._cursor))

    def _beyond(self, mark: WorkMark) -> list[str]:
        return [] if mark == self._cursor.mark else self._ledger.demand.beyond(self._cursor.mark)

    def _look(self) -> bool:
        """Plan if the table may hold something new; tell whether it was looked at."""
        started = clock_ms()
        sign = self._workspace.table.changes.sign()
        if not self._cursor.is_worth_a_look(sign, started):
            return False
        plan_now(self._instance, self._workspace)
        self._cursor = replace(self._cursor, sign=sign, looked_at=started, took=clock_ms() - started)
        return True

    def _nothing(self, why: str) -> dg.SensorResult:
        return dg.SensorResult(skip_reason=why, cursor=str(self._cursor))


def build_sensors(settings: AutomationSettings) -> Sequence[dg.SensorDefinition]:
    """Return the sensors; the one that starts migrations is on by itself only where UNATTENDED says so."""

    @dg.sensor(
        name="new_base64_images",
        job=migrate_images,
        minimum_interval_seconds=INTERVAL_S,
        default_status=dg.DefaultSensorStatus.RUNNING if settings.unattended else dg.DefaultSensorStatus.STOPPED,
        description=(
            "Finds images that came into the table as base64 or were changed by the app, gives them to batches and "
            "requests one run for all of them. Work is requested once: what fails is tried again by "
            "`nightly_migration`. While a migration runs or waits, nothing is requested. An idle tick reads no row: it "
            "compares when the table was last written to, and looks at the rows every 15 minutes all the same."
        ),
    )
    def new_base64_images(
        context: dg.SensorEvaluationContext, workspace: dg.ResourceParam[Workspace]
    ) -> dg.SensorResult | dg.SkipReason:
        if is_rehearsal(workspace):
            return dg.SkipReason("DATABASE_URL names a dump: it can be rehearsed on, not migrated.")
        return _Tick(context, workspace, settings.batches_per_run).result()

    return [new_base64_images, reports_follow_the_migration, failed_runs_are_told]
