"""Jobs: what is launched as one, in one process; concurrency is in the threads of the services.

A job's `config` is what the launchpad opens with, and what a run without any config gets: the safe choice, spelled out.
"""

import dagster as dg

from z_interact_assets.defs.backup import backup_images, restore_images
from z_interact_assets.defs.connectivity import r2_connectivity
from z_interact_assets.defs.inventory import r2_inventory, storage_stats, totals_reconcile
from z_interact_assets.defs.legacy import no_new_base64, table_shape_is_known
from z_interact_assets.defs.migration import migrated_images, migration_batches
from z_interact_assets.defs.report import storage_report as storage_report_asset
from z_interact_assets.defs.reversal import reclaimed_images, rollback_migration
from z_interact_assets.defs.run_config import op_config
from z_interact_assets.defs.timeouts import A_DAY, TWO_HOURS
from z_interact_assets.defs.validation import public_urls_serve_the_images, validation

plan_batches = dg.define_asset_job(
    "plan_batches",
    selection=dg.AssetSelection.assets("legacy_images", migration_batches).without_checks(),
    tags=TWO_HOURS,
    description="Look at the table, find new images and give them to batches. Reads no image, writes only the ledger.",
)
migrate_images = dg.define_asset_job(
    "migrate_images",
    # Its own check alone: the asset yields no output, so any other check of it would be planned and then skipped, and
    # the UI would show that in place of its last result.
    selection=dg.AssetSelection.assets(migrated_images).without_checks()
    | dg.AssetSelection.checks(dg.AssetCheckKey(migrated_images.key, "every_image_is_migrated")),
    tags=A_DAY,
    description="Migrate any range of batches: upload, prove, switch each row. What is done is not done again.",
)
reclaim_base64 = dg.define_asset_job(
    "reclaim_base64",
    selection=dg.AssetSelection.assets(reclaimed_images).without_checks(),
    config=op_config("reclaimed_images", {"dry_run": True, "vacuum": False}),
    tags=A_DAY,
    description=(
        "Clear base64 that is proved to be in R2, after its soak. **Changes nothing until `dry_run` is false**; the "
        "run's observation says what it would do."
    ),
)
take_stock = dg.define_asset_job(
    "take_stock",
    selection=dg.AssetSelection.assets(r2_inventory, storage_stats)
    | dg.AssetSelection.checks(table_shape_is_known, no_new_base64),
    tags=TWO_HOURS,
    description="List the bucket, match it, append a snapshot of the statistics, and check the table.",
)
count_table = dg.define_asset_job(
    "count_table",
    selection=dg.AssetSelection.assets(storage_stats),
    tags=TWO_HOURS,
    description="Append a snapshot of the statistics without asking R2.",
)
storage_report = dg.define_asset_job(
    "storage_report",
    selection=dg.AssetSelection.assets(storage_stats, storage_report_asset)
    | dg.AssetSelection.checks(totals_reconcile),
    config=op_config("write_storage_report", {"publish": False}),
    tags=TWO_HOURS,
    description=(
        "Append a snapshot of the statistics and write the report of it, if its totals reconcile. The bucket's "
        "numbers are those of the newest inventory; `take_stock` takes a new one."
    ),
)
validate_migration = dg.define_asset_job(
    "validate_migration",
    selection=dg.AssetSelection.checks(validation),
    config=op_config("validation", {"mode": "head"}),
    tags=A_DAY,
    description=(
        "Prove again that every migrated image is in R2 and its row points at it. Reads only. `mode: full` reads "
        "every byte, `mode: public` reads it through the public URL; `sample: 100` takes so many, drawn at random."
    ),
)
sample_public_urls = dg.define_asset_job(
    "sample_public_urls",
    selection=dg.AssetSelection.checks(public_urls_serve_the_images),
    tags=TWO_HOURS,
    description="See whether the public URLs of some images, drawn at random, serve their bytes, as a browser would.",
)

ALL_JOBS = [
    plan_batches,
    migrate_images,
    rollback_migration,
    reclaim_base64,
    take_stock,
    count_table,
    storage_report,
    validate_migration,
    sample_public_urls,
    r2_connectivity,
    backup_images,
    restore_images,
]
