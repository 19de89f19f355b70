"""`stats`: what is where, how much of it, and how healthy that is."""

import click

from z_interact_assets.cli.options import as_json, examples, print_json
from z_interact_assets.cli.printing import print_stats


@examples("z-interact-assets stats", "z-interact-assets stats --json | jq .health")
@click.command(short_help="Show what is where, and how healthy it is.")
@as_json
def stats(*, as_json: bool) -> None:
    """Count the table, list the whole bucket, match both with the ledger, and append a snapshot to the history.

    No image is read. Where the bucket cannot be listed its numbers are null, never zero.

    Shown are rows by class, sizes, growth, costs, and what lowers the health or needs a hand, with the command that
    helps.

    --json has a class for every row (also `local_images`, `unfinished_images`, `unrecognised_images`), the bucket as
    it was at `bucket_as_of` (also `known_objects`, `corrupted_objects`, `misdirected_images`, `shared_objects`), what
    to do (`findings`), the ledger's `states`, and by reason its `quarantine` and `failures`; `breakdowns` by persona,
    session, provider, type, month, size and dimensions; `throughput` by day, `duplicates`, `database`, `growth`, and
    `costs` a month.
    """
    from z_interact_assets.cli.runs import opened_runs  # noqa: PLC0415 - imports dagster
    from z_interact_assets.cli.session import opened  # noqa: PLC0415
    from z_interact_assets.cli.stocktaking import take_stock  # noqa: PLC0415

    with opened() as workspace, opened_runs(workspace) as runs:
        document = take_stock(workspace, runs)
    if as_json:
        print_json(document)
    else:
        print_stats(document)
