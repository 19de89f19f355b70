"""The stream: items in, settled outcomes out, with a window of uploads and no barrier anywhere.

carrier: read → window → upload threads → carrier: settle → whoever iterates. Batches mean nothing here: the next image
starts as soon as there is room, whichever batch it is of.

One thread, the carrier, does all that is not waiting for R2, what is to be settled first; it alone has the state.
Threads for reading and for settling only took the GIL from each other: measured with images of 50 KB on 2 cores, 400
images a second at 3.0 ms of CPU each with them, 510 at 2.2 ms with the carrier alone.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from time import perf_counter

from z_interact_assets.core.errors import StorageUnavailableError, TableUnavailableError
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.records import WorkItem
from z_interact_assets.execution.memory import few_arenas
from z_interact_assets.execution.stream import GROUP_WAIT_S
from z_interact_assets.migrate.flow import ByteBudget, Limiter, Stopped
from z_interact_assets.migrate.outcomes import Outcome

GROUP_ITEMS = 500
GROUP_BYTES = 16 * 1024 * 1024  # of texts that are held until they are written
MAX_THREADS = 128
_WAKE_S = 0.2
_TAKEN_AT_ONCE = 16  # items; what is asked once a group costs less an image
_OUTAGE_FAILURES = 16  # so many failures in a row, each after all retries, are an outage
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


@dataclass(frozen=True, slots=True)
class _Sent:
    """How an upload ended, and after how many seconds."""

    result: Outcome | BaseException
    taken: int
    seconds: float


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
        max_threads: int = MAX_THREADS,
    ) -> None:
        self._work = work
        self._settle = settle
        self._limiter = limiter
        self._budget = budget
        self._stop = stop
        self._uploads = ThreadPoolExecutor(max_threads, thread_name_prefix="upload")
        self._sent: queue.SimpleQueue[_Sent] = queue.SimpleQueue()
        self._settled: queue.SimpleQueue[list[Outcome] | None] = queue.SimpleQueue()
        self._abandoned = False
        # The carrier's own.
        self._reading = True
        self._ready: deque[Upload] = deque()  # read, and waiting for the window
        self._in_flight = 0
        self._group: list[Outcome] = []
        self._group_bytes = 0
        self._due = float("inf")
        self._failures = 0
        self._table_failures = 0
        self._fatal: BaseException | None = None
        self._unsettled = False
        self._late: BaseException | None = None  # raised by the items, after some that are still to be done

    @property
    def in_flight(self) -> int:
        """How many uploads are under way now."""
        return self._in_flight

    def stream(self, items: Iterable[WorkItem | None]) -> Iterator[list[Outcome]]:
        """Yield groups of settled outcomes as they come, and an empty one now and then while none do.

        An item that is None means: none at the moment, ask again.
        Ends when all items are settled, or, after a stop, a fatal error or an outage, when all that was in flight is.
        Then the error is raised. Abandoning the iterator stops it in the same way.
        """
        few_arenas()
        carrier = threading.Thread(target=self._carry, args=(iter(items),), name="carrier")
        carrier.start()
        try:
            while (group := self._next_group()) is not None:
                yield group
        finally:
            self._abandoned = True
            carrier.join()
        if self._fatal is not None:
            raise self._fatal

    def _next_group(self) -> list[Outcome] | None:
        try:
            # Waking up now and then lets Python's signal handlers through.
            return self._settled.get(timeout=_WAKE_S)
        except queue.Empty:
            return []

    def _carry(self, items: Iterator[WorkItem | None]) -> None:
        self._budget.wait_by(self._make_room)
        try:
            with self._uploads:
                while self._step(items):
                    pass
        except BaseException as error:  # noqa: BLE001 - handed to whoever iterates
            self._abort(error)
        finally:
            self._settled.put(None)

    @property
    def _stopped(self) -> bool:
        return self._abandoned or self._fatal is not None or self._stop.is_set()

    def _step(self, items: Iterator[WorkItem | None]) -> bool:
        """Do what is most urgent, or wait for what is in flight; False when all is over."""
        self._receive()
        if self._is_due():
            self._write()
        elif self._let_in() and self._reading:
            self._read(items)
        elif self._in_flight:
            self._receive(until=self._due)
        elif self._group:
            self._write()
        else:
            return False
        return True

    def _is_due(self) -> bool:
        return len(self._group) >= GROUP_ITEMS or self._group_bytes >= GROUP_BYTES or perf_counter() >= self._due

    def _let_in(self) -> bool:
        """Send what is ready while the window has room; tell whether all could be. After a stop it is let go."""
        if self._stopped:
            self._reading = False
            while self._ready:
                self._budget.give(self._ready.popleft().taken)
        while self._ready and self._in_flight < self._limiter.limit:
            self._in_flight += 1
            self._uploads.submit(self._upload, self._ready.popleft())
        return not self._ready

    def _read(self, items: Iterator[WorkItem | None]) -> None:
        try:
            group = self._take(items)
            with closing(self._work(group)) as steps:
                for step in steps:
                    if isinstance(step, Outcome):
                        self._ended(step)
                    else:
                        self._ready.append(step)
                    self._pass_on()
        except Stopped:
            pass
        except BaseException as error:  # noqa: BLE001 - handed to whoever iterates
            self._abort(error)

    def _pass_on(self) -> None:
        """Let in what was read, settling meanwhile: no more is held ready than one image."""
        self._receive()
        while True:
            if self._is_due():
                self._write()
            if self._let_in():
                return
            self._receive(until=self._due)

    def _take(self, items: Iterator[WorkItem | None]) -> list[WorkItem]:
        """Return some of the next items, none when there is none at the moment. Raises what the items raise."""
        if self._late is not None:
            raise self._late
        group: list[WorkItem] = []
        try:
            while len(group) < _TAKEN_AT_ONCE and isinstance(item := next(items), WorkItem):
                group.append(item)
        except StopIteration:
            self._reading = False
        except BaseException as error:
            if not group:
                raise
            self._late = error
        return group

    def _make_room(self) -> None:
        """Give bytes back to the budget, which has too few for the next image. Raises Stopped."""
        self._let_in()
        if self._stopped:
            raise Stopped
        if self._in_flight:
            self._receive(until=float("inf"))
        elif not self._group:
            raise RuntimeError("Bytes of the budget were not given back.")
        self._write()

    def _upload(self, upload: Upload) -> None:
        started, taken = perf_counter(), upload.taken
        try:
            result: Outcome | BaseException = upload.run()
        except BaseException as error:  # noqa: BLE001 - handed to whoever iterates
            result = error
        self._sent.put(_Sent(result, taken, perf_counter() - started))

    def _receive(self, until: float | None = None) -> None:
        """Take what was sent: all there is, or, waiting for it, the first."""
        wait = None if until in (None, float("inf")) else max(0.0, until - perf_counter())
        with suppress(queue.Empty):
            self._judge(self._sent.get(block=until is not None, timeout=wait))
            while True:
                self._judge(self._sent.get_nowait())

    def _judge(self, sent: _Sent) -> None:
        self._in_flight -= 1
        outcome = sent.result
        if isinstance(outcome, BaseException):
            self._budget.give(sent.taken)
            self._abort(outcome)
            return
        self._ended(outcome)
        if not isinstance(outcome.error, StorageUnavailableError):
            self._failures = 0
            if outcome.final.state is ItemState.PUBLISHED:
                self._limiter.completed(sent.seconds)
            return
        self._failures += 1
        if self._failures >= max(_OUTAGE_FAILURES, 2 * self._limiter.limit):
            self._abort(
                StorageUnavailableError(
                    f"R2 has stopped answering: {outcome.error.message}",
                    remedy="What was finished is recorded; run the same command again when it is back.",
                )
            )

    def _ended(self, outcome: Outcome) -> None:
        if not self._group:
            self._due = perf_counter() + GROUP_WAIT_S
        self._group.append(outcome)
        self._group_bytes += outcome.taken

    def _write(self) -> None:
        group, self._group, self._group_bytes, self._due = self._group, [], 0, float("inf")
        try:
            if not self._unsettled:
                self._settle(group)
                self._settled.put(group)
                self._watch_the_table(group)
        except BaseException as error:  # noqa: BLE001 - handed to whoever iterates
            self._fatal, self._unsettled = error, True  # ledger or table: nothing more may be settled
        finally:
            for outcome in group:
                self._budget.give(outcome.taken)

    def _watch_the_table(self, group: Sequence[Outcome]) -> None:
        """End the run when the app's table stays out of reach: uploading on would only fill the bucket."""
        error = next((outcome.error for outcome in group if isinstance(outcome.error, TableUnavailableError)), None)
        self._table_failures = 0 if error is None else self._table_failures + 1
        if error is not None and self._table_failures >= _TABLE_OUTAGE_GROUPS:
            self._abort(error)

    def _abort(self, error: BaseException) -> None:
        self._fatal = self._fatal or error
