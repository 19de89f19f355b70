"""`rollback` and `reclaim` as functions: in which runs, and the one report they add up to."""

from typing import TYPE_CHECKING

from z_interact_assets.cli.migrating import BRIDGED_GAP
from z_interact_assets.cli.progress import shown_progress
from z_interact_assets.core.ranges import batch_ranges
from z_interact_assets.defs.run_config import op_config
from z_interact_assets.reverse import Chosen, Reclaim, ReclaimReport, Rollback, RollbackReport, reclaimable

if TYPE_CHECKING:
    from z_interact_assets.cli.runs import Runs
    from z_interact_assets.workspace import Workspace


def roll_back_now(runs: "Runs", chosen: Chosen, *, delete_objects: bool) -> RollbackReport:
    """Run the rollback job. What ended it early, after some of it was done, is in the observer."""
    everything = chosen.image_ids is None and chosen.batch_keys is None
    config = {
        "image_ids": None if chosen.image_ids is None else list(chosen.image_ids),
        "batch_keys": None if chosen.batch_keys is None else list(chosen.batch_keys),
        "everything": everything, "delete_objects": delete_objects, "dry_run": False,
    }  # fmt: skip
    with shown_progress("Rolling back") as runs.observer.listen:
        runs.run("rollback_migration", config=op_config("rollback", config), check=False)
    if "rollback" not in runs.observer.results and runs.observer.error is not None:
        raise runs.observer.error
    return runs.observer.results["rollback"]


def foretell_rollback(workspace: "Workspace", chosen: Chosen, *, delete_objects: bool) -> RollbackReport:
    """Decide everything, write nothing."""
    with shown_progress("Reading") as listen:
        means = workspace.means(dry_run=True, listen=listen)
        rollback = Rollback(means, workspace.store, workspace.bases, delete_objects=delete_objects)
        for _ in rollback.run(chosen):
            pass
    return rollback.report


def reclaim_now(
    workspace: "Workspace", runs: "Runs", batch_keys: tuple[str, ...] | None, *, vacuum: bool
) -> ReclaimReport:
    """Reclaim what is due, of these batches or of all, in one run for each range of neighbouring batches.

    The bucket is matched once for all of them. What ended it early, after some of it was done, is in the observer.
    """
    from z_interact_assets.defs.partitions import range_tags  # noqa: PLC0415 - imports dagster

    waiting = workspace.ledger.undo.count(reclaimable(batch_keys))
    ranges = batch_ranges(waiting, gap=0 if batch_keys is not None else BRIDGED_GAP)
    if vacuum:
        workspace.table.space.check_vacuum()
    with shown_progress("Reclaiming") as runs.observer.listen:
        for number, batches in enumerate(ranges, start=1):
            config = op_config("reclaimed_images", {"dry_run": False, "vacuum": vacuum and number == len(ranges)})
            runs.run("reclaim_base64", config=config, tags=range_tags(*batches), check=False)
            if runs.observer.error is not None or runs.observer.stop.is_set():
                break
    reports: list[ReclaimReport] = runs.observer.results.get("reclaim", [])
    if not reports and runs.observer.error is not None:
        raise runs.observer.error
    whole = ReclaimReport(dry_run=False)
    for report in reports:
        whole.absorb(report)
    return whole


def foretell_reclaim(workspace: "Workspace", batch_keys: tuple[str, ...] | None, *, vacuum: bool) -> ReclaimReport:
    """Prove everything, write nothing."""
    from z_interact_assets.inventory import take_inventory  # noqa: PLC0415 - only for this
    from z_interact_assets.storage.public import PublicReader  # noqa: PLC0415

    reconciled = take_inventory(workspace.store, workspace.table, workspace.ledger, workspace.bases)
    with shown_progress("Proving") as listen, PublicReader() as public:
        means = workspace.means(dry_run=True, listen=listen)
        after_days = workspace.settings.reclaim_after_days
        reclaim = Reclaim(means, workspace.store, workspace.bases, public, after_days=after_days, vacuum=vacuum)
        for _ in reclaim.run(reconciled, batch_keys):
            pass
    return reclaim.report
