"""The comparison: data sets, warm-up, s5cmd's best concurrency, rounds, and one document of what came out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.contenders import CONTENDERS, RCLONE_FLAGS, S5CMD
from bench.datasets import DataSet, make_data_set
from bench.machine import machine, versions
from bench.places import in_memory, work_folder
from bench.rounds import WORKERS, Bench, Run, Say, median, ratios
from bench.scenarios import Scenario, Sizes
from bench.server import raw_limit

RIVALS = ("s5cmd", "rclone", "old", "service")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to compare."""

    scenarios: tuple[Scenario, ...]
    sizes: Sizes
    contenders: tuple[str, ...] = tuple(CONTENDERS)
    rounds: int = 3
    workers: int | None = None  # of s5cmd; None: the best of some
    sample: int = 200
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    cache: Path
    work: Path | None = None


def compare(wanted: Wanted, say: Say) -> Iterator[dict[str, Any]]:
    """Measure the scenarios; yield what came out of each."""
    for scenario in wanted.scenarios:
        data = make_data_set(scenario.data, wanted.sizes.portions(scenario.data), wanted.cache)
        with work_folder(wanted.work, data.table.stat().st_size) as work:
            bench = Bench(cache=wanted.cache, work=work, settings=wanted.settings, sample=wanted.sample, say=say)
            say(f"{scenario.name}: {data.description}, {data.bytes / 1e6:,.0f} MB, in {work}")
            yield _scenario(bench, wanted, scenario, data)


def about_this_run(settings: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return when, on what and with what it was measured."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
        "settings": dict(settings or {}),
        "rclone_flags": list(RCLONE_FLAGS),
    }


def _scenario(bench: Bench, wanted: Wanted, scenario: Scenario, data: DataSet) -> dict[str, Any]:
    tried: dict[int, float] = {}
    best = wanted.workers
    if best is None and "s5cmd" in wanted.contenders:
        tried = bench.best_workers(data, scenario.latency)
        best = max(tried, key=lambda workers: tried[workers])
        bench.say(f"  s5cmd is fastest with {best} workers (of {', '.join(map(str, tried))})")
    best = best or max(WORKERS)
    workers = {S5CMD.name: best, "rclone": best}
    for name in ("service", "migrate"):  # a warm-up, too: byte code, page cache, in-flight for rclone
        if name in wanted.contenders:
            workers["rclone"] = bench.run(CONTENDERS[name], data, scenario.latency, workers=0).seen.most_in_flight
            break
    contenders = [CONTENDERS[name] for name in wanted.contenders]
    runs = bench.rounds(contenders, data, scenario.latency, rounds=wanted.rounds, workers=workers)
    fastest = max(run.mb_s for run in runs)
    limit = raw_limit(
        wanted.cache, connections=max(workers.values()), size=data.bytes // data.images,
        requests=min(10_000, max(100, int(1e9 / (data.bytes / data.images)))),
    )  # fmt: skip
    bench.say(f"  the null server takes {limit['mb_s']:,.0f} MB/s without latency, {limit['mb_s'] / fastest:.1f} times "
              "what the fastest tool reached")  # fmt: skip
    return {
        "scenario": scenario.name,
        "data": data.description,
        "images": data.images,
        "bytes": data.bytes,
        "latency_ms": scenario.latency.ms,
        "jitter": f"{scenario.latency.jitter} {scenario.latency.jitter_ms:g} ms" if scenario.latency.jitter_ms else "",
        "rounds": wanted.rounds,
        "work_folder": "memory" if in_memory(bench.work) else "disk",
        "s5cmd_images_s_by_workers": {str(key): value for key, value in tried.items()},
        "server_limit": limit | {"times_the_fastest": limit["mb_s"] / fastest},
        "order": [run.contender for run in runs],
        "contenders": [summary(runs, name) for name in wanted.contenders],
    }


def summary(runs: Sequence[Run], name: str) -> dict[str, Any]:
    """Return medians of one contender over its rounds, its ratios to the others, and each of its runs."""
    own = [run for run in runs if run.contender == name]
    others = {run.contender for run in runs} - {name}
    return {
        "name": name,
        "label": CONTENDERS[name].label,
        "images": own[0].images,
        "workers": own[0].workers,
        "seconds": median(run.seconds for run in own),
        "sampled": own[0].sampled,
        "own_seconds": median(run.own_seconds or run.measured.seconds for run in own),
        "mb_s": median(run.mb_s for run in own),
        "images_s": median(run.images_s for run in own),
        "cpu_s_gb": median(run.cpu_s_gb for run in own),
        "tree_rss_mb": max(run.measured.tree_rss for run in own) / 1e6,
        "main_rss_mb": max(run.measured.main_rss for run in own) / 1e6,
        "in_flight": max(run.seen.most_in_flight for run in own),
        "requests": own[-1].seen.requests,
        "server_cpu_s": median(run.seen.cpu_seconds for run in own),
        "ratios": {other: _spread(ratios(runs, name, other)) for other in RIVALS if other in others},
        "own_ratios": {
            other: _spread(ratios(runs, name, other, own_clock=True)) for other in RIVALS if other in others
        },
        "runs": [
            {"round": run.round, "load_before": run.load, "seconds": run.measured.seconds,
             "own_seconds": run.own_seconds, "cpu_seconds": run.measured.cpu_seconds,
             "tree_rss": run.measured.tree_rss, "in_flight": run.seen.most_in_flight}
            for run in own
        ],
    }  # fmt: skip


def _spread(values: list[float]) -> dict[str, float]:
    return {"median": median(values), "lowest": min(values), "highest": max(values)}
