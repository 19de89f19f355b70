"""The goals, as ratios within one run, and whether a run reached them. One whose scenario was not run is left out."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]
_RSS_MB = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    goal: str
    scenario: str
    wanted: str
    value: float
    spread: str
    reached: bool


@dataclass(frozen=True, slots=True)
class _Faster:
    """`migrate` at least so many times as fast as a rival."""

    rival: str
    scenario: str
    least: float

    def judge(self, scenario: Document) -> Verdict | None:
        ours = _contender(scenario, "migrate")
        ratio = (ours or {}).get("ratios", {}).get(self.rival)
        if ratio is None:
            return None
        return Verdict(
            goal=f"migrate against {self.rival}",
            scenario=self.scenario,
            wanted=f"≥ {self.least:g}",
            value=ratio["median"],
            spread=f"{ratio['lowest']:.2f} to {ratio['highest']:.2f}",
            reached=ratio["median"] >= self.least,
        )


_FASTER = (
    _Faster("s5cmd", "small-50ms", 1.2),
    _Faster("s5cmd", "large-0ms", 0.95),
    _Faster("s5cmd", "large-200ms", 0.95),
    _Faster("rclone", "small-50ms", 1.5),
    _Faster("rclone", "large-200ms", 1.0),
    _Faster("old", "small-50ms", 80),
    _Faster("old", "large-50ms", 10),
    _Faster("old", "large-200ms", 20),
)


def judge(document: Document) -> list[Verdict]:
    """Return every goal that can be judged by what was run."""
    scenarios = {scenario["scenario"]: scenario for scenario in document.get("scenarios", ())}
    found = [goal.judge(scenarios[goal.scenario]) for goal in _FASTER if goal.scenario in scenarios]
    for name, scenario in scenarios.items():
        found += [rule(name, scenario) for rule in _RULES]
    if growth := document.get("growth"):
        found += _of_growth(growth)
    return [verdict for verdict in found if verdict is not None]


def _dagster(name: str, scenario: Document) -> Verdict | None:
    ours = _contender(scenario, "migrate")
    if ours is None or "service" not in ours["ratios"] or name != "small-50ms":
        return None
    ratio = ours["ratios"]["service"]
    return Verdict(
        goal=f"time of migrate against the bare service, {scenario['images']:,} rows",
        scenario=name,
        wanted="≤ 1.10",
        value=1 / ratio["median"],
        spread=f"{1 / ratio['highest']:.2f} to {1 / ratio['lowest']:.2f}",
        reached=1 / ratio["median"] <= 1.10,
    )


def _memory(name: str, scenario: Document) -> Verdict | None:
    ours = _contender(scenario, "migrate")
    if ours is None:
        return None
    value = ours["tree_rss_mb"]
    return Verdict(
        goal="peak RSS of migrate, MB",
        scenario=name,
        wanted=f"< {_RSS_MB}",
        value=value,
        spread="",
        reached=value < 250,
    )


def _cpu(name: str, scenario: Document) -> Verdict | None:
    ours, theirs = _contender(scenario, "migrate"), _contender(scenario, "s5cmd")
    if ours is None or theirs is None or not name.startswith("large"):
        return None
    value = ours["cpu_s_gb"] / theirs["cpu_s_gb"]
    return Verdict(
        goal="CPU seconds a GB against s5cmd's",
        scenario=name,
        wanted="≤ 1.3",
        value=value,
        spread=f"{ours['cpu_s_gb']:.1f} s and {theirs['cpu_s_gb']:.1f} s",
        reached=value <= 1.3,
    )


_RULES: tuple[Callable[[str, Document], Verdict | None], ...] = (_dagster, _memory, _cpu)


def _of_growth(growth: Document) -> Iterator[Verdict]:
    first, last = growth["results"][0], growth["results"][-1]
    label = f"{first['rows']:,} to {last['rows']:,} rows"
    value = last["migrate_rss_mb"]
    yield Verdict(
        goal="peak RSS of migrate, MB",
        scenario=f"{last['rows']:,} rows",
        wanted=f"< {_RSS_MB}",
        value=value,
        spread="",
        reached=value < _RSS_MB,
    )
    value = last["migrate_rss_mb"] / first["migrate_rss_mb"]
    yield Verdict(
        goal="peak RSS, most rows against fewest", scenario=label, wanted="≤ 1.15", value=value, spread="",
        reached=value <= 1.15,
    )  # fmt: skip
    value = last["again_s"]
    yield Verdict(
        goal=f"second run with nothing to do, s ({last['again_requests']} requests)",
        scenario=f"{last['rows']:,} rows",
        wanted="< 3, 0 requests",
        value=value,
        spread="",
        reached=value < 3 and last["again_requests"] == 0,
    )


def _contender(scenario: Document, name: str) -> dict[str, Any] | None:
    return next((one for one in scenario["contenders"] if one["name"] == name), None)
