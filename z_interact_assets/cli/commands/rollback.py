"""`rollback`: give rows back what they held before their migration."""

from typing import TYPE_CHECKING

import click

from z_interact_assets.cli.errors import FINISHED_WITH_FINDINGS, INTERRUPTED, exit_code_of, print_error
from z_interact_assets.cli.options import as_json, examples, print_json
from z_interact_assets.cli.printing import print_rollback

if TYPE_CHECKING:
    from z_interact_assets.reverse import Chosen, RollbackReport
    from z_interact_assets.workspace import Workspace


@examples(
    "z-interact-assets rollback --all --dry-run",
    "z-interact-assets rollback --image-id 3f2c9c1e-…",
    "z-interact-assets rollback --batch b000001 --batch b000007",
    "z-interact-assets rollback --all --delete-objects",
)
@click.command(short_help="Give rows their base64 back, byte for byte.")
@click.option("--image-id", "image_ids", multiple=True, metavar="ID", help="This image (again for more).")
@click.option("--batch", "batches", multiple=True, metavar="B", help="All images of this batch (again for more).")
@click.option("--all", "everything", is_flag=True, help="All images.")
@click.option("--delete-objects", is_flag=True, help="Delete their objects too, once each row is proved to be back.")
@click.option("--dry-run", is_flag=True, help="Change nothing anywhere; say what a run now would do.")
@as_json
@click.pass_context
def rollback(
    ctx: click.Context, *, image_ids: tuple[str, ...], batches: tuple[str, ...], everything: bool,
    delete_objects: bool, dry_run: bool, as_json: bool,
) -> None:  # fmt: skip
    """Take a migration back: each row gets the text it had, byte for byte, and is read again to prove it.

    Text that is gone from the row is rebuilt from its object, whose every byte is proved first. A row the app changed
    since is left alone and listed. Objects are kept; with --delete-objects those go that nothing needs any more.
    What was rolled back stays so: `migrate --rolled-back`, or naming the image or its batch with it, migrates it again.

    --json has one more count: `objects_kept`, objects that were to go and that something may need.
    """
    from z_interact_assets.cli.session import opened  # noqa: PLC0415 - see app
    from z_interact_assets.reverse import Chosen  # noqa: PLC0415

    if sum((bool(image_ids), bool(batches), everything)) != 1:
        raise click.UsageError("Say what to roll back: --image-id ID…, --batch B… or --all.")
    chosen = Chosen(image_ids=image_ids or None, batch_keys=tuple(sorted(set(batches))) or None)
    with opened(create_ledger=False) as workspace:
        report, code = _carry_out(workspace, chosen, delete_objects=delete_objects, dry_run=dry_run)
    document = report.to_json()
    print_json(document) if as_json else print_rollback(document)
    ctx.exit(code)


def _carry_out(
    workspace: "Workspace", chosen: "Chosen", *, delete_objects: bool, dry_run: bool
) -> tuple["RollbackReport", int]:
    from z_interact_assets.cli.migrating import refuse_unknown  # noqa: PLC0415 - see app
    from z_interact_assets.cli.reversing import foretell_rollback, roll_back_now  # noqa: PLC0415
    from z_interact_assets.migrate.scope import Scope  # noqa: PLC0415

    refuse_unknown(workspace, Scope(batch_keys=chosen.batch_keys, image_ids=chosen.image_ids), verb="roll back")
    if dry_run:
        return foretell_rollback(workspace, chosen, delete_objects=delete_objects), 0
    from z_interact_assets.cli.runs import opened_runs  # noqa: PLC0415 - imports dagster: two seconds

    with opened_runs(workspace) as runs:
        report = roll_back_now(runs, chosen, delete_objects=delete_objects)
    if runs.observer.error is not None:
        print_error(runs.observer.error)
        return report, exit_code_of(runs.observer.error)
    if not report.complete:
        click.echo("Stopped. Run the same command again to go on where it stopped.", err=True)
        return report, INTERRUPTED
    return report, FINISHED_WITH_FINDINGS if report.failed else 0
