"""Rounds: each contender once a round, in an order that alternates; what came out, and what it is beside s5cmd."""

import os
import shutil
import statistics
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.contenders import S5CMD, Contender, Surroundings, check_outcome, own_seconds
from bench.datasets import DataSet
from bench.measuring import Measured, measure
from bench.server import Latency, NullServer, Seen

WORKERS = (16, 32, 64, 128, 256)
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One contender in one round."""

    contender: str
    round: int
    images: int
    bytes: int
    workers: int
    load: float
    sampled: bool  # given only some of the images
    measured: Measured = field(repr=False)
    seen: Seen
    own_seconds: float | None

    @property
    def seconds(self) -> float:
        """From the start of its process to its end; of a sample by its own clock, else its start would count double."""
        return self.own_seconds or self.measured.seconds if self.sampled else self.measured.seconds

    @property
    def images_s(self) -> float:
        return self.images / self.seconds

    @property
    def own_images_s(self) -> float:
        """Images a second by the tool's own clock, so without the start of its process."""
        return self.images / (self.own_seconds or self.measured.seconds)

    @property
    def mb_s(self) -> float:
        return self.bytes / self.seconds / 1e6

    @property
    def cpu_s_gb(self) -> float:
        return self.measured.cpu_seconds / (self.bytes / 1e9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where things are made, and with what settings of ours."""

    cache: Path
    work: Path
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    sample: int = 200
    say: Say = lambda _: None

    def run(self, contender: Contender, data: DataSet, latency: Latency, *, workers: int, number: int = 0) -> Run:
        """Run it once, on a copy of the table, against a server of its own (BenchError if the outcome is wrong)."""
        with (
            tempfile.TemporaryDirectory(dir=self.work, prefix="round-") as name,
            NullServer(self.cache, latency) as server,
        ):
            around = Surroundings(
                data=data, folder=Path(name), server=server, workers=workers, settings=self.settings,
                sample=self.sample,
            )  # fmt: skip
            if contender.writes_table:
                shutil.copyfile(data.table, around.table)
            load = os.getloadavg()[0]
            measured, seen = run_checked(contender, around)
            return Run(
                contender=contender.name, round=number, images=contender.images(around), bytes=seen.bytes,
                sampled=contender.images(around) < data.images,
                workers=workers, load=load, measured=measured, seen=seen, own_seconds=own_seconds(measured),
            )  # fmt: skip

    def best_workers(self, data: DataSet, latency: Latency, *, tries: Iterable[int] = WORKERS) -> dict[int, float]:
        """Return s5cmd's images a second by its number of workers, the better of two runs each."""
        speeds: dict[int, float] = {}
        for _ in range(2):
            for workers in tries:
                run = self.run(S5CMD, data, latency, workers=workers)
                speeds[workers] = max(speeds.get(workers, 0.0), run.images_s)
        return speeds

    def rounds(
        self, contenders: Sequence[Contender], data: DataSet, latency: Latency, *, rounds: int,
        workers: Mapping[str, int],
    ) -> list[Run]:  # fmt: skip
        """Return all runs of all rounds; every other round goes the other way round."""
        runs: list[Run] = []
        for number in range(rounds):
            for contender in contenders if number % 2 == 0 else reversed(contenders):
                run = self.run(contender, data, latency, workers=workers.get(contender.name, 0), number=number)
                self.say(
                    f"  round {number + 1}: {contender.name:<8} {run.measured.seconds:7.2f} s {run.mb_s:7.1f} MB/s "
                    f"{run.images_s:7.0f} images/s, {run.seen.most_in_flight} in flight (load before {run.load:.1f})"
                )
                runs.append(run)
        return runs


def run_checked(contender: Contender, around: Surroundings) -> tuple[Measured, Seen]:
    """Run it once (BenchError if the outcome is wrong)."""
    measured = measure(contender.command(around), env=contender.environment(around), cwd=around.folder)
    seen = around.server.seen()
    check_outcome(contender, around, measured, seen)
    return measured, seen


def ratios(runs: Sequence[Run], of: str, to: str, *, own_clock: bool = False) -> list[float]:
    """Return the ratio of their images a second in each round."""
    speeds = {(run.contender, run.round): run.own_images_s if own_clock else run.images_s for run in runs}
    return [speed / speeds[to, number] for (name, number), speed in speeds.items() if name == of]


def median(values: Iterable[float]) -> float:
    return statistics.median(values)
