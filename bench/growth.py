"""How time and memory grow with the rows: the bare service, `migrate`, and `migrate` again with nothing left to do."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.contenders import CONTENDERS, Surroundings, check_ran, own_seconds, reported
from bench.datasets import DataSet, Portion, make_data_set
from bench.measuring import measure
from bench.places import work_folder
from bench.rounds import Say, run_checked
from bench.server import NullServer

ROWS = (1_000, 10_000, 100_000)
SECONDS_FLAT = 1.25  # so much more a row still counts as linear
MEMORY_FLAT = 1.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Growing:
    """What to measure: tables of so many rows, in batches that keep Dagster's bookkeeping small."""

    rows: tuple[int, ...] = ROWS
    image_bytes: int = 5_000
    batch_size: int = 100
    cache: Path
    work: Path | None = None


def grow(wanted: Growing, say: Say) -> dict[str, Any]:
    """Measure each table size; return the part of a document that is about growth."""
    results: list[dict[str, Any]] = []
    for rows in sorted(wanted.rows):
        data = make_data_set(
            "growth", (Portion(count=rows, size=wanted.image_bytes),), wanted.cache, files=False
        )  # fmt: skip
        with work_folder(wanted.work, data.table.stat().st_size) as work:
            results.append({"rows": rows, **_service(wanted, data, work), **_migrate(wanted, data, work)})
        say(f"growth: {rows:,} rows, service {results[-1]['service_s']:.1f} s, "
            f"migrate {results[-1]['migrate_s']:.1f} s")  # fmt: skip
    return {
        "image_bytes": wanted.image_bytes,
        "batch_size": wanted.batch_size,
        "results": results,
        "said": said(results),
    }


def said(results: Sequence[dict[str, Any]]) -> str:
    """Say whether time is linear in the rows and memory flat, from the fewest to the most."""
    first, last = results[0], results[-1]
    if first is last:
        return "One size only: nothing to compare."
    rows = last["rows"] / first["rows"]
    sentences: list[str] = []
    for label, seconds, memory in (
        ("The service", "service_s", "service_rss_mb"),
        ("`migrate`", "migrate_own_s", "migrate_rss_mb"),
    ):
        time_ratio, memory_ratio = last[seconds] / first[seconds], last[memory] / first[memory]
        linear = "linear or better" if time_ratio <= rows * SECONDS_FLAT else "more than linear"
        flat = "flat" if memory_ratio <= MEMORY_FLAT else "not flat"
        sentences.append(
            f"{label}: {rows:.0f} times the rows take {time_ratio:.1f} times the time ({linear}) and "
            f"{memory_ratio:.2f} times the memory ({flat})."
        )
    return " ".join(sentences)


def _service(wanted: Growing, data: DataSet, work: Path) -> dict[str, float]:
    with tempfile.TemporaryDirectory(dir=work) as name, NullServer(wanted.cache) as server:
        around = _around(wanted, data, Path(name), server)
        measured, _ = run_checked(CONTENDERS["service"], around)
        document = reported(measured)
    return {
        "plan_s": document["plan_seconds"],
        "service_s": document["duration_seconds"],
        "service_rss_mb": measured.tree_rss / 1e6,
    }


def _migrate(wanted: Growing, data: DataSet, work: Path) -> dict[str, float]:
    migrate = CONTENDERS["migrate"]
    with tempfile.TemporaryDirectory(dir=work) as name:
        folder = Path(name)
        with NullServer(wanted.cache) as server:
            around = _around(wanted, data, folder, server)
            measured, _ = run_checked(migrate, around)
        ledger = sum(file.stat().st_size for file in (folder / "home").glob("ledger.db*"))
        with NullServer(wanted.cache) as server:
            around = _around(wanted, data, folder, server, copy=False)
            again = measure(migrate.command(around), env=migrate.environment(around), cwd=folder)
            check_ran(migrate, again)
            requests = sum(server.seen().requests.values())
    return {
        "migrate_s": measured.seconds,
        "migrate_own_s": own_seconds(measured) or measured.seconds,
        "migrate_rss_mb": measured.tree_rss / 1e6,
        "again_s": again.seconds,
        "again_own_s": own_seconds(again) or again.seconds,
        "again_requests": requests,
        "ledger_mb": ledger / 1e6,
    }


def _around(wanted: Growing, data: DataSet, folder: Path, server: NullServer, *, copy: bool = True) -> Surroundings:
    around = Surroundings(
        data=data, folder=folder, server=server, workers=0, sample=0,
        settings={"MIGRATION_BATCH_SIZE": str(wanted.batch_size)},
    )  # fmt: skip
    if copy:
        shutil.copyfile(data.table, around.table)
    return around
