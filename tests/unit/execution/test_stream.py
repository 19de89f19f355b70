from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from threading import Barrier, Event, Lock
from time import monotonic
from typing import Any

import pytest

from z_interact_assets.execution.stream import Room, Stream


def stream_of(
    work: Callable[..., Any],
    items: Iterable[Any],
    *,
    concurrency: int = 4,
    weigh: Callable[[Any], int] = lambda _: 0,
    max_weight: int = 10,
    stop: Callable[[], bool] = lambda: False,
) -> Stream[Any, Any]:
    return Stream(work, items, room=Room(concurrency=concurrency, max_weight=max_weight), weigh=weigh, stop=stop)


def all_of(work: Callable[..., Any], items: Iterable[Any], **options: Any) -> list[Any]:
    return [outcome for group in stream_of(work, items, **options).groups(max_items=3) for outcome in group]


def test_every_item_has_its_outcome():
    assert sorted(all_of(lambda item: item * 2, range(100))) == [item * 2 for item in range(100)]


def test_as_many_run_at_once_as_allowed():
    together = Barrier(4, timeout=5)
    assert len(all_of(lambda _: together.wait(), range(8))) == 8


def test_none_waits_for_one_that_takes_long_nor_for_whoever_takes_the_outcomes():
    fourth = Event()

    def work(item: int) -> int:
        if item == 0:
            assert fourth.wait(5)
        elif item == 3:
            fourth.set()
        return item

    with closing(stream_of(work, range(10), concurrency=2).groups(max_items=1)) as groups:
        assert next(groups) == [1]
        assert fourth.wait(5)  # two more began while nobody took their outcomes, and the first was not done yet
        assert sorted(outcome for group in groups for outcome in group) == [0, *range(2, 10)]


def test_the_weight_in_hand_stays_within_its_bound_and_a_giant_runs_alone():
    lock, now, most = Lock(), 0, 0

    def work(weight: int) -> int:
        nonlocal now, most
        with lock:
            now += weight
            most = max(most, now)
            alone = now == weight
        with lock:
            now -= weight
        return weight if weight < 50 or alone else -1

    weights = [4, 4, 4, 50, 4, 6, 1, 3]
    assert sorted(all_of(work, weights, weigh=lambda weight: weight)) == sorted(weights)
    assert most <= 50


def test_heavy_items_do_not_run_beside_each_other():
    together = Barrier(2, timeout=0.05)

    def work(_: int) -> bool:
        try:
            together.wait()
        except Exception:  # noqa: BLE001 - a broken barrier: nobody came
            return False
        return True

    assert not any(all_of(work, range(3), weigh=lambda _: 6))


def test_an_outcome_that_is_not_taken_keeps_its_weight():
    pulled: list[int] = []

    def items() -> Iterator[int]:
        for item in range(10):
            pulled.append(item)
            yield item

    with closing(stream_of(lambda item: item, items(), weigh=lambda _: 4).groups(max_items=1)) as groups:
        next(groups)
        assert len(pulled) <= 4  # one taken, two in hand, one that waits for room


def test_no_more_is_pulled_than_may_be_in_hand():
    pulled: list[int] = []

    def items() -> Iterator[int]:
        for item in range(1_000):
            pulled.append(item)
            yield item

    with closing(stream_of(lambda item: item, items(), concurrency=2).groups(max_items=1)) as groups:
        next(groups)
        assert len(pulled) <= 1 + 2 + 2  # taken, finished, in work


def test_a_group_has_no_more_items_and_no_more_weight_than_it_may():
    weights = [1, 2, 3, 9, 30, 1, 1, 1, 1, 1]
    groups = list(stream_of(lambda item: item, weights, concurrency=1).groups(
        max_items=3, weigh=lambda weight: weight, max_weight=10
    ))  # fmt: skip
    assert [outcome for group in groups for outcome in group] == weights
    assert all(len(group) <= 3 and (sum(group) <= 10 or len(group) == 1) for group in groups)


def test_what_is_finished_is_not_kept_waiting_for_a_group_to_fill():
    taken = Event()

    def items() -> Iterator[int | None]:
        yield 1
        until = monotonic() + 5
        while not taken.is_set() and monotonic() < until:
            yield None  # none at the moment
        yield 2

    groups = stream_of(lambda item: item, items()).groups(max_items=100)
    assert next(groups) == [1]
    taken.set()
    assert list(groups) == [[2]]


def test_after_a_stop_no_item_starts():
    done: list[int] = []
    all_of(done.append, range(10), concurrency=1, stop=lambda: len(done) >= 3)
    assert done == [0, 1, 2]


def test_what_the_work_raises_is_raised_after_what_was_finished():
    groups = stream_of(lambda item: 1 // item, [1, 0, 1], concurrency=1).groups(max_items=1)
    assert next(groups) == [1]
    with pytest.raises(ZeroDivisionError):
        list(groups)


def test_what_the_items_raise_is_raised():
    def items() -> Iterator[int]:
        yield 1
        raise LookupError

    groups = stream_of(lambda item: item, items()).groups(max_items=1)
    assert next(groups) == [1]
    with pytest.raises(LookupError):
        next(groups)


def test_closing_waits_for_what_is_in_work_and_starts_no_more():
    begun, ended = [], []

    def work(item: int) -> int:
        begun.append(item)
        ended.append(item)
        return item

    groups = stream_of(work, iter(range(100_000)), concurrency=8).groups(max_items=1)
    next(groups)
    groups.close()
    assert sorted(begun) == sorted(ended)
    assert len(begun) < 1_000


def test_a_room_for_none_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        Room(concurrency=0, max_weight=1)
