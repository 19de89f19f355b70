"""Bounded concurrency over a lazy sequence. Nothing here knows what the work is."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


def run_bounded(work: Callable[[Item], Outcome], items: Iterable[Item], *, concurrency: int) -> list[Outcome]:
    """The outcome of every item, in the items' order, with at most `concurrency` items pulled and not yet done.

    There is no barrier: the next item starts when any one is done. `work` must not raise. If the iterable itself
    raises, that is raised after the work in flight is done.
    """
    if concurrency < 1:
        raise ValueError("concurrency must be at least 1")
    slots = BoundedSemaphore(concurrency)
    futures: list[Future[Outcome]] = []
    iterator = iter(items)
    with ThreadPoolExecutor(concurrency, thread_name_prefix="upload") as pool:
        while True:
            # A slot before the item: one that waited outside would be one more image in memory.
            slots.acquire()
            try:
                item = next(iterator)
            except StopIteration:
                break
            future = pool.submit(work, item)
            future.add_done_callback(lambda _: slots.release())
            futures.append(future)
            del item
    return [future.result() for future in futures]
