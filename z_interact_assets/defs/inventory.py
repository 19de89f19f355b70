"""Groups `inventory` and `reports`: what is in the bucket, and the statistics of it all."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import dagster as dg
from pydantic import Field

from z_interact_assets.core.keys import IMAGE_PREFIX
from z_interact_assets.core.showing import shortened
from z_interact_assets.core.snapshots import BUCKET_AS_OF, HISTORY_COLUMNS, lasting, scalars
from z_interact_assets.core.stats import ROW_CLASSES, BucketCounts
from z_interact_assets.defs.automation import INVENTORY_CONDITION, STATS_CONDITION, STATS_FRESHNESS, TOTALS_CONDITION
from z_interact_assets.defs.data_versions import version_of
from z_interact_assets.defs.failures import as_failures
from z_interact_assets.defs.metadata import (
    OWNERS,
    R2_DASHBOARD,
    TAGS,
    ledger_table,
    names,
    number_column,
    numbers,
    table,
    text_column,
)
from z_interact_assets.defs.migration import migrated_images
from z_interact_assets.defs.pools import R2_READS
from z_interact_assets.defs.resources import R2Resource, RunObserver
from z_interact_assets.inventory import Inventory, take_inventory
from z_interact_assets.migrate.migration import clock_ms
from z_interact_assets.stats import collect_stats, summary
from z_interact_assets.storage.ledger.schema import inventories, storage_stats_history
from z_interact_assets.workspace import Workspace

_INVENTORIES = ledger_table(
    inventories,
    {
        "finished_at": "UTC ms",
        "objects": "Objects under images/, over all pages",
        "bytes": "Their size",
        "known": "Objects that belong to a row",
        "orphans": "Objects that belong to no row",
        "missing": "Objects that a row needs and that are not there",
        "corrupted": "Objects that are not as they were recorded",
        "misdirected": "Rows that do not point at their object",
        "shared": "Objects that two rows name",
        "problems": "What is missing, corrupted or misdirected, by name: at most 1,000 of kind, image_id, object_key, "
        "detail",
    },
)
_HISTORY = ledger_table(storage_stats_history, HISTORY_COLUMNS)


@dg.asset(
    group_name="inventory",
    deps=[migrated_images],
    automation_condition=INVENTORY_CONDITION,
    kinds={"s3"},
    owners=OWNERS,
    tags=TAGS,
    pool=R2_READS,
    metadata={**_INVENTORIES, "r2_dashboard": R2_DASHBOARD},
    check_specs=[
        dg.AssetCheckSpec(
            "no_orphan_objects",
            asset="r2_inventory",
            description=(
                "Every object belongs to one row, and to no other.\n\n"
                "**When it warns:** orphans cost storage, nothing else: their row was deleted, or has another object "
                "now. Delete them by hand once nobody needs them. A shared object must not be deleted with one of its "
                "rows."
            ),
        ),
        dg.AssetCheckSpec(
            "no_missing_objects",
            asset="r2_inventory",
            description=(
                "Every object that a row needs is there, as it was recorded.\n\n"
                "**When it fails:** images are lost or about to be. Rows that still hold their base64 are unharmed: "
                "`z-interact-assets status --image-id ID` shows what was proved when. Reclaim nothing; run "
                "`validate_migration` in mode `full`, and `rollback_migration` for what cannot be shown."
            ),
        ),
    ],
    description=(
        "**Every object of the bucket, over all pages**, matched with ledger and table: known, orphan or missing. A "
        "page that cannot be listed fails the run: unknown is not empty.\n\n"
        "**Next:** look at its two checks; `storage_stats` takes its numbers from here."
    ),
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
            asdict(counts), inventory.problems, now_ms=clock_ms(), run_id=context.run.run_id
        )
    observer.results["inventory"] = inventory
    return dg.MaterializeResult(
        data_version=version_of(asdict(counts)),
        metadata={
            "dagster/row_count": counts.objects,
            "dagster/uri": f"s3://{store.bucket}/{IMAGE_PREFIX}",
            **numbers(asdict(counts)),
            **numbers({"edited_by_the_app": inventory.edited_count}),
            "problem_examples": _problems(inventory),
            "orphan_examples": table([text_column("object_key")], ([shortened(key)] for key in inventory.orphans)),
        },
        check_results=_inventory_checks(inventory, counts),
    )


def _problems(inventory: Inventory) -> dg.MetadataValue:
    columns = [
        text_column("problem", "missing, corrupted, or misdirected: the row does not point at its object"),
        text_column("image_id"),
        text_column("object_key"),
        text_column("detail"),
    ]
    records = (
        (problem.kind.value, shortened(problem.image_id), shortened(problem.key or ""), problem.detail)
        for problem in inventory.problems
    )
    return table(columns, records)


def _inventory_checks(inventory: Inventory, counts: BucketCounts) -> list[dg.AssetCheckResult]:
    return [
        dg.AssetCheckResult(
            check_name="no_orphan_objects",
            passed=not counts.orphans and not counts.shared,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{counts.orphans:,} of {counts.objects:,} objects belong to no row, {counts.shared:,} to two.",
            metadata={
                **numbers({"objects": counts.objects, "orphans": counts.orphans, "shared": counts.shared}),
                "examples": names(inventory.orphans),
                "shared_examples": names(inventory.shared),
            },
        ),
        dg.AssetCheckResult(
            check_name="no_missing_objects",
            passed=not counts.missing and not counts.corrupted,
            description=f"{counts.missing:,} objects are missing, {counts.corrupted:,} are not as recorded.",
            metadata={
                **numbers({"objects": counts.objects, "missing": counts.missing, "corrupted": counts.corrupted}),
                "examples": names(inventory.missing),
                "corrupted_examples": names(inventory.corrupted),
            },
        ),
    ]


class StatsConfig(dg.Config):
    """What the statistics may rely on."""

    bucket_listed: bool = Field(
        default=True, description="False: the bucket could not be listed; its numbers are then unknown, not zero."
    )


@dg.asset(
    group_name="reports",
    deps=[r2_inventory],
    automation_condition=STATS_CONDITION,
    freshness_policy=STATS_FRESHNESS,
    kinds={"pandas"},
    owners=OWNERS,
    tags=TAGS,
    metadata=_HISTORY,
    description=(
        "**A snapshot of totals and breakdowns**, appended to the history in the ledger: the table counted without "
        "reading an image, the bucket's numbers from the newest inventory, growth, costs, and a health score with what "
        "lowers it.\n\n"
        "Tools read the history from the ledger's database: `storage_stats_history` has a column for every number, "
        "`storage_stats_breakdowns` (snapshot_id, breakdown, group, value, images, r2_images, base64_images, bytes, "
        "base64_bytes) the images by persona, session, provider, type, month, size and dimensions.\n\n"
        "Numbers that could not be found out are left out, never zero.\n\n"
        "**Next:** do what `next_steps` says; `storage_report` makes files of it."
    ),
)
def storage_stats(
    context: dg.AssetExecutionContext,
    config: StatsConfig,
    workspace: dg.ResourceParam[Workspace],
    observer: dg.ResourceParam[RunObserver],
) -> dg.MaterializeResult:
    """Count the table without reading payloads; take the bucket's numbers from the newest inventory."""
    with as_failures(observer):
        bucket = workspace.ledger.snapshots.latest_counts() if config.bucket_listed else None
        now_ms = clock_ms()
        stats = collect_stats(workspace.sources(), bucket, now_ms=now_ms)
        workspace.ledger.snapshots.add_stats(stats, now_ms=now_ms, run_id=context.run.run_id)
        types = workspace.ledger.figures.content_types()
    observer.results["stats"] = stats
    return dg.MaterializeResult(
        data_version=version_of(lasting(stats)),
        metadata={
            "dagster/row_count": stats["total_images"],
            **_plotted(stats),
            **_health(stats["health"]),
            "summary": dg.MetadataValue.md(summary(stats)),
            "findings": _findings(stats["findings"]),
            "by_persona": _breakdown(stats["breakdowns"]["persona"]),
            "by_type": _breakdown(stats["breakdowns"]["type"]),
            "generated_at": dg.MetadataValue.timestamp(now_ms / 1000),
            **_bucket_as_of(bucket),
            "by_content_type": table(
                [text_column("content_type"), number_column("images"), number_column("bytes")],
                ((shortened(kind), images, size) for kind, images, size in types),
            ),
        },
    )


def _plotted(stats: Mapping[str, Any]) -> dict[str, dg.MetadataValue]:
    """Return the numbers that have a column in the history, which the UI plots; money and rates as they are."""
    known = {name: value for name, value in scalars(stats).items() if name != BUCKET_AS_OF}
    measures = {name: dg.MetadataValue.float(value) for name, value in known.items() if isinstance(value, float)}
    return numbers(known) | measures


def _findings(findings: Sequence[Mapping[str, Any]]) -> dg.MetadataValue:
    columns = [
        text_column("severity", "loss, work, waste or note"),
        number_column("count"),
        text_column("issue"),
        text_column("why"),
        text_column("command"),
    ]
    return table(columns, ([finding[column.name] for column in columns] for finding in findings))


def _breakdown(groups: Sequence[Mapping[str, Any]]) -> dg.MetadataValue:
    """Return the largest groups; what none says is `(none)`, what there is beyond the largest `(others)`."""
    measures = ("images", "r2_images", "base64_images", "bytes", "base64_bytes")
    names_of = {"none": "(none)", "rest": "(others)"}
    return table(
        [text_column("group"), *(number_column(name) for name in measures)],
        (
            (names_of.get(group["group"]) or shortened(group["value"]), *(group[name] for name in measures))
            for group in groups
        ),
    )


def _health(health: Mapping[str, Any]) -> dict[str, Any]:
    """Return the score, which the UI plots, what lowers it, and the commands that mend it."""
    steps = "\n".join(f"- `{command}`" for command in health["recommendations"])
    return {
        "health_status": health["status"],
        **({} if health["score"] is None else numbers({"health_score": health["score"]})),
        "issues": table([text_column("issue")], ([issue] for issue in health["issues"])),
        "next_steps": dg.MetadataValue.md(steps or "Nothing is to be done."),
    }


def _bucket_as_of(bucket: BucketCounts | None) -> dict[str, Any]:
    if bucket is None or bucket.as_of is None:
        return {}
    return {"bucket_as_of": dg.MetadataValue.timestamp(bucket.as_of / 1000)}


@dg.asset_check(
    asset=storage_stats,
    blocking=True,  # no report is made of numbers that contradict each other
    automation_condition=TOTALS_CONDITION,
    description=(
        "The classes of rows add up to the total, in the newest snapshot.\n\n"
        "**When it fails:** no report is made in the same run. A row was counted twice or not at all: a bug of ours, "
        "please report it with the figures shown here."
    ),
)
def totals_reconcile(workspace: dg.ResourceParam[Workspace]) -> dg.AssetCheckResult:
    """Add up the newest snapshot's classes."""
    with as_failures():
        newest = workspace.ledger.snapshots.stats(limit=1)
    if not newest:
        return dg.AssetCheckResult(passed=False, description="There is no snapshot yet: materialise storage_stats.")
    classes = {name: newest[0][f"{name}_images"] for name in ROW_CLASSES}
    counted, total = sum(classes.values()), newest[0]["total_images"]
    return dg.AssetCheckResult(
        passed=counted == total,
        description=f"{counted:,} rows in classes, {total:,} in all.",
        metadata=numbers({"counted": counted, "total": total, **classes}),
    )
