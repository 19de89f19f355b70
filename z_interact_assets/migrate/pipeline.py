"""The stream: items in, settled outcomes out, with a window of uploads and no barrier anywhere.

feeder thread → window → worker threads → queue → settler thread → queue → whoever iterates. Batches mean nothing
here: the next image starts as soon as there is room, whichever batch it is of.
"""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

from z_interact_assets.core.errors import StorageUnavailableError, TableUnavailableError
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.records import WorkItem
from z_interact_assets.migrate.flow import ByteBudget, Limiter, Stopped, Window
from z_interact_assets.migrate.outcomes import Outcome

GROUP_ITEMS = 500
GROUP_WAIT_S = 0.05  # how long a finished image may wait for company before it is written
MAX_THREADS = 128
_OUTAGE_FAILURES = 16  # so many failures in a row, each after all retries, are an outage
_END = object()
_TABLE_OUTAGE_GROUPS = 3  # so many groups in a row that could not be written, each after the busy timeout


class Pipeline:
    """One pass over items. Use once."""

    def __init__(
        self,
        work: Callable[[WorkItem], Outcome],
        settle: Callable[[Sequence[Outcome]], None],
        *,
        limiter: Limiter,
        budget: ByteBudget,
        stop: threading.Event,
        max_threads: int = MAX_THREADS,
    ) -> None:
        self._work = work
        self._max_threads = max_threads
        self._settle = settle
        self._limiter = limiter
        self._budget = budget
        self._stop = stop
        self._window = Window(limiter)
        # Bounded: where writing is the slowest part, workers wait with what they have instead of piling it up.
        self._done: queue.Queue[Outcome | None] = queue.Queue(maxsize=GROUP_ITEMS)
        self._settled: queue.SimpleQueue[list[Outcome] | None] = queue.SimpleQueue()
        self._failures = 0
        self._table_failures = 0
        self._fatal: BaseException | None = None

    @property
    def in_flight(self) -> int:
        """How many images are with the workers now."""
        return self._window.in_flight

    def stream(self, items: Iterable[WorkItem | None]) -> Iterator[list[Outcome]]:
        """Yield groups of settled outcomes as they come. An item that is None means: none at the moment, ask again.

        Ends when all items are settled, or, after a stop, a fatal error or an outage, when all that was in flight is.
        Then the error is raised. Abandoning the iterator stops it in the same way.
        """
        feeder = threading.Thread(target=self._feed, args=(iter(items),), name="feeder")
        settler = threading.Thread(target=self._write, name="settler")
        settler.start()
        feeder.start()
        try:
            while (group := self._next_group()) is not None:
                yield group
        finally:
            self._halt()
            feeder.join()
            settler.join()
        if self._fatal is not None:
            raise self._fatal

    def _next_group(self) -> list[Outcome] | None:
        while True:
            if self._stop.is_set():
                self._window.stop()
            try:
                # Waking up now and then lets a stop request and Python's signal handlers through.
                return self._settled.get(timeout=0.2)
            except queue.Empty:
                continue

    def _feed(self, items: Iterator[WorkItem | None]) -> None:
        with ThreadPoolExecutor(self._max_threads, thread_name_prefix="image") as pool:
            try:
                while True:
                    self._window.enter()
                    item = next(items, _END)
                    if isinstance(item, WorkItem):
                        pool.submit(self._run, item)
                        continue
                    self._window.leave()
                    if item is _END:
                        break
            except Stopped:
                pass
            except BaseException as error:  # noqa: BLE001 - handed to whoever iterates
                self._abort(error)
        self._done.put(None)

    def _run(self, item: WorkItem) -> None:
        started = perf_counter()
        try:
            outcome = self._work(item)
        except BaseException as error:  # noqa: BLE001 - handed to whoever iterates
            self._abort(error)
        else:
            self._judge(outcome, perf_counter() - started)
            self._done.put(outcome)
        finally:
            self._window.leave()

    def _judge(self, outcome: Outcome, seconds: float) -> None:
        if not isinstance(outcome.error, StorageUnavailableError):
            self._failures = 0
            if outcome.final.state is ItemState.PUBLISHED:
                self._limiter.completed(seconds)
            return
        self._failures += 1
        if self._failures >= max(_OUTAGE_FAILURES, 2 * self._limiter.limit):
            self._abort(
                StorageUnavailableError(
                    f"R2 has stopped answering: {outcome.error.message}",
                    remedy="What was finished is recorded; run the same command again when it is back.",
                )
            )

    def _write(self) -> None:
        finished = False
        while not finished:
            group, finished = self._collect()
            try:
                if group and not isinstance(self._fatal, _Unsettled):
                    self._settle(group)
                    self._settled.put(group)
                    self._watch_the_table(group)
            except BaseException as error:  # noqa: BLE001 - handed to whoever iterates
                self._abort(error, unsettled=True)
            finally:
                for outcome in group:
                    self._budget.give(outcome.taken)
        if isinstance(self._fatal, _Unsettled):
            self._fatal = self._fatal.error
        self._settled.put(None)

    def _watch_the_table(self, group: Sequence[Outcome]) -> None:
        """End the run when the app's table stays out of reach: uploading on would only fill the bucket."""
        error = next((outcome.error for outcome in group if isinstance(outcome.error, TableUnavailableError)), None)
        self._table_failures = 0 if error is None else self._table_failures + 1
        if error is not None and self._table_failures >= _TABLE_OUTAGE_GROUPS:
            self._abort(error)

    def _collect(self) -> tuple[list[Outcome], bool]:
        """Wait for one outcome, then take what else comes within GROUP_WAIT_S."""
        group: list[Outcome] = []
        deadline = float("inf")
        while len(group) < GROUP_ITEMS:
            wait = None if not group else deadline - perf_counter()
            try:
                outcome = self._done.get(timeout=wait) if wait is None or wait > 0 else self._done.get_nowait()
            except queue.Empty:
                return group, False
            if outcome is None:
                return group, True
            if not group:
                deadline = perf_counter() + GROUP_WAIT_S
            group.append(outcome)
        return group, False

    def _abort(self, error: BaseException, *, unsettled: bool = False) -> None:
        if unsettled:
            self._fatal = _Unsettled(error)
        elif self._fatal is None:
            self._fatal = error
        self._halt()

    def _halt(self) -> None:
        self._window.stop()


class _Unsettled(Exception):  # noqa: N818 - a marker, never raised
    """The ledger or the table failed while a group was written: nothing more may be settled."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error
