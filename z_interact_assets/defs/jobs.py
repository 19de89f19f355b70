"""Jobs: what is launched as one, in one process; concurrency is in the threads of the services."""

import dagster as dg

from z_interact_assets.defs.backup import backup_images, restore_images
from z_interact_assets.defs.inventory import r2_inventory, storage_stats
from z_interact_assets.defs.legacy import no_new_base64, table_shape_is_known
from z_interact_assets.defs.migration import migrated_images, migration_batches
from z_interact_assets.defs.reversal import reclaimed_images, rollback_migration
from z_interact_assets.defs.validation import validation

plan_batches = dg.define_asset_job(
    "plan_batches",
    selection=dg.AssetSelection.assets("legacy_images", migration_batches).without_checks(),
    description="Look at the table, find new images and give them to batches.",
)
migrate_images = dg.define_asset_job(
    "migrate_images",
    # Its own check alone: the asset yields no output, so any other check of it would be planned and then skipped, and
    # the UI would show that in place of its last result.
    selection=dg.AssetSelection.assets(migrated_images).without_checks()
    | dg.AssetSelection.checks(dg.AssetCheckKey(migrated_images.key, "every_image_is_migrated")),
    description="Migrate any range of batches: upload, prove, switch each row.",
)
reclaim_base64 = dg.define_asset_job(
    "reclaim_base64",
    selection=dg.AssetSelection.assets(reclaimed_images).without_checks(),
    description="Clear base64 that is proved to be in R2, after its soak. Changes nothing until dry_run is false.",
)
take_stock = dg.define_asset_job(
    "take_stock",
    selection=dg.AssetSelection.assets(r2_inventory, storage_stats)
    | dg.AssetSelection.checks(table_shape_is_known, no_new_base64),
    description="List the bucket, match it, append a snapshot of the statistics, and check the table.",
)
count_table = dg.define_asset_job(
    "count_table",
    selection=dg.AssetSelection.assets(storage_stats),
    description="Append a snapshot of the statistics without asking R2.",
)
validate_migration = dg.define_asset_job(
    "validate_migration",
    selection=dg.AssetSelection.checks(validation),
    description="Prove again that every migrated image is in R2 and its row points at it.",
)

ALL_JOBS = [
    plan_batches,
    migrate_images,
    rollback_migration,
    reclaim_base64,
    take_stock,
    count_table,
    validate_migration,
    backup_images,
    restore_images,
]
