"""Cutting a sequence into groups that one short transaction can hold."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

# One write transaction of the app's table: short enough that the app, whose busy timeout is 0, hardly meets it. SQLite
# writes a changed row anew, payload and all (3.4 MB in 20 ms), and between two rows the lock waits for our threads.
SWITCH_ROWS = 20
SWITCH_BYTES = 1024 * 1024


def grouped(
    items: Iterable[Item], *, weigh: Callable[[Item], int], max_items: int, max_weight: int
) -> Iterator[list[Item]]:
    """Yield groups in order; what is heavier than a whole group may be is one by itself."""
    group: list[Item] = []
    weight = 0
    for item in items:
        size = weigh(item)
        if group and (len(group) == max_items or weight + size > max_weight):
            yield group
            group, weight = [], 0
        group.append(item)
        weight += size
    if group:
        yield group
