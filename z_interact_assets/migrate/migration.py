"""Migration: the pending images of some batches through the pipeline, each batch reported as its last image ends."""

import queue
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from time import monotonic, time

from z_interact_assets.core.errors import StorageUnavailableError, TableUnavailableError, ZInteractError
from z_interact_assets.core.ports import ObjectStore
from z_interact_assets.core.preparation import Preparation
from z_interact_assets.core.records import BatchSummary, LeaseHolder, WorkItem
from z_interact_assets.execution.leases import Leases, WaitListener
from z_interact_assets.execution.progress import Progress, ProgressListener, ignore_progress
from z_interact_assets.migrate.flow import AdaptiveLimiter, ByteBudget, FixedLimiter, Limiter
from z_interact_assets.migrate.outcomes import Outcome, Totals
from z_interact_assets.migrate.pipeline import MAX_THREADS, Pipeline
from z_interact_assets.migrate.scope import Scope
from z_interact_assets.migrate.settler import Settler
from z_interact_assets.migrate.sinks import Sink, StoreSink
from z_interact_assets.migrate.worker import Worker
from z_interact_assets.storage.ledger import Ledger
from z_interact_assets.storage.legacy import LegacyTable

TELL_EVERY_S = 1.0  # a group of batches costs who is told of it, Dagster above all, about as much as many do
_TOLD_AT_ONCE = 100  # batches


def clock_ms() -> int:
    """Return the time as UTC milliseconds since 1970."""
    return int(time() * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What carries images: where they are, where they go, and how much at once."""

    table: LegacyTable
    preparation: Preparation
    max_in_flight_bytes: int
    concurrency: int | None = None  # None: adaptive
    max_concurrency: int = MAX_THREADS
    clock_ms: Callable[[], int] = clock_ms
    stop: threading.Event = field(default_factory=threading.Event)

    def limiter(self) -> Limiter:
        """Return a window for one run."""
        if self.concurrency is not None:
            return FixedLimiter(self.concurrency)
        return AdaptiveLimiter(maximum=self.max_concurrency, clock=monotonic)

    def stream(
        self,
        items: Iterable[WorkItem | None],
        sink: Sink,
        settle: Callable[[Sequence[Outcome]], None],
        *,
        total: int,
        totals: Totals,
        listen: ProgressListener = ignore_progress,
        limiter: Limiter | None = None,
    ) -> Iterator[list[Outcome]]:
        """Yield groups of settled outcomes, counted in `totals`; an empty one now and then while none come."""
        limiter = limiter or self.limiter()
        budget = ByteBudget(self.max_in_flight_bytes)
        worker = Worker(self.table, sink, self.preparation, budget, self.clock_ms)
        pipeline = Pipeline(
            worker.begin, settle, limiter=limiter, budget=budget, stop=self.stop, max_threads=self.max_concurrency
        )  # fmt: skip
        started = monotonic()
        for group in pipeline.stream(items):
            for outcome in group:
                totals.add(outcome)
            if group:
                listen(
                    Progress(
                        done=totals.done, total=total, bytes=totals.bytes_uploaded, seconds=monotonic() - started,
                        in_flight=pipeline.in_flight, window=limiter.limit,
                    )
                )  # fmt: skip
            yield group


class Migration:
    """One run of the migration. `totals` is whole when `run` has ended, also by an error."""

    def __init__(
        self,
        engine: Engine,
        store: ObjectStore,
        ledger: Ledger,
        *,
        run_id: str | None = None,
        listen: ProgressListener = ignore_progress,
    ) -> None:
        self._engine = engine
        self._store = store
        self._ledger = ledger
        self._run_id = run_id
        self._listen = listen
        self.totals = Totals()
        self.interrupted = False

    def run(self, scope: Scope) -> Generator[BatchSummary]:
        """Yield what `groups` does, one by one."""
        with closing(self.groups(scope)) as groups:
            for group in groups:
                yield from group

    def groups(self, scope: Scope) -> Generator[list[BatchSummary]]:
        """Do the scope's pending images; yield its batches once they have none left pending, as many as ended at once.

        Batches that were done before come first, without any work. After a stop or an error no more batches come;
        a batch that keeps failed images is yielded with `pending` > 0 at the end. Closing the generator ends and
        records what is in flight.
        """
        remaining = Counter(self._ledger.work.pending(scope.batch_keys, image_ids=scope.image_ids))
        keys = scope.batch_keys if scope.batch_keys is not None else tuple(remaining)
        self.totals.planned = min(remaining.total(), scope.limit if scope.limit is not None else remaining.total())
        yield from self._summaries([key for key in keys if not remaining[key]])
        touched = tuple(key for key in keys if remaining[key])
        if not touched or not self.totals.planned:
            return
        self._store.check()
        self._engine.table.check_writable()
        with Leases(self._ledger, "migrate", run_id=self._run_id, clock_ms=self._engine.clock_ms) as leases:
            yield from self._stream(touched, scope, leases)

    def _stream(self, keys: tuple[str, ...], scope: Scope, leases: Leases) -> Iterator[list[BatchSummary]]:
        settler = Settler(self._engine.table, self._ledger, clock_ms=self._engine.clock_ms, run_id=self._run_id)
        limiter = self._engine.limiter()
        self._store.on_throttle(limiter.throttled)
        handing = _HandOut(self._ledger, scope, leases, keys, clock_ms=self._engine.clock_ms, waiting=self._waiting)
        unanswered, unwritten = False, None
        ended: list[str] = []
        told = monotonic()
        groups = self._engine.stream(
            handing.items(), StoreSink(self._store), settler.settle, total=self.totals.planned, totals=self.totals,
            listen=self._listen, limiter=limiter,
        )  # fmt: skip
        try:
            for group in groups:
                unanswered |= any(isinstance(outcome.error, StorageUnavailableError) for outcome in group)
                if group:
                    unwritten = next((one.error for one in group if isinstance(one.error, TableUnavailableError)), None)
                ending = handing.end(outcome.item.batch_key for outcome in group)
                self.totals.batches = handing.started
                leases.release(ending)
                ended += ending
                if monotonic() - told >= TELL_EVERY_S:
                    yield from self._summaries(ended)
                    ended, told = [], monotonic()
        except ZInteractError:
            with suppress(ZInteractError):  # the ledger may be what failed
                yield from self._summaries(ended)
            raise
        yield from self._summaries(ended)
        left = self.totals.planned - self.totals.done
        self.interrupted = self._engine.stop.is_set() and left > 0
        if not self.interrupted:
            self.totals.skipped += max(0, left)  # another run did them meanwhile
            yield from self._summaries(handing.rest())
            if unanswered:  # so few that it was no outage to the pipeline: is R2 there?
                self._store.check()
            if unwritten is not None and self.totals.failed == self.totals.done:  # not one row could be written
                raise unwritten

    def _summaries(self, keys: Sequence[str]) -> Iterator[list[BatchSummary]]:
        for start in range(0, len(keys), _TOLD_AT_ONCE):
            yield self._ledger.ask.summaries(keys[start : start + _TOLD_AT_ONCE])

    def _waiting(self, holders: Sequence[LeaseHolder]) -> None:
        self._listen(
            Progress(
                done=self.totals.done, total=self.totals.planned, bytes=self.totals.bytes_uploaded, seconds=0.0,
                in_flight=0, window=0, waiting_for=", ".join(map(str, holders)) or "another run",
            )
        )  # fmt: skip


class _HandOut:
    """The pending images of the batches this run gets leases of, and the account of which batch has ended.

    `items` is iterated by the carrier, everything else is called by the run's own.
    """

    def __init__(
        self, ledger: Ledger, scope: Scope, leases: Leases, keys: Sequence[str], *, clock_ms: Callable[[], int],
        waiting: WaitListener,
    ) -> None:  # fmt: skip
        self._ledger = ledger
        self._scope = scope
        self._leases = leases
        self._keys = keys
        self._clock_ms = clock_ms
        self._waiting = waiting
        self._handed: dict[str, int] = {}
        self._ended: Counter[str] = Counter()
        self._idle: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reported: set[str] = set()

    @property
    def started(self) -> int:
        """How many batches have had at least one image done."""
        return len(self._ended)

    def items(self) -> Iterator[WorkItem | None]:
        """Yield the images, and None whenever there is none at the moment."""
        left = self._scope.limit
        for claimed in self._leases.shared_out(self._keys, waiting=self._waiting):
            pending = self._ledger.work.pending(claimed, image_ids=self._scope.image_ids)
            for key in claimed:
                if key not in pending:  # another run ended it while we waited
                    self._idle.put(key)
            self._handed.update(pending)
            for item in self._ledger.work.hand_out(
                list(pending), image_ids=self._scope.image_ids, now_ms=self._clock_ms(), limit=left
            ):
                left = None if left is None else left - 1
                yield item
            if left == 0:
                return
            yield None

    def end(self, batch_keys: Iterable[str]) -> list[str]:
        """Count images that ended, by batch; return the batches that have come to their end by that, in order."""
        self._ended.update(batch_keys)
        ended = {key for key, count in self._ended.items() if count >= self._handed.get(key, 0)} - self._reported
        while not self._idle.empty():
            ended.add(self._idle.get())
        self._reported |= ended
        return sorted(ended)

    def rest(self) -> list[str]:
        """Return the batches not yet returned by `end`, once all is over; none that the scope leaves on purpose."""
        done = self.end(())
        return done if self._scope.is_partial else sorted({*done, *self._keys} - self._reported.difference(done))
