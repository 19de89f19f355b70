"""Batches as ranges: as few as sensible, none too long, all covered."""

from hypothesis import given
from hypothesis import strategies as st

from z_interact_assets.core.planning import batch_key
from z_interact_assets.core.ranges import MAX_GAP, batch_ranges

NUMBERS = st.sets(st.integers(min_value=1, max_value=3_000), max_size=60)


def test_neighbours_and_small_gaps_make_one_range():
    assert batch_ranges(["b000003", "b000001", "b000002", "b000009"]) == [("b000001", "b000009")]


def test_a_large_gap_is_not_carried_through_again():
    assert batch_ranges(["b000001", batch_key(MAX_GAP + 2)]) == [("b000001", batch_key(MAX_GAP + 2))]
    assert batch_ranges(["b000001", batch_key(MAX_GAP + 3)]) == [
        ("b000001", "b000001"),
        (batch_key(MAX_GAP + 3), batch_key(MAX_GAP + 3)),
    ]


def test_nothing_needs_no_range():
    assert batch_ranges([]) == []


@given(NUMBERS, st.none() | st.integers(min_value=1, max_value=50))
def test_every_batch_is_in_exactly_one_range_and_none_is_too_long(numbers: set[int], longest: int | None):
    ranges = [(int(first[1:]), int(last[1:])) for first, last in batch_ranges(map(batch_key, numbers), longest=longest)]

    for number in numbers:
        assert sum(first <= number <= last for first, last in ranges) == 1
    assert all(first in numbers and last in numbers for first, last in ranges)
    assert all(longest is None or last - first < longest for first, last in ranges)
    assert ranges == sorted(ranges)
