"""How much may be in flight: a window of uploads that adapts, and a budget of bytes. No I/O."""

import threading
from collections.abc import Callable
from statistics import median
from typing import Protocol

START_WINDOW = 5


class Stopped(Exception):  # noqa: N818 - not an error: somebody asked the run to stop
    """Raised instead of waiting on when the run is to stop."""


class Limiter(Protocol):
    """Decides how many uploads may be in flight."""

    @property
    def limit(self) -> int:
        """The present limit."""
        ...

    def completed(self, seconds: float) -> None:
        """Note one upload that succeeded after this time."""
        ...

    def throttled(self) -> None:
        """Note a 429 or 503."""
        ...


class FixedLimiter:
    """UPLOAD_CONCURRENCY as a number."""

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def completed(self, seconds: float) -> None:
        """Nothing adapts."""

    def throttled(self) -> None:
        """Nothing adapts."""


class AdaptiveLimiter:
    """UPLOAD_CONCURRENCY=auto: grows while more in flight brings more through, halves when that only takes longer.

    A round is as many completions as the window is wide. While a round's rate is at least 5 % over the best seen,
    the window grows: it doubles until a round brings no more for the first time, then grows by half. Where the rate no
    longer grows, the window stays, trying one more every tenth round; it halves where an image takes thrice as long as
    it once did without more of them coming through, and when the store says slow down.
    """

    _GAIN = 1.05
    _PROBE_ROUNDS = 10
    _SLOWER = 3.0

    def __init__(self, *, maximum: int, clock: Callable[[], float], start: int = START_WINDOW) -> None:
        self._maximum = maximum
        self._clock = clock
        self._lock = threading.Lock()
        self._limit = min(start, maximum)
        self._growth = 2.0
        self._best_rate = 0.0
        self._best_seconds = float("inf")
        self._rounds = 0
        self._round: list[float] = []
        self._round_started: float | None = None
        self._deaf_until = 0.0

    @property
    def limit(self) -> int:
        """The present width of the window."""
        return self._limit

    def completed(self, seconds: float) -> None:
        """Count one success; at the end of a round decide whether to widen."""
        with self._lock:
            now = self._clock()
            if self._round_started is None:
                self._round_started = now - seconds
            self._round.append(seconds)
            if len(self._round) >= max(self._limit, START_WINDOW):
                self._end_round(len(self._round) / max(now - self._round_started, 1e-6), median(self._round))
                self._round, self._round_started = [], now

    def throttled(self) -> None:
        """Halve, but once a second: one congestion makes many requests fail together."""
        with self._lock:
            now = self._clock()
            if now < self._deaf_until:
                return
            self._deaf_until = now + 1.0
            self._halve()
            self._round, self._round_started = [], None

    def _end_round(self, rate: float, seconds: float) -> None:
        self._rounds += 1
        self._best_seconds = min(self._best_seconds, seconds)
        if rate >= self._best_rate * self._GAIN:
            self._best_rate = rate
            self._limit = min(self._maximum, max(self._limit + 1, int(self._limit * self._growth)))
            return
        self._growth = 1.5
        if seconds > self._best_seconds * self._SLOWER:
            self._halve()
            # Where it is not the queue but the store that is slower now, narrower and narrower would not help.
            self._best_seconds = seconds / 2
        elif self._rounds % self._PROBE_ROUNDS == 0:
            self._limit = min(self._maximum, self._limit + 1)
            # A rate once reached must not bar growth for good; sunk below the present one, it would make that a gain.
            self._best_rate = max(rate, self._best_rate * 0.9)

    def _halve(self) -> None:
        self._limit = max(1, self._limit // 2)
        self._best_rate = 0.0


class ByteBudget:
    """MAX_IN_FLIGHT_BYTES: memory for payloads. What is larger than the whole budget gets all of it, alone.

    One thread takes, any gives back.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._used = 0
        self._make_room: Callable[[], None] | None = None
        self.peak = 0

    def wait_by(self, make_room: Callable[[], None]) -> None:
        """Have this called, again and again, while too little is left. It may raise instead."""
        self._make_room = make_room

    def take(self, amount: int) -> int:
        """Make room for the amount if need be; return what was taken, to be given back by `give`."""
        amount = min(amount, self._limit)
        while not self._fits(amount):
            if self._make_room is None:
                raise RuntimeError("Nobody gives bytes back.")
            self._make_room()
        return amount

    def _fits(self, amount: int) -> bool:
        with self._lock:
            fits = self._used + amount <= self._limit
            if fits:
                self._used += amount
                self.peak = max(self.peak, self._used)
            return fits

    def give(self, amount: int) -> None:
        """Give back what `take` returned, or a part of it."""
        with self._lock:
            self._used -= amount
