"""`report` as a function: inventory, statistics and report in one run, or without R2 where it cannot be asked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from z_interact_assets.cli.errors import print_error
from z_interact_assets.cli.options import plain
from z_interact_assets.cli.printing import print_stats
from z_interact_assets.cli.runs import Runs
from z_interact_assets.core.errors import (
    ReportUnwritableError,
    SettingsError,
    StorageRefusedError,
    StorageUnavailableError,
)
from z_interact_assets.defs.run_config import op_config
from z_interact_assets.report import WrittenReport
from z_interact_assets.workspace import Workspace

_HOUR_S = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Where a published file can be read, by whoever has the link, for some hours."""

    name: str
    key: str
    url: str = field(repr=False)


def report_now(
    workspace: Workspace, runs: Runs, *, out: Path | None, publish: bool
) -> tuple[WrittenReport, list[Link] | None]:
    """Write a report; return it, with the links to it if it was published.

    A report that was written and could not be published is told of on stderr before the error is raised.
    """
    asked: dict[str, Any] = {"out": None if out is None else str(out.expanduser().absolute()), "publish": publish}
    report = op_config("write_storage_report", asked)
    try:
        workspace.store.check()
    except (SettingsError, StorageRefusedError, StorageUnavailableError) as error:
        click.echo("Warning: the bucket cannot be asked, so its numbers stay unknown.", err=True)
        print_error(error)
        counted = op_config("storage_stats", {"bucket_listed": False})
        runs.run("storage_report", config={"ops": {**counted["ops"], **report["ops"]}}, check=False)
    else:
        runs.run("take_stock_and_report", config=report, check=False)
    written: WrittenReport | None = runs.observer.results.get("report")
    if runs.observer.error is not None:
        if written is not None:
            fate = ", but not published" if publish and "published" not in runs.observer.results else ""
            click.echo(f"The report is written{fate}: {plain(written.page)}", err=True)
        raise runs.observer.error
    if written is None:
        raise ReportUnwritableError(
            "No report was written: the classes of rows do not add up to their total.",
            remedy="This is a bug of ours; the check totals_reconcile in the Dagster UI shows the figures.",
        )
    return written, _links(workspace, runs) if publish else None


def report_document(report: WrittenReport, links: Sequence[Link] | None) -> dict[str, Any]:
    """Return the document of `report --json`."""
    return {
        "folder": str(report.folder),
        "files": [{"name": file.name, "bytes": file.bytes, "rows": file.rows} for file in report.files],
        "published": None
        if links is None
        else [{"name": link.name, "key": link.key, "url": link.url} for link in links],
        "stats": report.stats,
    }


def print_report(report: WrittenReport, links: Sequence[Link] | None) -> None:
    """Print where the report is, what it says first, and the links to it."""
    print_stats(report.stats)
    click.echo()
    print_where(report)
    if links is None:
        return
    click.echo("  published; whoever has a link may read the file until it expires:")
    for link in links:
        click.echo(f"    {link.name:<22} {link.url}")


def print_where(report: WrittenReport) -> None:
    """Print where the report is."""
    size = sum(file.bytes for file in report.files)
    click.echo(f"Report of {len(report.files)} files, {size / 1e6:,.1f} MB. Open this one in a browser:")
    click.echo(f"  {plain(report.page)}")


def _links(workspace: Workspace, runs: Runs) -> list[Link]:
    seconds = int(workspace.settings.report_link_hours * _HOUR_S)
    store = workspace.report_store
    return [
        Link(name=file.name, key=file.key, url=store.presigned_get(file.key, seconds))
        for file in runs.observer.results["published"]
    ]
