"""Group `reports`: the files people open, made in a pass of their own."""

from typing import Any

import dagster as dg
from pydantic import Field

from z_interact_assets.core.showing import shortened
from z_interact_assets.core.snapshots import lasting
from z_interact_assets.defs.automation import REPORT_CONDITION, REPORT_FRESHNESS
from z_interact_assets.defs.data_versions import version_of
from z_interact_assets.defs.failures import as_failures
from z_interact_assets.defs.inventory import storage_stats
from z_interact_assets.defs.metadata import OWNERS, TAGS, number_column, numbers, table, text_column
from z_interact_assets.defs.resources import RunObserver
from z_interact_assets.migrate.migration import clock_ms
from z_interact_assets.report import PublishedFile, WrittenReport, publish_report, write_report
from z_interact_assets.workspace import Workspace


class ReportConfig(dg.Config):
    """Where the report goes. Every default is the private choice."""

    out: str | None = Field(default=None, description="Folder the report is written to. Default: REPORT_DIR.")
    publish: bool = Field(
        default=False,
        description=(
            "true: upload the files to REPORT_BUCKET_NAME as well, or under private/reports/ in the images' bucket, "
            "and delete published reports beyond the newest REPORTS_KEPT. Links are printed by "
            "`z-interact-assets report --publish` alone: a link is as good as a password, and Dagster keeps "
            "everything it is told."
        ),
    )


# A multi-asset for the name of its op: a job has the asset's name already, and Dagster wants no op of that name.
@dg.multi_asset(
    name="write_storage_report",
    specs=[
        dg.AssetSpec(
            "storage_report",
            group_name="reports",
            deps=[storage_stats],
            automation_condition=REPORT_CONDITION,
            freshness_policy=REPORT_FRESHNESS,
            kinds={"html", "parquet", "csv"},
            owners=OWNERS,
            tags=TAGS,
            description=(
                "**The files analysts open**, in a folder of their own under REPORT_DIR, named by the time; `latest` "
                "beside them always leads to a whole one, and the newest REPORTS_KEPT stay. `index.html` is for "
                "reading, `images`, `storage_stats` and `history` are tables (Parquet and CSV), `datapackage.json` "
                "says what their columns mean. No prompts, and participants are pseudonyms, unless "
                "REPORT_PERSONAL_DATA says otherwise.\n\n"
                "The table is counted anew; the bucket's numbers are those of the newest snapshot of `storage_stats`. "
                "What is not known is called unknown, never zero.\n\n"
                "**Next:** open the page at `path`; `findings` says what to do."
            ),
        )
    ],
)
def storage_report(
    context: dg.AssetExecutionContext,
    config: ReportConfig,
    workspace: dg.ResourceParam[Workspace],
    observer: dg.ResourceParam[RunObserver],
) -> dg.MaterializeResult:
    """Write the files; whoever looks meanwhile finds the report before."""
    with as_failures(observer):
        report = write_report(workspace.sources(), workspace.report_options(config.out), now_ms=clock_ms())
        observer.results["report"] = report
        context.log.info("The report is in %s", report.folder)
        published: tuple[PublishedFile, ...] = ()
        if config.publish:
            keep = workspace.settings.reports_kept
            published = publish_report(workspace.report_store, report.folder, report.files, keep=keep)
            observer.results["published"] = published
    return dg.MaterializeResult(
        data_version=version_of(lasting(report.stats)),
        metadata=_metadata(report) | _published(published),
    )


def _metadata(report: WrittenReport) -> dict[str, Any]:
    stats = report.stats
    health = stats["health"]
    return {
        "path": dg.MetadataValue.path(report.page),
        "summary": dg.MetadataValue.md(report.headline),
        "findings": table(
            [text_column("severity"), number_column("count"), text_column("issue"), text_column("command")],
            ((found["severity"], found["count"], found["issue"], found["command"]) for found in stats["findings"]),
        ),
        "needs_a_hand": table(
            # The page has a command for each: a command with an id is longer than what may be shown here.
            [text_column("image_id"), text_column("problem"), text_column("why")],
            ((shortened(row.image_id), row.problem, row.sentence) for row in report.attention),
        ),
        "files": table(
            [text_column("file"), number_column("bytes"), number_column("rows"), text_column("description")],
            ((file.name, file.bytes, file.rows or 0, file.description) for file in report.files),
        ),
        "health_status": health["status"],
        **numbers({"health_score": health["score"], "images_that_need_a_hand": report.attention_total, **stats}),
        **_measures(stats),
    }


def _measures(stats: dict[str, Any]) -> dict[str, Any]:
    """Return what is worth plotting and is no whole number at the document's top; what is unknown is left out."""
    total, in_r2 = stats["total_images"], stats["r2_images"] + stats["mixed_images"]
    found = {
        "in_r2_percent": round(100 * in_r2 / total, 2) if total else None,
        "database_bytes": stats["database"]["bytes"],
        "monthly_cost_usd": stats["costs"]["now"]["total"],
        "monthly_cost_all_in_r2_usd": stats["costs"]["all_in_r2"]["total"],
        "monthly_cost_all_base64_usd": stats["costs"]["all_base64"]["total"],
    }
    return {name: value for name, value in found.items() if value is not None}


def _published(files: tuple[PublishedFile, ...]) -> dict[str, Any]:
    """Return the keys alone: whoever may read the bucket can make links of them."""
    if not files:
        return {}
    return {"published": table([text_column("file"), text_column("key")], ((file.name, file.key) for file in files))}
