"""What `z-interact-assets bench` runs: options in, tables on the terminal, JSON and Markdown on disk."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from bench.comparing import Wanted, about_this_run, compare
from bench.contenders import CONTENDERS
from bench.errors import BenchError
from bench.growth import ROWS, Growing, grow
from bench.profiling import write_profiles
from bench.scenarios import DEFAULT, FULL, Sizes, parse_portion, parse_scenario
from bench.server import Jitter
from bench.tables import markdown, show

_WIDTH = 160  # of the tables where there is no terminal


def run_comparison(
    *, scenarios: tuple[str, ...], full: bool, rounds: int, contenders: tuple[str, ...], small: str, large: str,
    workers: int | None, sample: int, jitter: Jitter, jitter_ms: float, settings: tuple[str, ...], profile: bool,
    cache: Path, work_folder: Path | None, out: Path,
) -> None:  # fmt: skip
    """Compare, show, write."""
    if unknown := set(contenders) - set(CONTENDERS):
        raise BenchError(f"there is no contender {min(unknown)}", remedy=f"There are: {', '.join(CONTENDERS)}.")
    wanted = Wanted(
        scenarios=tuple(
            parse_scenario(text, jitter=jitter, jitter_ms=jitter_ms)
            for text in scenarios or (FULL if full else DEFAULT)
        ),
        sizes=Sizes(small=parse_portion(small), large=parse_portion(large)),
        contenders=contenders or tuple(CONTENDERS),
        rounds=rounds,
        workers=workers,
        sample=sample,
        settings=parse_settings(settings),
        cache=cache.resolve(),
        work=work_folder,
    )
    document = about_this_run(wanted.settings) | {"scenarios": []}
    for result in compare(wanted, say):
        document["scenarios"].append(result)
        write(document, out, "comparison")  # each time: a long run that is interrupted keeps what it has
    if full:
        document["growth"] = grow(Growing(cache=wanted.cache, work=work_folder), say)
        write(document, out, "comparison")
    finish(document, out, "comparison")
    if profile:
        for path in write_profiles(wanted, out):
            click.echo(path)


def run_growth(
    *, rows: tuple[int, ...], image_bytes: int, batch_size: int, cache: Path, work_folder: Path | None, out: Path
) -> None:
    """Measure growth, show, write."""
    wanted = Growing(
        rows=rows or ROWS, image_bytes=image_bytes, batch_size=batch_size, cache=cache.resolve(), work=work_folder
    )
    document = about_this_run() | {"growth": grow(wanted, say)}
    write(document, out, "growth")
    finish(document, out, "growth")


def parse_settings(texts: tuple[str, ...]) -> dict[str, str]:
    """NAME=VALUE, as a mapping (BenchError)."""
    if wrong := next((text for text in texts if "=" not in text), None):
        raise BenchError(f"{wrong} is no setting", remedy="Write NAME=VALUE.")
    return dict(text.split("=", 1) for text in texts)


def say(text: str) -> None:
    click.echo(text, err=True)


def write(document: Mapping[str, Any], out: Path, name: str) -> None:
    """Write the document as JSON and Markdown."""
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n")
    (out / f"{name}.md").write_text(markdown(document))


def finish(document: Mapping[str, Any], out: Path, name: str) -> None:
    """Show the document's tables, and where they are."""
    show(document, Console(width=None if Console().is_terminal else _WIDTH))
    click.echo(f"{out / name}.json and .md")
