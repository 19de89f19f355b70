"""Migration: the pending images of some batches through the pipeline, each batch reported as its last image ends."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from time import monotonic, time

from z_interact_assets.core.ports import ObjectStore
from z_interact_assets.core.preparation import Preparation
from z_interact_assets.core.records import BatchSummary, WorkItem
from z_interact_assets.migrate.flow import AdaptiveLimiter, ByteBudget, FixedLimiter, Limiter
from z_interact_assets.migrate.outcomes import Outcome, Totals
from z_interact_assets.migrate.pipeline import MAX_THREADS, Pipeline
from z_interact_assets.migrate.progress import Progress, ProgressListener, ignore_progress
from z_interact_assets.migrate.settler import Settler
from z_interact_assets.migrate.sinks import Sink, StoreSink
from z_interact_assets.migrate.worker import Worker
from z_interact_assets.storage.ledger import Ledger
from z_interact_assets.storage.legacy import LegacyTable


def clock_ms() -> int:
    """Return the time as UTC milliseconds since 1970."""
    return int(time() * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a run is to do: all pending images, or those of some batches, or some images; at most `limit`."""

    batch_keys: tuple[str, ...] | None = None
    image_ids: tuple[str, ...] | None = None
    limit: int | None = None

    @property
    def is_partial(self) -> bool:
        """Tell whether a batch may be left unfinished on purpose."""
        return self.image_ids is not None or self.limit is not None


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
        items: Iterable[WorkItem],
        sink: Sink,
        settle: Callable[[Sequence[Outcome]], None],
        *,
        total: int,
        totals: Totals,
        listen: ProgressListener = ignore_progress,
        limiter: Limiter | None = None,
    ) -> Iterator[list[Outcome]]:
        """Yield groups of settled outcomes, counted in `totals`."""
        limiter = limiter or self.limiter()
        budget = ByteBudget(self.max_in_flight_bytes)
        worker = Worker(self.table, sink, self.preparation, budget, self.clock_ms)
        pipeline = Pipeline(
            worker.do, settle, limiter=limiter, budget=budget, stop=self.stop, max_threads=self.max_concurrency
        )
        started = monotonic()
        for group in pipeline.stream(items):
            for outcome in group:
                totals.add(outcome)
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

    def run(self, scope: Scope) -> Iterator[BatchSummary]:
        """Do the scope's pending images; yield each of its batches once it has none left pending.

        Batches that were done before come first, without any work. After a stop or an error no more batches come;
        a batch that keeps failed images is yielded with `pending` > 0 at the end.
        """
        remaining = Counter(self._ledger.work.pending(scope.batch_keys, image_ids=scope.image_ids))
        keys = scope.batch_keys if scope.batch_keys is not None else tuple(remaining)
        self.totals.planned = min(remaining.total(), scope.limit if scope.limit is not None else remaining.total())
        for key in keys:
            if not remaining[key]:
                yield self._ledger.ask.batch(key)
        touched = tuple(key for key in keys if remaining[key])
        if not touched or not self.totals.planned:
            return
        self._store.check()
        self._engine.table.check_writable()
        yield from self._stream(touched, remaining, scope)

    def _stream(self, keys: tuple[str, ...], remaining: Counter[str], scope: Scope) -> Iterator[BatchSummary]:
        now_ms = self._engine.clock_ms
        settler = Settler(self._engine.table, self._ledger, clock_ms=now_ms, run_id=self._run_id)
        items = self._ledger.work.hand_out(keys, image_ids=scope.image_ids, now_ms=now_ms(), limit=scope.limit)
        limiter = self._engine.limiter()
        self._store.on_throttle(limiter.throttled)
        started: set[str] = set()
        for group in self._engine.stream(
            items, StoreSink(self._store), settler.settle, total=self.totals.planned, totals=self.totals,
            listen=self._listen, limiter=limiter,
        ):  # fmt: skip
            ended = Counter(outcome.item.batch_key for outcome in group)
            started |= ended.keys()
            self.totals.batches = len(started)
            remaining.subtract(ended)
            for key in sorted(key for key in ended if remaining[key] == 0):
                yield self._ledger.ask.batch(key)
        left = self.totals.planned - self.totals.done
        self.interrupted = self._engine.stop.is_set() and left > 0
        if not self.interrupted:
            self.totals.skipped += left  # another run of ours had them in hand meanwhile
            for key in keys:
                if remaining[key] > 0 and not scope.is_partial:
                    yield self._ledger.ask.batch(key)
