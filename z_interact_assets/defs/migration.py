"""Group `migration`: batches, and the images of each batch in R2."""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from z_interact_assets.core.planning import HeadKind
from z_interact_assets.defs.beta import accepted_beta
from z_interact_assets.defs.failures import as_failures
from z_interact_assets.defs.migration_run import MigrationRun
from z_interact_assets.defs.partitions import migration_batch_partitions, mirror_batches
from z_interact_assets.defs.resources import R2Resource, RunObserver
from z_interact_assets.workspace import Workspace


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
    deps=["legacy_images"],
    kinds={"sql"},
    tags={"domain": "images"},
    description=(
        "Every migratable row belongs to exactly one batch of at most MIGRATION_BATCH_SIZE images; each batch is a "
        "partition of `migrated_images`. Planning reads no image and writes nothing but the ledger."
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
        result = workspace.planner(config.batch_size).plan(run_id=context.run.run_id)
        mirror_batches(context.instance, workspace.ledger)
    for warning in result.warnings:
        context.log.warning(warning)
    observer.results["plan"] = result
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": result.batches,
            "new_batches": len(result.new_batches),
            "planned_images": result.planned,
            "planned_again": result.planned_again,
            "rows_in_table": result.rows,
            "rows_without_an_id": result.unaddressable,
            "external_images": result.kinds.get(HeadKind.EXTERNAL, 0),
            "imageless_images": result.kinds.get(HeadKind.IMAGELESS, 0),
        }
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
            description="No image of the batches was set aside, in conflict or failed.",
        )
    ],
    kinds={"s3", "python"},
    tags={"domain": "images"},
    pool="images_table",
    description=(
        "Each image of the batch is in R2, proved, and its row points at the public URL; rows that cannot be migrated "
        "are set aside with a reason and left as they were.\n\n"
        "Materialise any range of batches in one run. What is done already is reported again and not uploaded again; "
        "a failed batch is finished by materialising it once more."
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
