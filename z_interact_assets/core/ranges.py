"""Batches as ranges, for as few runs as sensible. Keys in, pairs of keys out."""

from collections.abc import Iterable

from z_interact_assets.core.planning import batch_key

# A batch that is done already costs a run about 20 ms of Dagster's bookkeeping, one more queued run three seconds.
MAX_GAP = 100


def batch_ranges(keys: Iterable[str], *, gap: int = MAX_GAP, longest: int | None = None) -> list[tuple[str, str]]:
    """Return ranges (first and last key) that hold all of the batches, and between two of them at most `gap` others.

    No range holds more than `longest` batches.
    """
    ranges: list[tuple[int, int]] = []
    for number in sorted({int(key[1:]) for key in keys}):
        first, last = ranges[-1] if ranges else (number, number)
        if ranges and number - last <= gap + 1 and (longest is None or number - first < longest):
            ranges[-1] = (first, number)
        else:
            ranges.append((number, number))
    return [(batch_key(first), batch_key(last)) for first, last in ranges]
