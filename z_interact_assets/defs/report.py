"""Group `reports`: the files people open, made of the newest snapshot."""

import dagster as dg

from z_interact_assets.defs.automation import REPORT_CONDITION, REPORT_FRESHNESS
from z_interact_assets.defs.data_versions import version_of
from z_interact_assets.defs.failures import as_failures
from z_interact_assets.defs.inventory import storage_stats
from z_interact_assets.defs.metadata import OWNERS, TAGS, numbers
from z_interact_assets.defs.resources import RunObserver
from z_interact_assets.migrate.migration import clock_ms
from z_interact_assets.report import write_report
from z_interact_assets.workspace import Workspace


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
            kinds={"markdown", "json"},
            owners=OWNERS,
            tags=TAGS,
            description=(
                "**The files analysts open**, in a folder of their own under REPORT_DIR, named by the time; `latest` "
                "beside them always leads to a whole one. `summary.md` is for reading, `storage_stats.json` is what "
                "`z-interact-assets stats --json` prints.\n\n"
                "It reports the newest snapshot of `storage_stats`; the job `storage_report` takes a new one first. "
                "What is not known is called unknown, never zero."
            ),
        )
    ],
)
def storage_report(
    workspace: dg.ResourceParam[Workspace], observer: dg.ResourceParam[RunObserver]
) -> dg.MaterializeResult:
    """Write the files; whoever looks meanwhile finds the report before."""
    with as_failures(observer):
        report = write_report(workspace.ledger, workspace.settings.report_dir, now_ms=clock_ms())
    observer.results["report"] = report
    health = report.stats["health"]
    return dg.MaterializeResult(
        data_version=version_of(report.summary),
        metadata={
            "path": dg.MetadataValue.path(report.folder),
            "summary": dg.MetadataValue.md(report.summary),
            "health_status": health["status"],
            **numbers({"health_score": health["score"], **report.stats}),
        },
    )
