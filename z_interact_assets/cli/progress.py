"""Progress on stderr: a bar on a terminal, a plain line every few seconds in a pipe."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

import click

from z_interact_assets.execution.progress import Progress, ProgressListener

PLAIN_EVERY_S = 5.0


@contextmanager
def shown_progress(title: str) -> Iterator[ProgressListener]:
    """Yield a listener that shows what it hears."""
    if sys.stderr.isatty():
        with _bar(title) as listener:
            yield listener
    else:
        yield _Lines(title).hear


class _Lines:
    def __init__(self, title: str) -> None:
        self._title = title
        self._last = monotonic()

    def hear(self, progress: Progress) -> None:
        if monotonic() - self._last >= PLAIN_EVERY_S:
            self._last = monotonic()
            click.echo(f"{progress.stage or self._title}: {progress}", err=True)


@contextmanager
def _bar(title: str) -> Iterator[ProgressListener]:
    from rich.console import Console  # noqa: PLC0415 - only for a terminal
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as RichProgress  # noqa: PLC0415

    columns = (
        TextColumn("[bold]{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[detail]}"),
        TimeElapsedColumn(), TextColumn("eta"), TimeRemainingColumn(),
    )  # fmt: skip
    with RichProgress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(title, total=None, detail="")

        def hear(progress: Progress) -> None:
            detail = (
                f"waiting for {progress.waiting_for}"
                if progress.waiting_for
                else f"{progress.bytes / 1e6:,.1f} MB  {progress.rate:,.0f}/s"
                + (f"  {progress.in_flight} in flight" if progress.window else "")
            )
            bars.update(
                task, total=progress.total, completed=progress.done, detail=detail,
                description=progress.stage or title,
            )  # fmt: skip

        yield hear
