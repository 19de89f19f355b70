"""`migrate` as a function: which batches, in which runs, and the one document they add up to."""

from collections.abc import Sequence
from dataclasses import fields
from time import monotonic
from typing import TYPE_CHECKING

import click

from z_interact_assets.cli.options import plain
from z_interact_assets.cli.planning import assign_batches, warn_of_unaddressable
from z_interact_assets.cli.progress import shown_progress
from z_interact_assets.core.planning import Decision, batch_count, batch_key
from z_interact_assets.core.ranges import batch_ranges
from z_interact_assets.defs.run_config import op_config
from z_interact_assets.migrate.outcomes import Totals
from z_interact_assets.migrate.scope import Scope

if TYPE_CHECKING:
    from z_interact_assets.cli.runs import Runs
    from z_interact_assets.migrate.planner import Survey
    from z_interact_assets.workspace import Workspace

# A run costs about 0.2 s and a barrier, a batch that is done already some 3 ms of bookkeeping: a gap of so many done
# batches is cheaper bridged (they are reported again, nothing is uploaded) than made a border between two runs.
BRIDGED_GAP = 25

GO_ON = "Run the same command again to go on where it stopped."


def look_first(workspace: "Workspace", scope: Scope) -> tuple[bool, "Survey | None"]:
    """Tell, without Dagster, whether there is anything to do; and what was seen of the table if that was looked at."""
    planner = workspace.planner()

    def waits() -> bool:
        pending = workspace.ledger.work.pending(scope.batch_keys, image_ids=scope.image_ids)
        return bool(pending or planner.asked_for(scope))

    if waits():
        return True, None
    seen = planner.survey()
    return bool(seen.changes) or waits(), seen  # another process may have planned meanwhile what is no change now


def nothing_done(workspace: "Workspace", scope: Scope) -> Totals:
    """Say of the scope what `migrate_now` says where there is nothing to do."""
    warn_of_unaddressable(workspace.table.unaddressable())
    refuse_unknown(workspace, scope)
    return Totals()


def migrate_now(
    workspace: "Workspace",
    runs: "Runs",
    scope: Scope,
    *,
    batch_size: int | None = None,
    concurrency: int | None = None,
    seen: "Survey | None" = None,
) -> tuple[Totals, float]:
    """Plan what is new and migrate the scope; return the totals and the seconds it took. `seen`: see assign_batches.

    What ended it early, after some of it was done, is in the observer: `error`, or `stop`.
    """
    started = monotonic()
    assign_batches(runs, batch_size=batch_size, seen=seen)
    refuse_unknown(workspace, scope)
    workspace.planner().try_again(scope)
    pending = workspace.ledger.work.pending(scope.batch_keys, image_ids=scope.image_ids)
    if pending:
        workspace.store.check()
    left = scope.limit
    with shown_progress("Migrating") as runs.observer.listen:
        for batches in batch_ranges(pending, gap=0 if scope.batch_keys is not None else BRIDGED_GAP):
            if runs.observer.stop.is_set() or left == 0:
                break
            _run_range(runs, batches, scope, left, concurrency)
            if runs.observer.error is not None:
                break
            left = None if left is None else left - runs.observer.totals[-1].planned
    if runs.observer.error is not None and not runs.observer.totals:
        raise runs.observer.error
    return added_up(runs.observer.totals), monotonic() - started


def refuse_unknown(
    workspace: "Workspace", scope: Scope, *, batch_size: int | None = None, verb: str = "migrate"
) -> None:
    """Refuse batches and images that are not there (click.BadParameter).

    With `batch_size` what planning would add counts as there: for the dry run, which has planned nothing.
    """
    batches = set(scope.batch_keys or ())
    images = set(scope.image_ids or ())
    if batches:
        batches.difference_update(workspace.ledger.planning.batch_keys())
    if images:
        images.difference_update(workspace.ledger.planning.known(list(images)))
    if batch_size is not None and (batches or images):
        fresh = 0
        for head, decision, _ in workspace.planner(batch_size).unplanned():
            images.discard(head.id)
            fresh += decision is Decision.BATCH
        first = workspace.ledger.planning.batch_count() + 1
        batches.difference_update(batch_key(first + number) for number in range(batch_count(fresh, batch_size)))
    if batches:
        raise click.BadParameter(f"there is no batch {_listed(batches)}.", param_hint="--batch")
    if images:
        raise click.BadParameter(f"there is no image {_listed(images)} to {verb}.", param_hint="--image-id")


def _listed(names: set[str]) -> str:
    return plain(", ".join(sorted(names)))


def _run_range(runs: "Runs", batches: tuple[str, str], scope: Scope, left: int | None, concurrency: int | None) -> None:
    from z_interact_assets.defs.partitions import range_tags  # noqa: PLC0415 - imports dagster

    config = {
        "image_ids": None if scope.image_ids is None else list(scope.image_ids),
        "limit": left,
        "concurrency": concurrency,
    }
    runs.run("migrate_images", config=op_config("migrated_images", config), tags=range_tags(*batches), check=False)


def added_up(totals: Sequence[Totals]) -> Totals:
    """Return the sum of several runs' totals."""
    whole = Totals()
    for part in totals:
        for each in fields(Totals):
            setattr(whole, each.name, getattr(whole, each.name) + getattr(part, each.name))
    return whole
