"""Rollback as a job, and the asset `reclaimed_images`, which clears base64. Both change nothing until told to."""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from z_interact_assets.core.errors import SettingsError
from z_interact_assets.core.models import PENDING_STATES, ItemState
from z_interact_assets.core.showing import shortened
from z_interact_assets.defs.beta import accepted_beta
from z_interact_assets.defs.data_versions import batch_version, materialized, version_of
from z_interact_assets.defs.failures import as_failures
from z_interact_assets.defs.metadata import OWNERS, TAGS, numbers, table, text_column
from z_interact_assets.defs.migration import migrated_images
from z_interact_assets.defs.partitions import migration_batch_partitions
from z_interact_assets.defs.pools import IMAGES_TABLE
from z_interact_assets.defs.resources import R2Resource, RunObserver
from z_interact_assets.defs.run_config import op_config
from z_interact_assets.defs.timeouts import A_DAY
from z_interact_assets.inventory import Inventory, take_inventory
from z_interact_assets.reverse import Chosen, Means, Reclaim, Rollback, reclaimable
from z_interact_assets.reverse.report import ReclaimReport, RefusedImage
from z_interact_assets.storage.ledger import Ledger
from z_interact_assets.storage.public import PublicReader
from z_interact_assets.workspace import Workspace


class RollbackConfig(dg.Config):
    """Which images to give their rows back, and whether to do it."""

    image_ids: list[str] | None = Field(default=None, description="These images.")
    batch_keys: list[str] | None = Field(default=None, description="All images of these batches, such as b000001.")
    everything: bool = Field(default=False, description="All images of the ledger.")
    delete_objects: bool = Field(
        default=False,
        description="Delete the objects, too, each after its row was read again and proved to hold the image.",
    )
    dry_run: bool = Field(default=True, description="Decide everything, change nothing. Set it to false to do it.")

    def chosen(self) -> Chosen:
        """Return the choice; SettingsError unless it is exactly one."""
        given = [self.image_ids is not None, self.batch_keys is not None, self.everything]
        if sum(given) != 1:
            raise SettingsError(["rollback: choose exactly one of image_ids, batch_keys and everything"])
        return Chosen(
            image_ids=None if self.image_ids is None else tuple(self.image_ids),
            batch_keys=None if self.batch_keys is None else tuple(self.batch_keys),
        )


@dg.op(
    out=dg.Out(dg.Nothing),
    tags=TAGS,
    pool=IMAGES_TABLE,
    description="Give rows back what they held before their migration, byte for byte; objects are kept unless told.",
)
def rollback(
    context: dg.OpExecutionContext,
    config: RollbackConfig,
    workspace: dg.ResourceParam[Workspace],
    r2: R2Resource,
    observer: dg.ResourceParam[RunObserver],
) -> Iterator[dg.AssetObservation | dg.Output[None]]:
    """Roll back; each batch is observed as its rows are back. Rows that could not be given back fail nothing."""
    with as_failures(observer):
        chosen = config.chosen()
        means = _means(workspace, observer, context.run.run_id, dry_run=config.dry_run)
        run = Rollback(means, r2.get_store(), workspace.bases, delete_objects=config.delete_objects)
        observer.results["rollback"] = run.report
        for key in run.run(chosen):
            if not config.dry_run:
                yield _observed(workspace.ledger, key)
    document = run.report.to_json()
    yield dg.Output(None, metadata={**numbers(document), "images_refused": _refused(run.report.errors)})


@dg.job(
    config=op_config("rollback", {"batch_keys": ["b000001"], "delete_objects": False, "dry_run": True}),
    tags=A_DAY,
    description=(
        "Take a migration back, byte for byte: of some batches (`batch_keys: [b000001]`), of some images "
        "(`image_ids: [a, b]`), or all of it (`everything: true`); exactly one of them. **Changes nothing until "
        "`dry_run` is false.** Objects are kept unless `delete_objects` is true. What was rolled back stays so until "
        "`z-interact-assets migrate --rolled-back`."
    ),
)
def rollback_migration() -> None:
    """Run the one op."""
    rollback()


class ReclaimConfig(dg.Config):
    """Whether to clear base64, and what then."""

    dry_run: bool = Field(default=True, description="Prove everything, change nothing. Set it to false to do it.")
    vacuum: bool = Field(
        default=False,
        description="Shrink the SQLite file afterwards. It needs twice its size of free disk and keeps the app from "
        "writing while it runs.",
    )


@accepted_beta(dg.asset)(
    group_name="migration",
    partitions_def=migration_batch_partitions,
    backfill_policy=dg.BackfillPolicy.single_run(),
    deps=[migrated_images],
    output_required=False,  # each batch reports itself, as in migrated_images
    kinds={"sql"},
    owners=OWNERS,
    tags=TAGS,
    pool=IMAGES_TABLE,
    description=(
        "The batch's **base64 is gone from the table**: after RECLAIM_AFTER_DAYS, and after every byte of its objects "
        "was read back and proved in the same run. Rows the app changed, and images that were set aside, keep "
        "theirs.\n\n"
        "**Changes nothing until `dry_run` is false**: the run's observation then says what it would do. A batch that "
        "is not due yet is not materialised.\n\n"
        "**Next:** `z-interact-assets verdict` tells whether the column may be dropped. `rollback_migration` still "
        "gives every text back, as long as the objects and the ledger are there."
    ),
)
def reclaimed_images(
    context: dg.AssetExecutionContext,
    config: ReclaimConfig,
    workspace: dg.ResourceParam[Workspace],
    r2: R2Resource,
    observer: dg.ResourceParam[RunObserver],
) -> Iterator[dg.AssetObservation]:
    """Prove and clear; a bucket that cannot be listed, or a public URL that does not serve, clears nothing."""
    keys = tuple(context.partition_keys)
    with as_failures(observer), PublicReader() as public:
        store = r2.get_store()
        if "reconciled" not in observer.results:
            observer.results["reconciled"] = take_inventory(store, workspace.table, workspace.ledger, workspace.bases)
        reconciled: Inventory = observer.results["reconciled"]
        means = _means(workspace, observer, context.run.run_id, dry_run=config.dry_run)
        run = Reclaim(
            means, store, workspace.bases, public, after_days=workspace.settings.reclaim_after_days,
            vacuum=config.vacuum,
        )  # fmt: skip
        observer.results.setdefault("reclaim", []).append(run.report)
        try:
            for _ in run.run(reconciled, keys):
                pass
        finally:
            if not config.dry_run:
                _report_batches(context, workspace.ledger, keys)
    yield dg.AssetObservation(
        context.asset_key,
        metadata={**numbers(run.report.to_json()), "images_refused": _refused(run.report.errors)},
    )
    _fail_if_refused(run.report)


def _report_batches(context: dg.AssetExecutionContext, ledger: Ledger, keys: tuple[str, ...]) -> None:
    """Materialise the batches that have no base64 left to clear, done now or before."""
    waiting = ledger.undo.count(reclaimable(keys))
    events = context.instance.get_latest_storage_id_by_partition(
        migrated_images.key, dg.DagsterEventType.ASSET_MATERIALIZATION, set(keys)
    )
    for key in keys:
        summary = ledger.ask.batch(key)
        if key in waiting or any(state in summary.states for state in _NOT_CLEARED):
            continue
        images, cleared = ledger.ask.reclaimed(key)
        metadata = {"dagster/row_count": summary.items, "images_reclaimed": images, "bytes_reclaimed": cleared}
        tags = materialized(
            version_of([images, cleared]),
            run_id=context.run.run_id,
            inputs={"migrated_images": (batch_version(ledger.ask.batch_items(key)), events.get(key))},
        )
        context.log_event(
            dg.AssetMaterialization(context.asset_key, partition=key, metadata=numbers(metadata), tags=tags)
        )


_NOT_CLEARED = PENDING_STATES | {ItemState.ROLLED_BACK}


def _fail_if_refused(report: ReclaimReport) -> None:
    if report.failed or not report.complete:
        what = f"{report.failed} images could not be proved and keep their base64." if report.failed else "Stopped."
        raise dg.Failure(
            description=f"{what} The run's observation lists the reasons.",
            metadata={"failed_images": report.failed},
            allow_retries=False,
        )


def _means(workspace: Workspace, observer: RunObserver, run_id: str, *, dry_run: bool) -> Means:
    return workspace.means(run_id=run_id, dry_run=dry_run, stop=observer.stop, listen=observer.progress)


def _observed(ledger: Ledger, key: str) -> dg.AssetObservation:
    states = ledger.ask.batch(key).states
    metadata = {f"images_{state.value}": count for state, count in sorted(states.items())}
    return dg.AssetObservation(migrated_images.key, partition=key, description="Rolled back.", metadata=metadata)


def _refused(errors: list[RefusedImage]) -> dg.MetadataValue:
    documents = (error.to_json() for error in errors)
    records = ((shortened(each["image_id"]), each["reason"], each["message"]) for each in documents)
    return table([text_column("image_id"), text_column("reason"), text_column("message")], records)
