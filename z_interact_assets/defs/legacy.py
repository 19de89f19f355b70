"""Group `legacy`: the app's table, observed and never made by us."""

from itertools import islice

import dagster as dg

from z_interact_assets.core.rows import TableShape
from z_interact_assets.core.showing import plain, shortened
from z_interact_assets.defs.beta import accepted_beta
from z_interact_assets.defs.failures import as_failures
from z_interact_assets.defs.resources import RunObserver
from z_interact_assets.workspace import Workspace

MAX_EXAMPLES = 10


# The multi-asset decorator for a single asset: `observable_source_asset` takes no kinds, and Dagster 1.13 raises a
# deprecation of its own when it resolves one.
@accepted_beta(dg.multi_observable_source_asset)(
    name="legacy_images",
    specs=[
        dg.AssetSpec(
            "legacy_images",
            group_name="legacy",
            kinds={"sql"},
            tags={"domain": "images"},
            description=(
                "The app's `images` table as last seen. Its data version changes when there is new work to migrate, "
                "and only then."
            ),
        )
    ],
)
def legacy_images(workspace: dg.ResourceParam[Workspace], observer: dg.ResourceParam[RunObserver]) -> dg.ObserveResult:
    """Count the rows by state; no payload is read."""
    with as_failures(observer):
        counts, unplanned = workspace.planner().survey()
        shape = workspace.table.shape
        return dg.ObserveResult(
            data_version=dg.DataVersion(str(workspace.ledger.ask.work_ever_seen() + unplanned)),
            metadata={
                "dagster/row_count": counts.total,
                "dagster/table_name": shape.table,
                "dagster/column_schema": column_schema(shape),
                "base64_images": counts.base64,
                "mixed_images": counts.mixed,
                "r2_images": counts.r2,
                "external_images": counts.external,
                "imageless_images": counts.imageless,
                "local_images": counts.local,
                "unfinished_images": counts.unfinished,
                "unrecognised_images": counts.unrecognised,
                "base64_bytes": counts.base64_bytes,
                "not_yet_planned": unplanned,
            },
        )


def column_schema(shape: TableShape) -> dg.TableSchema:
    """Return the reflected columns as Dagster shows them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(plain(name), type=plain(kind)) for name, kind in zip(shape.columns, shape.types, strict=True)
        ]
    )


@dg.asset_check(asset=legacy_images, description="The table has a shape the app's own migrations made.")
def table_shape_is_known(workspace: dg.ResourceParam[Workspace]) -> dg.AssetCheckResult:
    """Warn of columns nobody told us of, and of rows without an id."""
    with as_failures():
        unknown = workspace.table.shape.unknown_columns
        unaddressable = workspace.table.unaddressable()
    return dg.AssetCheckResult(
        passed=not unknown and not unaddressable,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"unknown_columns": [shortened(name) for name in unknown], "rows_without_an_id": unaddressable},
    )


@dg.asset_check(asset=legacy_images, description="No image came into the table that no batch holds yet.")
def no_new_base64(workspace: dg.ResourceParam[Workspace]) -> dg.AssetCheckResult:
    """Warn of rows that wait for planning."""
    with as_failures():
        waiting = (head.id for head, decision, _ in workspace.planner().unplanned() if decision.is_work)
        examples = [shortened(image_id) for image_id in islice(waiting, MAX_EXAMPLES)]
        images = len(examples) + sum(1 for _ in waiting)
    return dg.AssetCheckResult(
        passed=not images,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"images": images, "examples": examples},
    )
