"""`restore`: rows of a backup back into the table."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from z_interact_assets.cli.errors import FINISHED_WITH_FINDINGS, INTERRUPTED
from z_interact_assets.cli.options import as_json, examples, print_json
from z_interact_assets.cli.printing import print_restore
from z_interact_assets.defs.run_config import op_config

if TYPE_CHECKING:
    from z_interact_assets.backup import RestoreOptions, RestoreReport


@examples(
    "z-interact-assets restore /backups/2025-11-14 --dry-run",
    "z-interact-assets restore /backups/2025-11-14",
    "z-interact-assets restore /backups/2025-11-14 --image-id 3f2c9c1e-…",
)
@click.command(short_help="Put rows of a backup back.")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--image-id", "image_ids", multiple=True, metavar="ID", help="Only this row (again for more).")
@click.option("--overwrite", is_flag=True, help="Also write over rows the app changed since: what they hold is lost.")
@click.option("--dry-run", is_flag=True, help="Change nothing anywhere; say what a run now would do.")
@as_json
@click.pass_context
def restore(
    ctx: click.Context, *, folder: Path, image_ids: tuple[str, ...], overwrite: bool, dry_run: bool, as_json: bool
) -> None:
    """Put rows back as they are in the backup in DIR, byte for byte, once every file of it was proved.

    A missing row is inserted. A row that only the migration changed since is put back, and the ledger hears of it, so
    that it can be migrated again (`migrate --rolled-back`). A row the app changed since is left alone and listed,
    unless --overwrite is given. An empty ledger is filled from the backup, any other is left alone. R2 is not touched.
    Safe to interrupt (Ctrl-C) and to run again: what is back already is `unchanged`.

    --json: `total`, `restored`, `inserted`, `unchanged`, `changed`, `failed`, `ledger` (`restored`, `left_alone` or
    `nothing_to_restore`), `finished`, `dry_run`; `errors` lists the first 1,000 rows that were left alone or refused.
    """
    from z_interact_assets.backup import RestoreOptions  # noqa: PLC0415 - see app

    options = RestoreOptions(image_ids=image_ids or None, overwrite=overwrite, dry_run=dry_run)
    report = (_foretold if dry_run else _carried_out)(folder.absolute(), options)
    document = report.to_json()
    if as_json:
        print_json(document)
    else:
        print_restore(document)
    if not report.finished:
        click.echo("Stopped. Run the same command again to go on where it stopped.", err=True)
        ctx.exit(INTERRUPTED)
    ctx.exit(FINISHED_WITH_FINDINGS if not dry_run and report.changed + report.failed else 0)


def _carried_out(folder: Path, options: "RestoreOptions") -> "RestoreReport":
    from z_interact_assets.cli.progress import shown_progress  # noqa: PLC0415 - see app
    from z_interact_assets.cli.runs import opened_runs  # noqa: PLC0415 - imports dagster
    from z_interact_assets.cli.session import opened  # noqa: PLC0415

    config = {
        "folder": str(folder),
        "image_ids": None if options.image_ids is None else list(options.image_ids),
        "overwrite": options.overwrite,
        "dry_run": False,
    }
    with opened() as workspace, opened_runs(workspace) as runs:
        with shown_progress("Restoring") as runs.observer.listen:
            runs.run("restore_images", config=op_config("restore", config))
        return runs.observer.results["restore"]


def _foretold(folder: Path, options: "RestoreOptions") -> "RestoreReport":
    from z_interact_assets.cli.progress import shown_progress  # noqa: PLC0415 - see app
    from z_interact_assets.cli.runs import CommandObserver, interruptible  # noqa: PLC0415 - imports dagster
    from z_interact_assets.cli.session import opened_without_a_trace  # noqa: PLC0415
    from z_interact_assets.defs.backup import restore_now  # noqa: PLC0415

    observer = CommandObserver()
    with (
        opened_without_a_trace() as workspace,
        interruptible(observer.stop),
        shown_progress("Comparing") as observer.listen,
    ):
        return restore_now(workspace, observer, folder, options, run_id=None)
