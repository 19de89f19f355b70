"""Jobs: what is launched as one, in one process; concurrency is in the threads of the services."""

import dagster as dg

from z_interact_assets.defs.inventory import r2_inventory, storage_stats
from z_interact_assets.defs.migration import migrated_images, migration_batches
from z_interact_assets.defs.validation import validation

plan_batches = dg.define_asset_job(
    "plan_batches",
    selection=dg.AssetSelection.assets(migration_batches).without_checks(),
    description="Find new images and give them to batches.",
)
migrate_images = dg.define_asset_job(
    "migrate_images",
    selection=dg.AssetSelection.assets(migrated_images),
    description="Migrate any range of batches: upload, prove, switch each row.",
)
take_stock = dg.define_asset_job(
    "take_stock",
    selection=dg.AssetSelection.assets(r2_inventory, storage_stats),
    description="List the bucket, match it, and append a snapshot of the statistics.",
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

ALL_JOBS = [plan_batches, migrate_images, take_stock, count_table, validate_migration]
