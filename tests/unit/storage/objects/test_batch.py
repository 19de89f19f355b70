from threading import Barrier, Event, Lock

import pytest

from z_interact_assets.storage.objects.batch import run_bounded


def test_outcomes_keep_the_order_of_the_items_though_the_first_finishes_last():
    others_done = Event()

    def work(item: int) -> int:
        if item == 0:
            assert others_done.wait(5)
        if item == 9:
            others_done.set()
        return item * 10

    assert run_bounded(work, range(10), concurrency=2) == [item * 10 for item in range(10)]


def test_as_many_items_run_at_once_as_allowed():
    together = Barrier(4, timeout=5)
    assert run_bounded(lambda _: together.wait() >= 0, range(8), concurrency=4) == [True] * 8


def test_no_more_items_are_pulled_than_may_be_in_flight():
    lock, pulled, done, most = Lock(), 0, 0, 0

    def items():
        nonlocal pulled, most
        for number in range(50):
            with lock:
                pulled += 1
                most = max(most, pulled - done)
            yield number

    def work(item: int) -> int:
        nonlocal done
        with lock:
            done += 1
        return item

    assert len(run_bounded(work, items(), concurrency=3)) == 50
    assert most <= 3


def test_nothing_to_do_is_an_empty_result():
    assert run_bounded(str, (), concurrency=1) == []


def test_a_concurrency_below_one_is_a_mistake():
    with pytest.raises(ValueError, match="concurrency"):
        run_bounded(str, (), concurrency=0)


def test_an_iterable_that_fails_is_raised_after_the_work_in_flight():
    finished = []

    def items():
        yield 1
        raise LookupError

    with pytest.raises(LookupError):
        run_bounded(finished.append, items(), concurrency=2)
    assert finished == [1]
