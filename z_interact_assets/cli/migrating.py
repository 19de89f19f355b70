"""`migrate` as a function: which batches, in which runs, and the one document they add up to."""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from time import monotonic
from typing import TYPE_CHECKING

import click

from z_interact_assets.cli.planning import assign_batches
from z_interact_assets.cli.progress import shown_progress
from z_interact_assets.migrate.migration import Scope
from z_interact_assets.migrate.outcomes import Totals

if TYPE_CHECKING:
    from z_interact_assets.cli.runs import Runs
    from z_interact_assets.workspace import Workspace

# A run costs about 0.2 s and a barrier, a batch that is done already some 20 ms of bookkeeping: a gap of so many done
# batches is cheaper bridged (they are reported again, nothing is uploaded) than made a border between two runs.
BRIDGED_GAP = 25

GO_ON = "Run the same command again to go on where it stopped."


def migrate_now(
    workspace: "Workspace",
    runs: "Runs",
    scope: Scope,
    *,
    batch_size: int | None = None,
    concurrency: int | None = None,
) -> tuple[Totals, float]:
    """Plan what is new and migrate the scope; return the totals and the seconds it took."""
    from z_interact_assets.cli.runs import interruptible  # noqa: PLC0415 - imports dagster

    started = monotonic()
    assign_batches(runs, batch_size=batch_size)
    _refuse_unknown(workspace, scope)
    pending = workspace.ledger.work.pending(scope.batch_keys, image_ids=scope.image_ids)
    left = scope.limit
    with (
        interruptible(runs.observer.stop, how_to_go_on=GO_ON),
        shown_progress("Migrating") as runs.observer.listen,
    ):
        for group in ranges(workspace.ledger.planning.batch_keys(), pending, exact=scope.batch_keys is not None):
            if runs.observer.stop.is_set() or left == 0:
                break
            _run_group(runs, group, scope, left, concurrency)
            left = None if left is None else left - runs.observer.totals[-1].planned
            if runs.observer.error is not None:
                break
    return added_up(runs.observer.totals), monotonic() - started


def _refuse_unknown(workspace: "Workspace", scope: Scope) -> None:
    known = set(workspace.ledger.planning.batch_keys()) if scope.batch_keys else set[str]()
    if absent := [key for key in scope.batch_keys or () if key not in known]:
        raise click.BadParameter(f"there is no batch {', '.join(absent)}; `status` lists them.", param_hint="--batch")
    wanted = scope.image_ids or ()
    found = workspace.ledger.planning.known(wanted) if wanted else {}
    if absent := [image_id for image_id in wanted if image_id not in found]:
        raise click.BadParameter(f"there is no image {', '.join(absent)} to migrate.", param_hint="--image-id")


def _run_group(runs: "Runs", group: Sequence[str], scope: Scope, left: int | None, concurrency: int | None) -> None:
    from z_interact_assets.cli.runs import op_config  # noqa: PLC0415 - imports dagster

    config = {
        "image_ids": None if scope.image_ids is None else list(scope.image_ids),
        "limit": left,
        "concurrency": concurrency,
    }
    tags = {"dagster/asset_partition_range_start": group[0], "dagster/asset_partition_range_end": group[-1]}
    runs.run("migrate_images", config=op_config("migrated_images", config), tags=tags)


def ranges(all_keys: Sequence[str], pending: dict[str, int], *, exact: bool = False) -> Iterator[list[str]]:
    """Yield runs of neighbouring batches that cover what is pending; small gaps are bridged unless `exact`."""
    gap = 0 if exact else BRIDGED_GAP
    positions = [index for index, key in enumerate(all_keys) if key in pending]
    start = 0
    for index, position in enumerate(positions):
        last = index == len(positions) - 1
        if last or positions[index + 1] - position - 1 > gap:
            yield list(all_keys[positions[start] : position + 1])
            start = index + 1


def added_up(totals: Sequence[Totals]) -> Totals:
    """Return the sum of several runs' totals."""
    whole = Totals()
    for part in totals:
        for each in fields(Totals):
            setattr(whole, each.name, getattr(whole, each.name) + getattr(part, each.name))
    return whole
