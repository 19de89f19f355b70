from threading import Barrier, Lock

import pytest

from z_interact_assets.execution.window import slide


def all_of(work, items, *, concurrency=4, weigh=lambda _: 0, max_weight=10, stop=lambda: False):
    return list(slide(work, items, concurrency=concurrency, weigh=weigh, max_weight=max_weight, stop=stop))


def test_every_item_has_its_outcome():
    assert sorted(all_of(lambda item: item * 2, range(100))) == [item * 2 for item in range(100)]


def test_as_many_run_at_once_as_allowed():
    together = Barrier(4, timeout=5)
    assert len(all_of(lambda _: together.wait(), range(8))) == 8


def test_the_weight_in_flight_stays_within_its_bound_and_a_giant_runs_alone():
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


def test_no_item_is_pulled_before_there_is_room_for_the_one_ahead_of_it():
    pulled: list[int] = []

    def items():
        for item in range(10):
            pulled.append(item)
            yield item

    outcomes = slide(lambda item: item, items(), concurrency=2, weigh=lambda _: 0, max_weight=1, stop=lambda: False)
    next(outcomes)
    assert len(pulled) <= 3
    outcomes.close()


def test_after_a_stop_no_item_starts():
    done: list[int] = []
    all_of(done.append, range(10), concurrency=1, stop=lambda: len(done) >= 3)
    assert done == [0, 1, 2]


def test_what_the_work_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        all_of(lambda item: 1 // item, [1, 0, 1])


def test_a_window_of_none_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        all_of(lambda item: item, [1], concurrency=0)
