"""The stream: items in, settled outcomes out, with a window of uploads and no barrier anywhere.

reader threads → window → upload threads → queue → settler thread → queue → whoever iterates. Batches mean nothing
here: the next image starts as soon as there is room, whichever batch it is of. What needs a core is done by the
readers, of which there are about as many as cores: a hundred threads that want the GIL only take it from each other.
"""

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from time import perf_counter

from z_interact_assets.core.errors import StorageUnavailableError, TableUnavailableError
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.records import WorkItem
from z_interact_assets.execution.memory import few_arenas
from z_interact_assets.execution.stream import GROUP_WAIT_S
from z_interact_assets.migrate.flow import ByteBudget, Limiter, Stopped, Window
from z_interact_assets.migrate.outcomes import Outcome

GROUP_ITEMS = 500
MAX_THREADS = 128
BACKLOG_BYTES = 16 * 1024 * 1024  # uploaded and not written: some groups of large images
_TAKEN_AT_ONCE = 4  # items a reader takes; what is asked once a group costs less an image
_OUTAGE_FAILURES = 16  # so many failures in a row, each after all retries, are an outage
_END = object()
_TABLE_OUTAGE_GROUPS = 3  # so many groups in a row that could not be written, each after the busy timeout


@dataclass(slots=True)
class Upload:
    """An image that is ready: `send` does what R2 is needed for, once. `taken` is its share of the byte budget."""

    send: Callable[[], Outcome] | None
    taken: int = 0

    def run(self) -> Outcome:
        """Send it, and forget its bytes: whoever waits with the outcome must not hold them."""
        send, self.send = self.send, None
        if send is None:
            raise RuntimeError("An upload is sent once.")
        return send()


Work = Callable[[Sequence[WorkItem]], Generator[Outcome | Upload]]


class Pipeline:
    """One pass over items. Use once. `work` yields, for each of some items, its end or what is to be sent for it."""

    def __init__(
        self,
        work: Work,
        settle: Callable[[Sequence[Outcome]], None],
        *,
        limiter: Limiter,
        budget: ByteBudget,
        stop: threading.Event,
        readers: int = 2,
        max_threads: int = MAX_THREADS,
    ) -> None:
        self._work = work
        self._readers = readers
        self._max_threads = max_threads
        self._settle = settle
        self._limiter = limiter
        self._budget = budget
        self._stop = stop
        self._window = Window(limiter)
        # Bounded: where writing is the slowest part, uploads wait with what they have instead of piling it up.
        self._backlog = ByteBudget(BACKLOG_BYTES)
        self._done: queue.Queue[Outcome | None] = queue.Queue(maxsize=GROUP_ITEMS)
        self._settled: queue.SimpleQueue[list[Outcome] | None] = queue.SimpleQueue()
        self._failures = 0
        self._table_failures = 0
        self._fatal: BaseException | None = None

    @property
    def in_flight(self) -> int:
        """How many uploads are under way now."""
        return self._window.in_flight

    def stream(self, items: Iterable[WorkItem | None]) -> Iterator[list[Outcome]]:
        """Yield groups of settled outcomes as they come. An item that is None means: none at the moment, ask again.

        Ends when all items are settled, or, after a stop, a fatal error or an outage, when all that was in flight is.
        Then the error is raised. Abandoning the iterator stops it in the same way.
        """
        few_arenas()
        feeder = threading.Thread(target=self._feed, args=(_Source(items),), name="feeder")
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

    def _feed(self, source: "_Source") -> None:
        with ThreadPoolExecutor(self._max_threads, thread_name_prefix="upload") as uploads:
            readers = [
                threading.Thread(target=self._read, args=(source, uploads), name=f"reader_{number}")
                for number in range(self._readers)
            ]
            for reader in readers:
                reader.start()
            for reader in readers:
                reader.join()
        self._done.put(None)

    def _read(self, source: "_Source", uploads: ThreadPoolExecutor) -> None:
        try:
            while (group := source.take(_TAKEN_AT_ONCE, self._window)) is not None:
                with closing(self._work(group)) as steps:
                    for step in steps:
                        self._pass_on(step, uploads)
        except Stopped:
            pass
        except BaseException as error:  # noqa: BLE001 - handed to whoever iterates
            self._abort(error)

    def _pass_on(self, step: Outcome | Upload, uploads: ThreadPoolExecutor) -> None:
        if isinstance(step, Outcome):
            self._done.put(step)
            return
        try:
            self._window.enter()
        except Stopped:
            self._budget.give(step.taken)
            raise
        uploads.submit(self._upload, step)

    def _upload(self, upload: Upload) -> None:
        started = perf_counter()
        try:
            outcome = upload.run()
        except BaseException as error:  # noqa: BLE001 - handed to whoever iterates
            self._budget.give(upload.taken)
            self._abort(error)
        else:
            self._judge(outcome, perf_counter() - started)
            self._backlog.take(outcome.taken)
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
                    self._backlog.give(min(outcome.taken, BACKLOG_BYTES))
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


class _Source:
    """The items, for several threads to take from."""

    def __init__(self, items: Iterable[WorkItem | None]) -> None:
        self._items = iter(items)
        self._taking = threading.Lock()
        self._error: BaseException | None = None

    def take(self, count: int, window: Window) -> list[WorkItem] | None:
        """Return some of the next items, None when there are no more. Raises Stopped, and what the items raise."""
        group: list[WorkItem] = []
        with self._taking:
            while len(group) < count:
                if window.stopped:
                    raise Stopped
                item = self._next()
                if isinstance(item, WorkItem):
                    group.append(item)
                elif item is not None or group:
                    break
            if not group and self._error is not None:
                raise self._error
        return group or None

    def _next(self) -> object:
        try:
            return _END if self._error else next(self._items, _END)
        except BaseException as error:  # noqa: BLE001 - raised once what came before it was handed out
            self._error = error
            return _END
