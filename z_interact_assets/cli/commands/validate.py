"""`validate`: prove again what was migrated."""

import click

from z_interact_assets.cli.errors import FINISHED_WITH_FINDINGS, INTERRUPTED, OUT_OF_REACH
from z_interact_assets.cli.options import as_json, examples, print_json
from z_interact_assets.cli.printing import print_validation


@examples(
    "z-interact-assets validate",
    "z-interact-assets validate --full",
    "z-interact-assets validate --public --sample 50",
)
@click.command(short_help="Prove again what was migrated.")
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="Only N images, drawn at random.")
@click.option("--full", is_flag=True, help="Read every byte back and compare SHA-256.")
@click.option("--public", is_flag=True, help="Read every byte through the public URL, as a browser would.")
@as_json
@click.pass_context
def validate(ctx: click.Context, *, sample: int | None, full: bool, public: bool, as_json: bool) -> None:
    """Prove that each migrated image is in R2 and that its row points at it; match table, ledger and bucket.

    By default each object is asked for its size and checksum (HEAD). Network trouble is reported as unreachable,
    never as missing. A whole listing finds what no image shows: objects that belong to no row, and objects that two
    rows name. Both are listed, never deleted, and make nothing invalid.

    --json has three more lists: `misdirected` (the row points elsewhere), `rows_gone` (the app deleted the row) and
    `shared` (keys that two rows name). `orphaned` and `shared` are null if the bucket could not be listed.
    """
    from z_interact_assets.cli.runs import opened_runs  # noqa: PLC0415 - imports dagster
    from z_interact_assets.cli.session import opened  # noqa: PLC0415
    from z_interact_assets.cli.validating import validate_now  # noqa: PLC0415

    if full and public:
        raise click.UsageError("--full and --public are two kinds of proof: choose one.")
    mode = "full" if full else "public" if public else "head"
    with opened(create_ledger=False) as workspace:
        workspace.store.check()
        with opened_runs(workspace) as runs:
            report = validate_now(runs, mode=mode, sample=sample)
    document = report.to_json()
    if as_json:
        print_json(document)
    else:
        print_validation(document)
    if runs.observer.stop.is_set() and not report.complete:
        click.echo("Stopped. A validation changes nothing: run it again to prove the rest.", err=True)
        ctx.exit(INTERRUPTED)
    if not report.was_listed:
        click.echo("The bucket could not be listed: whether objects are orphaned or shared is unknown.", err=True)
    if (document["unreachable"] or not report.was_listed) and not report.found_false:
        ctx.exit(OUT_OF_REACH)
    ctx.exit(0 if document["is_valid"] else FINISHED_WITH_FINDINGS)
