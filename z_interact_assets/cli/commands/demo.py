"""`demo`: the whole migration on made-up data, with no settings."""

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from z_interact_assets.cli.errors import INTERRUPTED, exit_code_of, print_error
from z_interact_assets.cli.options import demo_folder, examples
from z_interact_assets.cli.printing import print_plan, print_stats, print_totals, print_validation

if TYPE_CHECKING:
    from z_interact_assets.cli.demo_home import DemoHome
    from z_interact_assets.cli.runs import Runs


@examples("z-interact-assets demo", "z-interact-assets demo --fresh --rows 1000", "z-interact-assets dev")
@click.command(short_help="Show everything on made-up data.")
@demo_folder
@click.option("--rows", type=click.IntRange(100, 100_000), default=300, show_default=True, help="Rows of a new table.")
@click.option("--fresh", is_flag=True, help="Start over: remove what an earlier demo left in the folder.")
@click.pass_context
def demo(ctx: click.Context, *, folder: Path, rows: int, fresh: bool) -> None:
    """Show everything on made-up data: a table with every kind of row, and a local server standing in for R2.

    Needs no settings and uses none: your own .env and variables are not read, no other machine is contacted.
    """
    from z_interact_assets.cli.demo_home import (  # noqa: PLC0415 - imports moto
        demo_home,
        refuse_other_folders,
        remove_demo,
    )

    refuse_other_folders(folder)
    if fresh:
        remove_demo(folder)
    with demo_home(folder) as home:
        ctx.exit(_show(home, rows))


def _show(home: "DemoHome", rows: int) -> int:
    from z_interact_assets.cli.migrating import migrate_now  # noqa: PLC0415 - imports dagster
    from z_interact_assets.cli.planning import full_plan  # noqa: PLC0415
    from z_interact_assets.cli.reporting import print_where  # noqa: PLC0415
    from z_interact_assets.cli.runs import opened_runs  # noqa: PLC0415
    from z_interact_assets.cli.session import opened  # noqa: PLC0415
    from z_interact_assets.cli.stocktaking import take_stock  # noqa: PLC0415
    from z_interact_assets.cli.validating import validate_now  # noqa: PLC0415
    from z_interact_assets.migrate.scope import Scope  # noqa: PLC0415

    drawn = home.make_sample(rows=rows)
    _heading("1. A table with base64 images, and a bucket")
    click.echo(f"  table   {home.folder / 'local.db'} ({'drawn now' if drawn else 'from an earlier demo'})")
    click.echo(f"  bucket  {home.standin.bucket} at {home.standin.endpoint_url}, standing in for Cloudflare R2")
    with opened(home.settings()) as workspace, opened_runs(workspace) as runs:
        _heading("2. plan: every image is read, proved and given its key; nothing is changed")
        print_plan(full_plan(workspace, runs))
        _heading("3. migrate: upload, prove, point the row at its public URL")
        totals, seconds = migrate_now(workspace, runs, Scope())
        document = totals.report(duration_seconds=seconds, dry_run=False)
        print_totals({**document, "errors": []})
        if (code := _early_end(runs)) is not None:
            return code
        _heading("4. validate: read every byte back from the bucket and compare")
        report = validate_now(runs, mode="full")
        print_validation(report.to_json())
        runs.run("sample_public_urls")
        _heading("5. stats: what is where now")
        stats = take_stock(workspace, runs)
        print_stats(stats)
        _heading("6. report: the page and the tables analysts open")
        runs.run("storage_report")
        print_where(runs.observer.results["report"])
        example = _an_example(workspace)
    _summary(home, document, stats, example)
    return 0 if report.is_valid and not document["failed"] else 1


def _early_end(runs: "Runs") -> int | None:
    if runs.observer.error is not None:
        print_error(runs.observer.error)
        return exit_code_of(runs.observer.error)
    if runs.observer.stop.is_set():
        click.echo("Stopped. Run the same command again to go on.", err=True)
        return INTERRUPTED
    return None


def _an_example(workspace: Any) -> str | None:
    from z_interact_assets.core.models import ItemState  # noqa: PLC0415 - see above

    item = next(workspace.ledger.ask.items([ItemState.PUBLISHED]), None)
    return item.image_id if item else None


def _heading(text: str) -> None:
    click.echo()
    click.secho(text, bold=True)


def _summary(home: "DemoHome", document: dict[str, Any], stats: dict[str, Any], example: str | None) -> None:
    folder = home.folder.relative_to(Path.cwd()) if home.folder.is_relative_to(Path.cwd()) else home.folder
    total, in_r2 = stats["total_images"], stats["r2_images"] + stats["mixed_images"]
    _heading("What happened")
    proved = "every byte of it was read back and compared"
    click.echo(f"  {in_r2:,} of {total:,} rows now point at an object in the bucket; {proved}.")
    if document["planned"] == 0:
        click.echo("  This run found nothing new to do, and uploaded nothing: running again is always safe.")
        click.echo("  Start over with: z-interact-assets demo --fresh")
    aside, kept = stats["quarantined_images"], stats["mixed_images"]
    click.echo(f"  {aside:,} rows were set aside with a reason and left exactly as they were.")
    click.echo(f"  {kept:,} rows keep their base64 as well until it is reclaimed, so nothing can be lost.")
    _heading("Next")
    command = _command()
    click.echo("  make dev     (or: z-interact-assets dev)  opens the Dagster UI with these runs in it")
    click.echo("  From the demo's folder, where its settings are:")
    click.echo(f"    cd {folder}")
    click.echo(f"    {command} status --quarantined")
    if example:
        click.echo(f"    {command} status --image-id {example}")
    click.echo("  For your own bucket and table: set what .env.example lists, then z-interact-assets doctor")


def _command() -> str:
    """Return how to call us from anywhere: the bare name only where the shell would find it."""
    name = "z-interact-assets"
    beside = Path(sys.executable).with_name(name)
    return str(beside) if shutil.which(name) is None and beside.exists() else name
