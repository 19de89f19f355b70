"""How far a run is. Numbers only; how they are shown is the caller's."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A moment of a run: images done of total, bytes uploaded, seconds since the start, uploads in flight.

    `waiting_for` names the runs that have in hand what is left for this one. A run without uploads has no `window`;
    one that does several things in turn tells its `stage`.
    """

    done: int
    total: int
    bytes: int
    seconds: float
    in_flight: int
    window: int
    waiting_for: str = ""
    stage: str = ""

    @property
    def rate(self) -> float:
        """Images a second since the start."""
        return self.done / self.seconds if self.seconds > 0 else 0.0

    @property
    def eta_seconds(self) -> float | None:
        """Seconds to the end at the present rate, None before there is one."""
        return (self.total - self.done) / self.rate if self.rate > 0 else None

    def __str__(self) -> str:
        if self.waiting_for:
            return f"{self.done:,} of {self.total:,} images; the rest is in the hands of {self.waiting_for}"
        eta = "" if self.eta_seconds is None else f", {self.eta_seconds:.0f} s to go"
        uploads = f" ({self.in_flight} of {self.window} uploads in flight)" if self.window else ""
        done = f"{self.done:,} of {self.total:,} images, {self.bytes / 1e6:,.1f} MB"
        return f"{done}, {self.rate:,.1f} images/s{eta}{uploads}"


ProgressListener = Callable[[Progress], None]


def ignore_progress(_: Progress) -> None:
    """Listen to nothing."""
