"""Group `migration`: batches, and the images of each batch in R2."""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from z_interact_assets.core.planning import HeadKind
from z_interact_assets.defs import data_versions
from z_interact_assets.defs.beta import accepted_beta
from z_interact_assets.defs.failures import as_failures
from z_interact_assets.defs.legacy import survey_of
from z_interact_assets.defs.metadata import (
    MAX_LISTED,
    OWNERS,
    R2_DASHBOARD,
    TAGS,
    ledger_table,
    number_column,
    numbers,
    table,
    text_column,
)
from z_interact_assets.defs.migration_run import MigrationRun
from z_interact_assets.defs.partitions import migration_batch_partitions, mirror_batches
from z_interact_assets.defs.pools import IMAGES_TABLE
from z_interact_assets.defs.resources import R2Resource, RunObserver
from z_interact_assets.migrate.planner import PlanResult, Survey
from z_interact_assets.storage.ledger.schema import batches
from z_interact_assets.workspace import Workspace

MAX_OBSERVED = 500  # batches planned again whose page in the UI says so; an event each

_LEGACY = dg.AssetKey("legacy_images")
_MIGRATED = dg.AssetKey("migrated_images")
_BATCHES = ledger_table(
    batches,
    {
        "batch_key": "The partition of `migrated_images`: b000001, b000002 … in order of creation",
        "number": "Its number",
        "items": "How many images it has; they never change",
        "created_at": "When it was planned, UTC ms",
        "leased_by": "The run that has it in hand",
    },
)


class PlanConfig(dg.Config):
    """How to plan."""

    batch_size: int | None = Field(
        default=None, ge=1, description="Images a batch, for batches made now. Default: MIGRATION_BATCH_SIZE."
    )


class MigrateConfig(dg.Config):
    """What of the selected batches to migrate, and how fast."""

    image_ids: list[str] | None = Field(default=None, description="Only these images. Default: all of the batches.")
    limit: int | None = Field(default=None, ge=0, description="At most this many images in all. Default: no limit.")
    concurrency: int | None = Field(
        default=None, ge=1, description="Uploads in flight. Default: UPLOAD_CONCURRENCY (adaptive)."
    )


@dg.asset(
    group_name="migration",
    deps=[_LEGACY],
    kinds={"sql"},
    owners=OWNERS,
    tags=TAGS,
    metadata=_BATCHES,
    description=(
        "Every migratable row belongs to **exactly one batch** of at most MIGRATION_BATCH_SIZE images; each batch is a "
        "partition of `migrated_images`, and its rows never change. A row the app changed is planned again in the "
        "batch it has.\n\n"
        "Planning reads no image and writes nothing but the ledger and the partitions.\n\n"
        "**Next:** materialise the missing partitions of `migrated_images`, and those listed in `batches_with_work`."
    ),
)
def migration_batches(
    context: dg.AssetExecutionContext,
    config: PlanConfig,
    workspace: dg.ResourceParam[Workspace],
    observer: dg.ResourceParam[RunObserver],
) -> dg.MaterializeResult:
    """Plan what is new; no payload is read, nothing but the ledger is written."""
    with as_failures(observer):
        mark = workspace.ledger.demand.mark()
        # Seen by the same run a moment ago; a run of this asset alone looks itself.
        seen: Survey | None = observer.results.pop(survey_of(context.run), None)
        result = workspace.planner(config.batch_size).plan(run_id=context.run.run_id, seen=seen)
        mirror_batches(context.instance, workspace.ledger)
        version = dg.DataVersion(str(workspace.ledger.ask.work_ever_seen()))
        pending = workspace.ledger.work.pending()
        again = set(workspace.ledger.demand.beyond(mark)) - set(result.new_batches)
    for warning in result.warnings:
        context.log.warning(warning)
    observer.results["plan"] = result
    _tell_of_new_work(context, version, rows=result.rows, again={key: pending[key] for key in sorted(again)})
    return dg.MaterializeResult(
        data_version=data_versions.BATCHES,
        # Rows that came while the table was read are planned, too, and the newest observation may be an old one.
        tags=data_versions.input_version("legacy_images", version),
        metadata=_plan_metadata(result, pending),
    )


def _plan_metadata(result: PlanResult, pending: dict[str, int]) -> dict[str, dg.MetadataValue]:
    columns = [text_column("batch", "Partition of migrated_images"), number_column("images", "Still to be migrated")]
    return {
        **numbers({
            "dagster/row_count": result.batches,
            "new_batches": len(result.new_batches),
            "planned_images": result.planned,
            "planned_again": result.planned_again,
            "batches_to_do": len(pending),
            "images_to_do": sum(pending.values()),
            "rows_in_table": result.rows,
            "rows_without_an_id": result.unaddressable,
            "external_images": result.kinds.get(HeadKind.EXTERNAL, 0),
            "imageless_images": result.kinds.get(HeadKind.IMAGELESS, 0),
        }),
        "batches_with_work": table(columns, list(pending.items())[:MAX_LISTED]),
    }  # fmt: skip


def _tell_of_new_work(
    context: dg.AssetExecutionContext, seen: dg.DataVersion, *, rows: int, again: dict[str, int]
) -> None:
    """Log what was seen of the table if nobody has yet, and which batches that were done have work again.

    Else the table's next observation would have another version than the one planned from, and the UI call a plan out
    of date that is not.
    """
    newest = context.instance.fetch_observations(_LEGACY, limit=1).records
    observation = newest[0].event_log_entry.asset_observation if newest else None
    if observation is None or observation.tags.get("dagster/data_version") != seen.value:
        context.log_event(
            dg.AssetObservation(
                _LEGACY, description="As planned from.", metadata=numbers({"dagster/row_count": rows}),
                tags=data_versions.observed(seen),
            )
        )  # fmt: skip
    for key, images in list(again.items())[:MAX_OBSERVED]:
        what = "The app changed rows of this batch: materialise it again to migrate what they hold now."
        context.log_event(
            dg.AssetObservation(
                _MIGRATED, partition=key, description=what, metadata=numbers({"images_planned_again": images})
            )
        )


@accepted_beta(dg.asset)(
    group_name="migration",
    partitions_def=migration_batch_partitions,
    backfill_policy=dg.BackfillPolicy.single_run(),
    deps=[migration_batches],
    # Nothing is returned: each batch reports itself when its last image ends (see MigrationRun).
    output_required=False,
    check_specs=[
        dg.AssetCheckSpec(
            "every_image_is_migrated",
            asset="migrated_images",
            description=(
                "No image of the batches was set aside, in conflict or failed.\n\n"
                "**A warning:** rows were set aside with a reason and left exactly as they were; "
                "`z-interact-assets status --quarantined` lists them all. Mend the row, then "
                "`migrate --image-id ID`. **An error:** images failed for trouble that may pass; materialise the "
                "failed partitions again, only what is left is done."
            ),
        )
    ],
    kinds={"s3", "python"},
    owners=OWNERS,
    tags=TAGS,
    pool=IMAGES_TABLE,
    metadata={"r2_dashboard": R2_DASHBOARD},
    description=(
        "Each image of the batch is **in R2, proved, and its row points at the public URL**; rows that cannot be "
        "migrated are set aside with a reason and left exactly as they were. The base64 stays in the row until it is "
        "reclaimed.\n\n"
        "Materialise any selection of batches in one run. What is done already is reported again and not uploaded "
        "again; a failed batch is finished by materialising it once more; a run may be killed at any moment.\n\n"
        "**Next:** look at the pictures of a partition, run the job `validate_migration`, and when RECLAIM_AFTER_DAYS "
        "have passed, `reclaim_base64`."
    ),
)
def migrated_images(
    context: dg.AssetExecutionContext,
    config: MigrateConfig,
    workspace: dg.ResourceParam[Workspace],
    r2: R2Resource,
    observer: dg.ResourceParam[RunObserver],
) -> Iterator[dg.AssetCheckResult]:
    """Upload, prove and switch; batches are reported one by one as they end."""
    with as_failures(observer):
        run = MigrationRun(context, workspace, r2.get_store(), observer)
        yield from run.execute(image_ids=config.image_ids, limit=config.limit, concurrency=config.concurrency)
