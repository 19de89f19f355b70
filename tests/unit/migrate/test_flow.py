"""The window that adapts and the budget of bytes; time is a number we set."""

import threading

import pytest

from z_interact_assets.migrate.flow import AdaptiveLimiter, ByteBudget, FixedLimiter, Limiter, Stopped


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def run_round(limiter: AdaptiveLimiter, clock: Clock, *, rate: float, seconds: float = 0.1) -> None:
    """As many completions as the window is wide, at so many a second; each took so long."""
    for _ in range(max(limiter.limit, 5)):
        clock.now += 1 / rate
        limiter.completed(seconds)


def test_the_window_starts_at_five_or_at_its_maximum(clock):
    assert AdaptiveLimiter(maximum=128, clock=clock).limit == 5
    assert AdaptiveLimiter(maximum=3, clock=clock).limit == 3


def test_the_window_doubles_while_more_in_flight_brings_more_through(clock):
    limiter = AdaptiveLimiter(maximum=256, clock=clock)
    widths = [limiter.limit]
    for _ in range(7):
        run_round(limiter, clock, rate=10.0 * limiter.limit)
        widths.append(limiter.limit)
    assert widths == [5, 10, 20, 40, 80, 160, 256, 256]


def test_the_window_grows_by_half_once_a_round_has_brought_no_more(clock):
    limiter = AdaptiveLimiter(maximum=256, clock=clock)
    widths = []
    for rate in (50.0, 50.0, 50.0, 100.0, 200.0):
        run_round(limiter, clock, rate=rate)
        widths.append(limiter.limit)
    assert widths == [10, 20, 20, 30, 45]


def test_the_window_halves_where_images_take_thrice_as_long_and_no_more_come_through(clock):
    limiter = AdaptiveLimiter(maximum=64, clock=clock, start=32)
    for _ in range(2):
        run_round(limiter, clock, rate=100.0)
    run_round(limiter, clock, rate=100.0, seconds=0.29)
    assert limiter.limit == 64
    run_round(limiter, clock, rate=100.0, seconds=0.31)
    assert limiter.limit == 32


def test_images_that_take_longer_are_no_reason_while_more_come_through(clock):
    limiter = AdaptiveLimiter(maximum=256, clock=clock, start=32)
    run_round(limiter, clock, rate=100.0)
    run_round(limiter, clock, rate=200.0, seconds=0.9)
    assert limiter.limit == 128


def test_a_store_that_has_become_slower_for_good_does_not_close_the_window(clock):
    limiter = AdaptiveLimiter(maximum=256, clock=clock, start=64)
    run_round(limiter, clock, rate=600.0)
    for _ in range(20):
        run_round(limiter, clock, rate=limiter.limit / 1.0, seconds=1.0)
    assert limiter.limit >= 64


def test_the_window_stays_where_the_rate_no_longer_grows(clock):
    limiter = AdaptiveLimiter(maximum=128, clock=clock)
    for _ in range(40):
        run_round(limiter, clock, rate=min(10.0 * limiter.limit, 150.0))
    assert 15 <= limiter.limit <= 45


def test_a_plateau_is_probed_now_and_then_and_left_when_there_is_more_again(clock):
    limiter = AdaptiveLimiter(maximum=128, clock=clock)
    for _ in range(8):
        run_round(limiter, clock, rate=100.0)
    width = limiter.limit
    for _ in range(40):
        run_round(limiter, clock, rate=90.0)
    assert width < limiter.limit <= width + 8
    for _ in range(30):
        run_round(limiter, clock, rate=10.0 * limiter.limit)
    assert limiter.limit == 128


def test_throttling_halves_the_window_once_a_second(clock):
    limiter = AdaptiveLimiter(maximum=128, clock=clock, start=64)
    for _ in range(20):  # one congestion, seen by many requests
        limiter.throttled()
    assert limiter.limit == 32
    clock.now += 0.999
    limiter.throttled()
    assert limiter.limit == 32
    clock.now += 0.002
    limiter.throttled()
    assert limiter.limit == 16


def test_the_window_never_closes(clock):
    limiter = AdaptiveLimiter(maximum=128, clock=clock)
    for _ in range(10):
        clock.now += 2
        limiter.throttled()
    assert limiter.limit == 1


def test_after_throttling_the_window_grows_again(clock):
    limiter = AdaptiveLimiter(maximum=128, clock=clock, start=64)
    limiter.throttled()
    for _ in range(3):
        run_round(limiter, clock, rate=10.0 * limiter.limit)
    assert limiter.limit > 64


def test_a_fixed_window_does_not_adapt(clock):
    limiter: Limiter = FixedLimiter(7)
    for _ in range(100):
        limiter.completed(0.001)
        limiter.throttled()
    assert limiter.limit == 7


def test_bytes_are_made_room_for_until_enough_are_given_back():
    budget, asked = ByteBudget(100), []

    def make_room() -> None:
        asked.append(budget.peak)
        budget.give(5)

    budget.wait_by(make_room)
    assert budget.take(60) == 60
    assert budget.take(50) == 50
    assert (len(asked), budget.peak) == (2, 100)


def test_what_is_larger_than_the_budget_gets_all_of_it_alone():
    budget = ByteBudget(100)
    budget.wait_by(lambda: budget.give(1))
    assert budget.take(1) == 1
    assert budget.take(5_000) == 100
    budget.give(100)
    assert budget.take(0) == 0


def test_a_wait_may_be_ended_by_an_error():
    def stop() -> None:
        raise Stopped

    budget = ByteBudget(100)
    budget.wait_by(stop)
    budget.take(60)
    with pytest.raises(Stopped):
        budget.take(50)
    assert budget.take(40) == 40


def test_bytes_may_be_given_back_by_many_threads():
    budget = ByteBudget(1_000_000)
    budget.take(1_000_000)

    def give() -> None:
        for _ in range(10_000):
            budget.give(25)

    threads = [threading.Thread(target=give) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert budget.take(1_000_000) == 1_000_000
