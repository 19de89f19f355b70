"""`plan`: the binding dry run."""

import click

from z_interact_assets.cli.errors import INTERRUPTED
from z_interact_assets.cli.options import as_json, examples, print_json
from z_interact_assets.cli.printing import print_plan


@examples("z-interact-assets plan", "z-interact-assets plan --quick", "z-interact-assets plan --json")
@click.command(short_help="Foretell the migration; change nothing.")
@click.option("--quick", is_flag=True, help="Only assign batches: no image is read, sizes and bad rows stay unknown.")
@click.option("--batch-size", type=click.IntRange(1, 100_000), help="Images a batch, for new batches.")
@as_json
@click.pass_context
def plan(ctx: click.Context, *, quick: bool, batch_size: int | None, as_json: bool) -> None:
    """Foretell the migration: batches, keys, bytes, bad rows with reasons, cost.

    Every image is read once, decoded and proved, one at a time in bounded memory. Nothing is written but our ledger;
    neither the app's table nor R2 is touched, and R2 need not be configured.

    Beyond the images to migrate --json counts `skipped` (failed or still generating) and `large_images`. What only
    reading tells is null after --quick.
    """
    from z_interact_assets.cli.planning import full_plan  # noqa: PLC0415 - imports dagster
    from z_interact_assets.cli.runs import opened_runs  # noqa: PLC0415
    from z_interact_assets.cli.session import opened  # noqa: PLC0415

    with opened() as workspace, opened_runs(workspace) as runs:
        document = full_plan(workspace, runs, quick=quick, batch_size=batch_size)
        if runs.observer.stop.is_set():
            click.echo("Stopped. Run the same command again for the whole plan.", err=True)
            ctx.exit(INTERRUPTED)
    if as_json:
        print_json(document)
    else:
        print_plan(document)
