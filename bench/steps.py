"""What each step takes at which size, against a server that keeps objects. Prints a table; asserts only what was done.

python -m bench.steps [STEP...] [--rows N] [--latency MS] …     (`--help` lists the rest)

Tables and ledgers are bulk SQL (`steps_sites`), kept in the cache. Each step is a process of its own (`steps_run`), on
a copy; its clocks begin when table, ledger and bucket are open.
"""

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from bench.errors import BenchError
from bench.measuring import measure
from bench.places import work_folder
from bench.server import Latency, NullServer, Seen
from bench.steps_sites import PUBLIC_URL, SiteFiles, State, make_site
from z_interact_assets.core.errors import ZInteractError

ROOT = Path(__file__).resolve().parents[1]
_SECRET = "made-up-for-this-benchmark"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepKind:
    """A step: the site it begins with, the counts it must end with (each as often as there are rows)."""

    state: State
    done: str
    large: bool = False
    program: str = ""


STEPS: Mapping[str, StepKind] = {
    "plan": StepKind(state="new", done="planned"),
    "plan-large": StepKind(state="new", done="planned", large=True, program="plan"),
    "validate": StepKind(state="published", done="valid"),
    "validate-full": StepKind(state="published", done="valid"),
    "reclaim": StepKind(state="published", done="reclaimed"),
    "rollback": StepKind(state="reclaimed", done="rolled_back"),
    "inventory": StepKind(state="published", done="objects"),
    "stats": StepKind(state="published", done="total_images"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many rows of how many bytes, and how many large ones."""

    rows: int = 100_000
    image_bytes: int = 300
    large_rows: int = 400
    large_bytes: int = 1_500_000  # 2 MB of base64

    def of(self, kind: StepKind) -> tuple[int, int]:
        return (self.large_rows, self.large_bytes) if kind.large else (self.rows, self.image_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one step took. Memory is in bytes, the peak of its process; `bytes_read` counts sockets and caches, too."""

    step: str
    rows: int
    site_bytes: int
    seconds: float
    cpu_seconds: float
    peak_rss: int
    bytes_read: int
    seen: Seen


class KeepingServer(NullServer):
    """`keeping_server.c` with the objects of a site."""

    bucket = "kept"
    program = "keeping_server"

    def __init__(self, cache: Path, site: SiteFiles, latency: Latency | None = None) -> None:
        super().__init__(cache, latency)
        self.arguments = (str(site.keys), str(site.content), site.etag)


def run_step(
    name: str, sizes: Sizes, latency: Latency, *, cache: Path, work: Path | None, settings: dict[str, str]
) -> Result:
    """Run one step; BenchError unless it did its work on every row."""
    kind = STEPS[name]
    site = make_site(kind.state, *sizes.of(kind), cache)
    with work_folder(work, site.bytes) as folder, KeepingServer(cache, site, latency) as server:
        for file in (site.table, site.ledger):
            if file.exists():
                shutil.copyfile(file, folder / file.name)
        environment = _environment(folder, site, server) | settings
        command = [sys.executable, "-m", "bench.steps_run", kind.program or name]
        measured = measure(command, env=environment, cwd=folder)
        if measured.exit_code:
            raise BenchError(f"{name} ended with {measured.exit_code}: {measured.stderr[-2_000:].strip()}")
        document = json.loads(measured.stdout)
        if document["counts"][kind.done] != site.rows:
            raise BenchError(f"{name} did {document['counts']} of {site.rows:,} rows")
        return Result(
            step=name, rows=site.rows, site_bytes=site.bytes, seconds=document["seconds"],
            cpu_seconds=document["cpu_seconds"], peak_rss=measured.main_rss, bytes_read=document["bytes_read"],
            seen=server.seen(),
        )  # fmt: skip


def _environment(folder: Path, site: SiteFiles, server: KeepingServer) -> dict[str, str]:
    kept = ("PATH", "LANG", "TMPDIR", "LD_LIBRARY_PATH")
    return {name: os.environ[name] for name in kept if name in os.environ} | {
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": f"file:{folder / site.table.name}",
        "LEDGER_URL": f"sqlite:///{folder / site.ledger.name}",
        "DAGSTER_HOME": str(folder / "home"),
        "MIGRATION_BATCH_SIZE": str(site.batch_size),
        "R2_ENDPOINT_URL": server.endpoint_url,
        "R2_BUCKET_NAME": server.bucket,
        "R2_ACCESS_KEY_ID": "bench",
        "R2_SECRET_ACCESS_KEY": _SECRET,
        "R2_PUBLIC_URL": PUBLIC_URL,
        "RECLAIM_AFTER_DAYS": "0",
    }


_DEFAULT = Sizes()
COLUMNS = (
    "step", "rows", "seconds", "rows/s", "CPU s", "peak RSS MB", "read MB", "files MB", "in flight", "requests",
)  # fmt: skip


def cells(result: Result) -> tuple[str, ...]:
    """Return a line of the table."""
    requests = ", ".join(f"{count:,} {verb}" for verb, count in result.seen.requests.items() if count)
    return (
        result.step, f"{result.rows:,}", f"{result.seconds:.1f}", f"{result.rows / max(result.seconds, 1e-9):,.0f}",
        f"{result.cpu_seconds:.1f}", f"{result.peak_rss / 1e6:.0f}", f"{result.bytes_read / 1e6:,.1f}",
        f"{result.site_bytes / 1e6:,.0f}", str(result.seen.most_in_flight), requests,
    )  # fmt: skip


def _line(texts: Sequence[str]) -> str:
    return f"| {' | '.join(texts)} |"


@click.command(help=__doc__)
@click.argument("steps", nargs=-1, type=click.Choice(list(STEPS)))
@click.option("--rows", default=_DEFAULT.rows, show_default=True, type=click.IntRange(1))
@click.option("--image-bytes", default=_DEFAULT.image_bytes, show_default=True, type=click.IntRange(100))
@click.option("--large-rows", default=_DEFAULT.large_rows, show_default=True, type=click.IntRange(1))
@click.option("--large-bytes", default=_DEFAULT.large_bytes, show_default=True, type=click.IntRange(100))
@click.option("--latency", default=50.0, show_default=True, help="Milliseconds added to each request.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A setting for the step.")
@click.option("--cache", default=Path(".bench"), show_default=True, type=click.Path(path_type=Path))
@click.option("--work-folder", "work", default=None, type=click.Path(path_type=Path, exists=True, file_okay=False))
def main(
    *, steps: Sequence[str], rows: int, image_bytes: int, large_rows: int, large_bytes: int, latency: float,
    settings: Sequence[str], cache: Path, work: Path | None,
) -> None:  # fmt: skip
    sizes = Sizes(rows=rows, image_bytes=image_bytes, large_rows=large_rows, large_bytes=large_bytes)
    chosen: dict[str, Any] = {
        "cache": cache.resolve(), "work": work, "settings": dict(text.split("=", 1) for text in settings),
    }  # fmt: skip
    click.echo(_line(COLUMNS))
    click.echo(_line(["---", *["---:"] * (len(COLUMNS) - 1)]))
    for step in steps or STEPS:
        try:
            click.echo(_line(cells(run_step(step, sizes, Latency(ms=latency), **chosen))))
        except ZInteractError as error:
            raise click.ClickException(error.message) from None


if __name__ == "__main__":
    main()
