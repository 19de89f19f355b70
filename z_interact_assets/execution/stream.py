"""Work over a lazy sequence, many items at once, its outcomes in groups. What the work is does not matter.

Each worker pulls its next item itself, so there is no barrier and nobody waits for whoever takes the outcomes, until
so many are finished and not taken that memory would grow.
"""

import queue
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Generic, TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

GROUP_WAIT_S = 0.05  # how long a finished outcome may wait for company


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What may be in hand at once: so many items in work, and as many that wait to be taken; so much weight in all.

    What weighs more than `max_weight` is in hand alone.
    """

    concurrency: int
    max_weight: int

    def __post_init__(self) -> None:
        if self.concurrency < 1:
            raise ValueError("concurrency must be at least 1")


class Stream(Generic[Item, Outcome]):
    """One pass over items; use once. `work` and `weigh` are called by many threads, items are pulled by one at a time.

    An item that is None means: none at the moment, ask again. Once `stop` says so no item starts.
    """

    def __init__(
        self,
        work: Callable[[Item], Outcome],
        items: Iterable[Item | None],
        *,
        room: Room,
        weigh: Callable[[Item], int],
        stop: Callable[[], bool],
    ) -> None:
        self._work = work
        self._items = iter(items)
        self._weigh = weigh
        self._stop = stop
        self._room = room
        self._pulling = threading.Lock()
        self._budget = threading.Condition()
        self._held = 0
        # Bounded: where taking is the slowest part, workers wait with what they have instead of piling it up.
        self._finished: queue.Queue[tuple[Outcome, int] | None] = queue.Queue(room.concurrency)
        self._workers: list[threading.Thread] = []
        self._working = 0
        self._ended = False
        self._error: BaseException | None = None

    def groups(
        self, *, max_items: int, weigh: Callable[[Outcome], int] = lambda _: 0, max_weight: int = 1
    ) -> Generator[list[Outcome], None, None]:
        """Yield outcomes as they come, as many as there are within GROUP_WAIT_S, up to a number and a weight.

        What is heavier than a whole group may be is one by itself. What `work` or `items` raise is raised once all
        that was in work has ended and been yielded; closing the iterator waits for it, too.
        """
        self._add_worker()
        group: list[Outcome] = []
        weight, until = 0, 0.0
        try:
            while (taken := self._take(until if group else None)) is not None:
                for outcome in taken:
                    size = weigh(outcome)
                    if group and weight + size > max_weight:
                        yield group
                        group, weight = [], 0
                    if not group:
                        until = monotonic() + GROUP_WAIT_S
                    group.append(outcome)
                    weight += size
                if group and (not taken or len(group) == max_items):
                    yield group
                    group, weight = [], 0
            if group:
                yield group
        finally:
            self._close()
        if self._error is not None:
            raise self._error

    def _take(self, until: float | None) -> list[Outcome] | None:
        """Wait for one outcome; an empty list when it is too late for one, None after the last."""
        try:
            found = self._finished.get(timeout=None if until is None else max(0.0, until - monotonic()))
        except queue.Empty:
            return []
        if found is None:
            return None
        outcome, weight = found
        self._give(weight)
        return [outcome]

    def _run(self) -> None:
        try:
            first = True
            while (pulled := self._pull()) is not None:
                if first and len(self._workers) < self._room.concurrency:
                    self._add_worker()
                first = False
                item, weight = pulled
                self._finished.put((self._work(item), weight))
                del item, pulled
        except BaseException as error:  # noqa: BLE001 - handed to whoever takes the outcomes
            self._fail(error)
        with self._budget:
            self._working -= 1
            last = not self._working
        if last:
            self._finished.put(None)

    def _pull(self) -> tuple[Item, int] | None:
        """Take the next item and room for it; None when there is none any more."""
        with self._pulling:
            for item in self._items:
                if self._ended or self._stop():
                    break
                if item is None:
                    continue
                weight = min(self._weigh(item), self._room.max_weight)
                self._reserve(weight)
                if self._ended or self._stop():
                    break
                return item, weight
            self._ended = True
        return None

    def _reserve(self, weight: int) -> None:
        with self._budget:
            self._budget.wait_for(lambda: self._ended or self._held + weight <= self._room.max_weight)
            self._held += weight

    def _give(self, weight: int) -> None:
        with self._budget:
            self._held -= weight
            self._budget.notify_all()

    def _add_worker(self) -> None:
        worker = threading.Thread(target=self._run, name=f"worker-{len(self._workers) + 1}")
        self._workers.append(worker)
        with self._budget:
            self._working += 1
        worker.start()

    def _fail(self, error: BaseException) -> None:
        with self._budget:
            self._error = self._error or error
            self._ended = True
            self._budget.notify_all()

    def _close(self) -> None:
        with self._budget:
            self._ended = True
            self._budget.notify_all()
        while any(worker.is_alive() for worker in self._workers):
            with suppress(queue.Empty):  # makes room for those that wait with what they have
                self._finished.get(timeout=0.01)
        for worker in self._workers:
            worker.join()
