"""Cutting a sequence into groups that one short transaction can hold."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

# One write transaction of the app's table. The app's busy timeout is 0: what counts for it is how much of the time the
# table is locked, and there each transaction adds the disk's fsyncs (3 of 4 ms in a rollback journal) to what writing
# the rows takes. SQLite writes a changed row anew, payload and all (3.4 MB in 20 ms); 50 ms are a lock at the longest.
SWITCH_ROWS = 50
SWITCH_BYTES = 4 * 1024 * 1024


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
