"""One run of `migrated_images` over any range of batches, reported batch by batch.

In a range run Dagster takes no materialisation per partition from an asset's return value, so each is logged as an
event the moment its batch is done; a batch without one is marked failed by Dagster when the run fails.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from time import monotonic

import dagster as dg

from z_interact_assets.core.errors import TransientError
from z_interact_assets.core.ports import ObjectStore
from z_interact_assets.core.records import BatchSummary, LedgerItem
from z_interact_assets.core.showing import shortened
from z_interact_assets.defs.batch_metadata import TROUBLE, batch_metadata, batch_tags
from z_interact_assets.defs.event_log import grouped
from z_interact_assets.defs.resources import RunObserver
from z_interact_assets.execution.progress import Progress
from z_interact_assets.migrate.migration import Migration
from z_interact_assets.migrate.scope import Scope
from z_interact_assets.workspace import Workspace

LOG_EVERY_S = 10.0
MAX_EXAMPLES = 10


class MigrationRun:
    """Connects a Migration to a Dagster run."""

    def __init__(
        self, context: dg.AssetExecutionContext, workspace: Workspace, store: ObjectStore, observer: RunObserver
    ) -> None:
        self._context = context
        self._workspace = workspace
        self._store = store
        self._observer = observer
        self._logged = monotonic()
        self._reported: set[str] = set()
        self._set_aside = 0
        self._window = 0
        self._examples: list[str] = []

    def execute(
        self, *, image_ids: Sequence[str] | None, limit: int | None, concurrency: int | None
    ) -> Iterator[dg.AssetCheckResult]:
        """Migrate the run's partitions; yields the check, then raises dg.Failure if a batch is not done."""
        scope = Scope(
            batch_keys=tuple(self._context.partition_keys),
            image_ids=None if image_ids is None else tuple(image_ids),
            limit=limit,
        )
        engine = self._workspace.engine(concurrency=concurrency, stop=self._observer.stop)
        migration = Migration(
            engine, self._store, self._workspace.ledger, run_id=self._context.run.run_id, listen=self._progress
        )
        self._observer.totals.append(migration.totals)
        ended_early = self._carry_out(migration, scope)
        undone = [key for key in self._context.partition_keys if key not in self._reported]
        yield self._check(migration, undone)
        if isinstance(ended_early, dg.DagsterExecutionInterruptedError):
            raise ended_early
        if ended_early is not None or (undone and not scope.is_partial) or migration.totals.failed:
            raise self._failure(undone, migration, ended_early)

    def _carry_out(
        self, migration: Migration, scope: Scope
    ) -> TransientError | dg.DagsterExecutionInterruptedError | None:
        """Report each batch as it is done; return what ended the run before its time, when all in flight has ended."""
        try:
            with closing(migration.groups(scope)) as groups:
                for summaries in groups:
                    self._report([summary for summary in summaries if summary.pending == 0])
        except TransientError as outage:  # R2, table or ledger went away
            self._observer.error = outage
            return outage
        except dg.DagsterExecutionInterruptedError as interruption:  # "Terminate" in the UI, SIGTERM
            self._report_finished()
            return interruption
        return None

    def _report_finished(self) -> None:
        """Report batches that were done when the interruption came, or by what was in flight then."""
        keys = [key for key in self._context.partition_keys if key not in self._reported]
        pending = self._workspace.ledger.work.pending(keys)
        self._report(self._workspace.ledger.ask.summaries([key for key in keys if key not in pending]))

    def _progress(self, progress: Progress) -> None:
        self._observer.progress(progress)
        self._window = progress.window or self._window  # 0 while it waits for another run
        if monotonic() - self._logged >= LOG_EVERY_S:
            self._logged = monotonic()
            self._context.log.info(str(progress))

    def _report(self, summaries: Sequence[BatchSummary]) -> None:
        items = self._workspace.ledger.ask.items_of([summary.key for summary in summaries])
        with grouped(self._context.instance):
            for summary in summaries:
                self._report_batch(summary, items[summary.key])
        self._reported.update(summary.key for summary in summaries)

    def _report_batch(self, summary: BatchSummary, items: Sequence[LedgerItem]) -> None:
        self._set_aside += summary.set_aside
        self._examples += [shortened(item.image_id) for item in items if item.state in TROUBLE][:MAX_EXAMPLES]
        self._context.log_event(
            dg.AssetMaterialization(
                self._context.asset_key,
                partition=summary.key,
                metadata=batch_metadata(summary, items, self._store),
                tags=batch_tags(items, run_id=self._context.run.run_id),
            )
        )

    def _check(self, migration: Migration, undone: Sequence[str]) -> dg.AssetCheckResult:
        totals = migration.totals
        clean = not (self._set_aside or totals.failed or undone)
        severity = dg.AssetCheckSeverity.ERROR if totals.failed else dg.AssetCheckSeverity.WARN
        return dg.AssetCheckResult(
            check_name="every_image_is_migrated",
            passed=clean,
            severity=severity,
            description=(
                f"{totals.migrated:,} images migrated now, {totals.already_stored:,} found in R2 already, "
                f"{self._set_aside:,} set aside, {totals.failed:,} failed, {len(undone):,} batches not done."
            ),
            metadata={
                "migrated": totals.migrated,
                "already_stored": totals.already_stored,
                "set_aside": self._set_aside,
                "failed": totals.failed,
                "batches_not_done": len(undone),
                "bytes_uploaded": totals.bytes_uploaded,
                "uploads_at_once": self._window,
                "examples": self._examples[:MAX_EXAMPLES],
            },
        )

    @staticmethod
    def _failure(undone: Sequence[str], migration: Migration, error: TransientError | None) -> dg.Failure:
        if migration.interrupted:
            what = "The run was stopped; what was in flight is finished and recorded."
        else:
            what = str(error) if error else f"{migration.totals.failed} images failed."
        return dg.Failure(
            description=f"{what} {len(undone)} batches are not done; materialise them again to go on.",
            metadata={"batches": list(undone[:MAX_EXAMPLES]), "failed_images": migration.totals.failed},
            allow_retries=False,
        )
