"""What is measured: a data set under a latency, written `small-50ms`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bench.datasets import Portion
from bench.errors import BenchError
from bench.server import Jitter, Latency

SMALL = Portion(count=5_000, size=50_000)
LARGE = Portion(count=400, size=1_600_000)
DEFAULT = ("small-50ms", "large-200ms")
FULL = ("small-50ms", "small-0ms", "large-0ms", "large-50ms", "large-200ms", "mix-50ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    name: str
    data: str
    latency: Latency


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The data sets: many small images, few large ones, and half of each."""

    small: Portion = SMALL
    large: Portion = LARGE

    def portions(self, data: str) -> tuple[Portion, ...]:
        mix = tuple(Portion(count=max(1, one.count // 2), size=one.size) for one in (self.small, self.large))
        return {"small": (self.small,), "large": (self.large,), "mix": mix}[data]


def parse_scenario(text: str, *, jitter: Jitter = "none", jitter_ms: float = 0.0, seed: int = 7) -> Scenario:
    """`small-50ms` as a scenario (BenchError)."""
    found = re.fullmatch(r"(small|large|mix)-(\d+(?:\.\d+)?)ms", text)
    if found is None:
        raise BenchError(f"{text} is no scenario", remedy="Write small, large or mix and a latency: small-50ms.")
    latency = Latency(ms=float(found[2]), jitter=jitter, jitter_ms=jitter_ms, seed=seed)
    return Scenario(name=text, data=found[1], latency=latency)


def parse_portion(text: str) -> Portion:
    """`5000x50KB` as a portion (BenchError); bytes, KB or MB, in thousands."""
    found = re.fullmatch(r"(\d+)x(\d+(?:\.\d+)?)(B|KB|MB)?", text.replace(" ", ""), re.IGNORECASE)
    units: Mapping[str, int] = {"": 1, "b": 1, "kb": 1_000, "mb": 1_000_000}
    if found is None or not int(found[1]):
        raise BenchError(f"{text} is no size of a data set", remedy="Write a number and a size: 5000x50KB.")
    return Portion(count=int(found[1]), size=int(float(found[2]) * units[(found[3] or "").lower()]))
