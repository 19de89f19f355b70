"""`migrate`: plan what is new, then do it."""

from time import monotonic
from typing import TYPE_CHECKING, Any

import click

from z_interact_assets.cli.errors import FINISHED_WITH_FINDINGS, INTERRUPTED, exit_code_of, print_error
from z_interact_assets.cli.options import as_json, examples, print_json
from z_interact_assets.cli.printing import print_totals

if TYPE_CHECKING:
    from z_interact_assets.migrate.scope import Scope


@examples(
    "z-interact-assets migrate --dry-run",
    "z-interact-assets migrate",
    "z-interact-assets migrate --limit 100 --concurrency 8",
    "z-interact-assets migrate --batch b000001 --batch b000007",
)
@click.command(short_help="Move base64 images to R2.")
@click.option("--dry-run", is_flag=True, help="Change nothing anywhere; say what a run now would do.")
@click.option("--batch", "batches", multiple=True, metavar="B", help="Only this batch (again for more).")
@click.option("--image-id", "image_ids", multiple=True, metavar="ID", help="Only this image (again for more).")
@click.option("--rolled-back", is_flag=True, help="Also what was rolled back; else that stays as it is.")
@click.option("--limit", type=click.IntRange(min=0), metavar="N", help="At most N images.")
@click.option("--batch-size", type=click.IntRange(1, 100_000), metavar="N", help="Images a batch, for new batches.")
@click.option("--concurrency", type=click.IntRange(1, 1024), metavar="N", help="Uploads in flight (default: adaptive).")
@as_json
@click.pass_context
def migrate(
    ctx: click.Context, *, dry_run: bool, batches: tuple[str, ...], image_ids: tuple[str, ...], rolled_back: bool,
    limit: int | None, batch_size: int | None, concurrency: int | None, as_json: bool,
) -> None:  # fmt: skip
    """Move base64 images to R2: upload, prove, then point the row at the public URL.

    The base64 stays in image_data until `reclaim`. Rows that cannot be migrated are set aside with a reason and left
    exactly as they are. Safe to interrupt (Ctrl-C) and to run again at any time: what is done is not done twice.

    --json also counts `large_images`, those over WARN_IMAGE_BYTES; `errors` lists the first 1,000.
    """
    from z_interact_assets.migrate.scope import Scope  # noqa: PLC0415 - see app

    scope = Scope(
        batch_keys=tuple(sorted(set(batches))) or None, image_ids=image_ids or None, limit=limit,
        rolled_back=rolled_back,
    )  # fmt: skip
    if dry_run:
        document, code = _foretell(scope, batch_size=batch_size, concurrency=concurrency), 0
    else:
        document, code = _carry_out(scope, batch_size=batch_size, concurrency=concurrency)
    if as_json:
        print_json(document)
    else:
        print_totals(document)
    ctx.exit(code)


def _carry_out(scope: "Scope", *, batch_size: int | None, concurrency: int | None) -> tuple[dict[str, Any], int]:
    from z_interact_assets.cli.migrating import GO_ON, look_first, migrate_now, nothing_done  # noqa: PLC0415 - see app
    from z_interact_assets.cli.session import opened  # noqa: PLC0415

    with opened() as workspace:
        workspace.settings.require_r2()
        started = monotonic()
        work, seen = look_first(workspace, scope)
        looked = monotonic() - started
        if not work:
            totals = nothing_done(workspace, scope)
            return totals.report(duration_seconds=monotonic() - started, dry_run=False), 0

        from z_interact_assets.cli.runs import opened_runs  # noqa: PLC0415 - imports dagster

        with opened_runs(workspace) as runs:
            totals, seconds = migrate_now(
                workspace, runs, scope, batch_size=batch_size, concurrency=concurrency, seen=seen
            )
        document = totals.report(duration_seconds=looked + seconds, dry_run=False)
        if runs.observer.error is not None:
            print_error(runs.observer.error)
            return document, exit_code_of(runs.observer.error)
        if runs.observer.stop.is_set():
            click.echo(f"Stopped. {GO_ON}", err=True)
            return document, INTERRUPTED
        return document, FINISHED_WITH_FINDINGS if document["errors"] else 0


def _foretell(scope: "Scope", *, batch_size: int | None, concurrency: int | None) -> dict[str, Any]:
    from z_interact_assets.cli.migrating import refuse_unknown  # noqa: PLC0415 - see app
    from z_interact_assets.cli.progress import shown_progress  # noqa: PLC0415
    from z_interact_assets.cli.session import opened_without_a_trace  # noqa: PLC0415
    from z_interact_assets.migrate.forecast import Forecaster  # noqa: PLC0415

    started = monotonic()
    with opened_without_a_trace() as workspace, shown_progress("Reading") as listen:
        workspace.store.check()
        size = batch_size or workspace.settings.migration_batch_size
        refuse_unknown(workspace, scope, batch_size=size)
        engine = workspace.engine(concurrency=concurrency)
        forecaster = Forecaster(engine, workspace.ledger, workspace.planner(batch_size), listen=listen)
        forecast = forecaster.of_migration(workspace.store, scope, batch_size=size)
    return forecast.totals.report(duration_seconds=monotonic() - started, dry_run=True)
