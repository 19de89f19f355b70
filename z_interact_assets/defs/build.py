"""Putting the definitions together, with resources that tests and the command line may replace."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from z_interact_assets.defs import inventory, legacy, migration, report, reversal, validation
from z_interact_assets.defs.jobs import ALL_JOBS
from z_interact_assets.defs.partitions import in_runs_of
from z_interact_assets.defs.resources import default_resources
from z_interact_assets.defs.schedules import build_schedules
from z_interact_assets.defs.sensors import build_sensors
from z_interact_assets.settings import AutomationSettings, load_automation_settings


def build_defs(
    resource_overrides: Mapping[str, Any] | None = None, *, settings: AutomationSettings | None = None
) -> dg.Definitions:
    """Return the definitions; `resource_overrides` replaces `r2`, `workspace` or `observer`, for tests and the CLI.

    `settings` are by default the environment's; SettingsError lists what is wrong with them.
    """
    settings = settings or load_automation_settings()
    return dg.Definitions(
        assets=[
            legacy.legacy_images,
            migration.migration_batches,
            in_runs_of(settings.batches_per_run, migration.migrated_images),
            in_runs_of(settings.batches_per_run, reversal.reclaimed_images),
            inventory.r2_inventory,
            inventory.storage_stats,
            report.storage_report,
        ],
        asset_checks=[
            legacy.table_shape_is_known,
            legacy.no_new_base64,
            inventory.totals_reconcile,
            validation.validation,
            validation.public_urls_serve_the_images,
        ],
        jobs=ALL_JOBS,
        schedules=build_schedules(settings),
        sensors=build_sensors(settings),
        resources={**default_resources(), **(resource_overrides or {})},
        # Work is done by threads inside a service; a process a step would cost a second each and share nothing.
        executor=dg.in_process_executor,
    )
