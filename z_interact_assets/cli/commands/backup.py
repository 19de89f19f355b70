"""`backup`: rows with their base64 and the ledger, to a folder."""

from pathlib import Path

import click

from z_interact_assets.cli.errors import FINISHED_WITH_FINDINGS, INTERRUPTED
from z_interact_assets.cli.options import as_json, examples, print_json
from z_interact_assets.cli.printing import print_backup
from z_interact_assets.defs.run_config import op_config


@examples(
    "z-interact-assets backup --out /backups/2025-11-14",
    "z-interact-assets backup --out /backups/2025-11-14 --json",
)
@click.command(short_help="Back the table and the ledger up.")
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="An empty folder, one that is not there yet, or one with a backup that was begun.",
)
@as_json
@click.pass_context
def backup(ctx: click.Context, *, out: Path, as_json: bool) -> None:
    """Write every row of the table, its base64 included, and the whole ledger into a folder; change neither.

    Parquet files of at most some 64 MB (any tool reads them) and a manifest with the SHA-256 of each. Rows are read one
    by one while the app goes on writing. Safe to interrupt (Ctrl-C): the same command finishes the backup. The images
    in R2 are not in it. Files can be read by you alone: prompts and images are in them.

    Ends with 1 if rows have no usable id: `unaddressable` counts them, and they are not in the backup.

    --json: `rows`, `bytes`, `parts`, `ledger_rows`, `unaddressable`, `resumed`, `folder`, `finished`,
    `duration_seconds`.
    """
    from z_interact_assets.cli.progress import shown_progress  # noqa: PLC0415 - see app
    from z_interact_assets.cli.runs import opened_runs  # noqa: PLC0415 - imports dagster
    from z_interact_assets.cli.session import opened  # noqa: PLC0415

    with opened() as workspace, opened_runs(workspace) as runs:
        with shown_progress("Backing up") as runs.observer.listen:
            runs.run("backup_images", config=op_config("backup", {"out": str(out.absolute())}), check=False)
        if "backup" not in runs.observer.results and runs.observer.error is not None:
            raise runs.observer.error
    document = runs.observer.results["backup"].to_json()
    if as_json:
        print_json(document)
    else:
        print_backup(document)
    if not document["finished"]:
        click.echo("Stopped. Run the same command again to go on where it stopped.", err=True)
        ctx.exit(INTERRUPTED)
    ctx.exit(FINISHED_WITH_FINDINGS if document["unaddressable"] else 0)
