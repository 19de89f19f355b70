"""`reclaim`: clear base64 that is proved to be in R2."""

from typing import TYPE_CHECKING

import click

from z_interact_assets.cli.errors import FINISHED_WITH_FINDINGS, INTERRUPTED, exit_code_of, print_error
from z_interact_assets.cli.options import as_json, examples, print_json
from z_interact_assets.cli.printing import print_reclaim

if TYPE_CHECKING:
    from z_interact_assets.reverse import ReclaimReport
    from z_interact_assets.workspace import Workspace


@examples(
    "z-interact-assets reclaim --all-due --dry-run",
    "z-interact-assets reclaim --all-due",
    "z-interact-assets reclaim --batch b000001",
    "z-interact-assets reclaim --all-due --vacuum",
)
@click.command(short_help="Clear base64 that is proved to be in R2.")
@click.option("--all-due", is_flag=True, help="All images past RECLAIM_AFTER_DAYS.")
@click.option("--batch", "batches", multiple=True, metavar="B", help="Those of this batch that are (again for more).")
@click.option("--vacuum", is_flag=True, help="Shrink the SQLite file afterwards; the app cannot write meanwhile.")
@click.option(
    "--dry-run", is_flag=True, help="Change nothing anywhere; prove everything and say what would be cleared."
)
@as_json
@click.pass_context
def reclaim(
    ctx: click.Context, *, all_due: bool, batches: tuple[str, ...], vacuum: bool, dry_run: bool, as_json: bool
) -> None:
    """Clear image_data of rows whose image is in R2: only after the soak, only after a fresh proof of every byte.

    Nothing at all is cleared if the bucket cannot be listed or R2_PUBLIC_URL does not serve the images. A row keeps its
    base64 if the app changed it, if its object is missing, differs or is named by another row, or if object and ledger
    would not give the text back byte for byte. `rollback` brings cleared base64 back.

    --json also counts `skipped` (rows the app deleted) and has `database_bytes_…` and `free_bytes_…`, before and after:
    clearing frees pages within a SQLite file, only --vacuum makes it smaller. They are null where unknown.
    """
    from z_interact_assets.cli.session import opened  # noqa: PLC0415 - see app

    if all_due == bool(batches):
        raise click.UsageError("Say what to reclaim: --all-due or --batch B….")
    with opened(create_ledger=False) as workspace:
        keys = tuple(sorted(set(batches))) or None
        report, code = _carry_out(workspace, keys, vacuum=vacuum, dry_run=dry_run)
    document = report.to_json()
    print_json(document) if as_json else print_reclaim(document)
    ctx.exit(code)


def _carry_out(
    workspace: "Workspace", keys: tuple[str, ...] | None, *, vacuum: bool, dry_run: bool
) -> tuple["ReclaimReport", int]:
    from z_interact_assets.cli.migrating import refuse_unknown  # noqa: PLC0415 - see app
    from z_interact_assets.cli.reversing import foretell_reclaim, reclaim_now  # noqa: PLC0415
    from z_interact_assets.migrate.scope import Scope  # noqa: PLC0415

    refuse_unknown(workspace, Scope(batch_keys=keys), verb="reclaim")
    workspace.store.check()
    if dry_run:
        return foretell_reclaim(workspace, keys, vacuum=vacuum), 0
    from z_interact_assets.cli.runs import opened_runs  # noqa: PLC0415 - imports dagster: two seconds

    with opened_runs(workspace) as runs:
        report = reclaim_now(workspace, runs, keys, vacuum=vacuum)
    if runs.observer.error is not None:
        print_error(runs.observer.error)
        return report, exit_code_of(runs.observer.error)
    if not report.complete:
        click.echo("Stopped. Run the same command again to go on where it stopped.", err=True)
        return report, INTERRUPTED
    return report, FINISHED_WITH_FINDINGS if report.failed else 0
