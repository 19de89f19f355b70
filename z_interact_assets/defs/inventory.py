"""Groups `inventory` and `reports`: what is in the bucket, and the statistics of it all."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
from pydantic import Field

from z_interact_assets.core.keys import IMAGE_PREFIX
from z_interact_assets.core.showing import shortened
from z_interact_assets.core.stats import ROW_CLASSES, BucketCounts
from z_interact_assets.defs.failures import as_failures
from z_interact_assets.defs.migration import migrated_images
from z_interact_assets.defs.resources import R2Resource, RunObserver
from z_interact_assets.inventory import Inventory, breakdown, collect_stats, take_inventory
from z_interact_assets.migrate.migration import clock_ms
from z_interact_assets.workspace import Workspace

MAX_EXAMPLES = 20
_KEPT_COUNTS = ("objects", "bytes", "known", "orphans", "missing")  # the columns of the ledger's history


@dg.asset(
    group_name="inventory",
    deps=[migrated_images],
    kinds={"s3"},
    tags={"domain": "images"},
    check_specs=[
        dg.AssetCheckSpec(
            "no_orphan_objects", asset="r2_inventory", description="Every object belongs to one row, and to no other."
        ),
        dg.AssetCheckSpec(
            "no_missing_objects", asset="r2_inventory", description="Every object that is needed is there, as recorded."
        ),
    ],
    description="Every object of the bucket, over all pages, matched with ledger and table: known, orphan or missing.",
)
def r2_inventory(
    context: dg.AssetExecutionContext,
    workspace: dg.ResourceParam[Workspace],
    r2: R2Resource,
    observer: dg.ResourceParam[RunObserver],
) -> dg.MaterializeResult:
    """List and match; a page that cannot be listed fails the run, it never counts as empty."""
    with as_failures(observer):
        store = r2.get_store()
        inventory = take_inventory(store, workspace.table, workspace.ledger, workspace.bases)
        counts = inventory.counts()
        workspace.ledger.snapshots.add_inventory(
            {name: getattr(counts, name) for name in _KEPT_COUNTS}, now_ms=clock_ms(), run_id=context.run.run_id
        )
    observer.results["inventory"] = inventory
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": counts.objects,
            "dagster/uri": f"s3://{store.bucket}/{IMAGE_PREFIX}",
            "bytes": counts.bytes,
            "known": counts.known,
            "orphans": counts.orphans,
            "missing": counts.missing,
            "corrupted": counts.corrupted,
            "misdirected": counts.misdirected,
            "misdirected_examples": _examples(inventory.misdirected),
            "edited_by_the_app": inventory.edited_count,
            "shared": counts.shared,
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="no_orphan_objects",
                passed=not counts.orphans and not counts.shared,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={
                    "orphans": counts.orphans,
                    "examples": _examples(inventory.orphans),
                    "shared": counts.shared,
                    "shared_examples": _examples(inventory.shared),
                },
            ),
            dg.AssetCheckResult(
                check_name="no_missing_objects",
                passed=not counts.missing and not counts.corrupted,
                metadata={
                    "missing": counts.missing,
                    "examples": _examples(inventory.missing),
                    "corrupted": counts.corrupted,
                    "corrupted_examples": _examples(inventory.corrupted),
                },
            ),
        ],
    )


def _examples(names: Sequence[str]) -> list[str]:
    return [shortened(name) for name in names[:MAX_EXAMPLES]]


class StatsConfig(dg.Config):
    """What the statistics may rely on."""

    bucket_listed: bool = Field(
        default=True, description="False: the bucket could not be listed; its numbers are then unknown, not zero."
    )


@dg.asset(
    group_name="reports",
    deps=[r2_inventory],
    kinds={"pandas"},
    tags={"domain": "images"},
    description="A snapshot of totals and breakdowns, appended to the history in the ledger.",
)
def storage_stats(
    context: dg.AssetExecutionContext,
    config: StatsConfig,
    workspace: dg.ResourceParam[Workspace],
    observer: dg.ResourceParam[RunObserver],
) -> dg.MaterializeResult:
    """Count the table without reading payloads; take the bucket's numbers from the newest inventory."""
    with as_failures(observer):
        inventory = workspace.ledger.snapshots.latest_inventory() if config.bucket_listed else None
        bucket = None if inventory is None else _counts(inventory, observer)
        now_ms = clock_ms()
        stats = collect_stats(workspace.table, workspace.ledger, workspace.bases, bucket, now_ms=now_ms)
        workspace.ledger.snapshots.add_stats(stats, now_ms=now_ms, run_id=context.run.run_id)
        types = breakdown(workspace.ledger)
    observer.results["stats"] = stats
    health = stats["health"]
    numbers = {name: value for name, value in stats.items() if isinstance(value, int)}
    as_of = {"bucket_as_of": dg.MetadataValue.timestamp(inventory["finished_at"] / 1000)} if inventory else {}
    return dg.MaterializeResult(
        metadata={
            **numbers,
            **as_of,
            "health_status": health["status"],
            **({} if health["score"] is None else {"health_score": health["score"]}),
            "issues": dg.MetadataValue.md("\n".join(f"- {issue}" for issue in health["issues"]) or "None."),
            "by_content_type": dg.MetadataValue.table(
                records=[
                    dg.TableRecord({**record, "content_type": shortened(str(record["content_type"]))})
                    for record in types.to_dict("records")
                ],
                schema=dg.TableSchema([
                    dg.TableColumn("content_type"), dg.TableColumn("images", "int"), dg.TableColumn("bytes", "int"),
                ]),
            ),
        }
    )  # fmt: skip


def _counts(kept: Mapping[str, Any], observer: RunObserver) -> BucketCounts:
    """Return the newest inventory's numbers; the whole of them if this run took it."""
    counts = BucketCounts(**{name: kept[name] for name in _KEPT_COUNTS})
    taken: Inventory | None = observer.results.get("inventory")
    return counts if taken is None else taken.counts()


@dg.asset_check(asset=storage_stats, description="The classes of rows add up to the total, in the newest snapshot.")
def totals_reconcile(workspace: dg.ResourceParam[Workspace]) -> dg.AssetCheckResult:
    """Add up the newest snapshot's classes."""
    with as_failures():
        newest = workspace.ledger.snapshots.stats(limit=1)
    if not newest:
        return dg.AssetCheckResult(passed=False, metadata={"why": "There is no snapshot yet."})
    counted = sum(newest[0][f"{name}_images"] for name in ROW_CLASSES)
    total = newest[0]["total_images"]
    return dg.AssetCheckResult(passed=counted == total, metadata={"counted": counted, "total": total})
