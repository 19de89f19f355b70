"""A sliding window of work over a lazy sequence, bounded in number and in weight. What the work is does not matter."""

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


def slide(
    work: Callable[[Item], Outcome],
    items: Iterable[Item],
    *,
    concurrency: int,
    weigh: Callable[[Item], int],
    max_weight: int,
    stop: Callable[[], bool],
) -> Generator[Outcome, None, None]:
    """Yield outcomes as they come. There is no barrier: the next item starts as soon as there is room for it.

    What weighs more than `max_weight` runs alone. Once `stop` says so no item starts; those in flight are still
    yielded. What `work` or `items` raise is raised once all that was in flight has ended; closing the iterator waits
    for it, too.
    """
    if concurrency < 1:
        raise ValueError("concurrency must be at least 1")
    in_flight: dict[Future[Outcome], int] = {}
    with ThreadPoolExecutor(concurrency, thread_name_prefix="validate") as pool:
        for item in items:
            weight = min(weigh(item), max_weight)
            while len(in_flight) >= concurrency or sum(in_flight.values()) + weight > max_weight:
                yield from _ended(in_flight)
            if stop():
                break
            in_flight[pool.submit(work, item)] = weight
        while in_flight:
            yield from _ended(in_flight)


def _ended(in_flight: dict[Future[Outcome], int]) -> Iterator[Outcome]:
    """Wait for at least one and yield all that have ended."""
    for future in wait(in_flight, return_when=FIRST_COMPLETED).done:
        del in_flight[future]
        yield future.result()
