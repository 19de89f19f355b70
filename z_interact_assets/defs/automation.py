"""What follows a migration by itself (inventory, statistics, report), and how old these may get. All of it only reads.

The conditions are told by what was materialised, so it does not matter who migrated: the sensor, the nightly schedule,
a backfill or the command line.
"""

from datetime import timedelta

import dagster as dg

from z_interact_assets.defs.timeouts import TWO_HOURS

# Once for each end of a migration: something was materialised since this asset was last requested or made, and nothing
# it depends on is being made any more. A batch that failed, or was never done, is not waited for.
_AFTER_ALL_IT_DEPENDS_ON = (
    dg.AutomationCondition.any_deps_updated().since_last_handled()
    & ~dg.AutomationCondition.any_deps_in_progress()
    & ~dg.AutomationCondition.in_progress()
)

INVENTORY_CONDITION = _AFTER_ALL_IT_DEPENDS_ON.with_label("after a migration has ended")
STATS_CONDITION = _AFTER_ALL_IT_DEPENDS_ON.with_label("after an inventory")
TOTALS_CONDITION = _AFTER_ALL_IT_DEPENDS_ON.with_label("with each snapshot of the statistics")
REPORT_CONDITION = _AFTER_ALL_IT_DEPENDS_ON.with_label("after a snapshot of the statistics")

# Made daily by `daily_storage_report`: late after one that did not come, failed after two.
_DAILY = dg.FreshnessPolicy.time_window(warn_window=timedelta(hours=26), fail_window=timedelta(hours=50))
STATS_FRESHNESS = _DAILY
REPORT_FRESHNESS = _DAILY

reports_follow_the_migration = dg.AutomationConditionSensorDefinition(
    "reports_follow_the_migration",
    target=dg.AssetSelection.assets("r2_inventory", "storage_stats", "storage_report")
    | dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey("storage_stats"), "totals_reconcile")),
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=60,
    run_tags=TWO_HOURS,
    description=(
        "Takes the inventory once a migration has ended, whoever started it, then the statistics, then the report "
        "if their totals reconcile, in one run. Nothing is requested in the middle of a migration, nor for each batch. "
        "Only reads."
    ),
)
