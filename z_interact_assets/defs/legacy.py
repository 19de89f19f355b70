"""Group `legacy`: the app's table, observed and never made by us."""

from itertools import islice

import dagster as dg

from z_interact_assets.core.errors import TableUnusableError
from z_interact_assets.core.rows import TableShape
from z_interact_assets.core.showing import plain, shortened
from z_interact_assets.defs.beta import accepted_beta
from z_interact_assets.defs.failures import as_failures
from z_interact_assets.defs.metadata import OWNERS, TAGS, names, numbers
from z_interact_assets.defs.resources import RunObserver
from z_interact_assets.workspace import Workspace

MAX_EXAMPLES = 10
SEEN_BEFORE = "survey before the run"  # where an observer has what a command saw of the table right before its run


def survey_of(run: dg.DagsterRun) -> str:
    """Return the name under which an observer keeps what this run saw of the table."""
    return f"survey of {run.run_id}"


# The multi-asset decorator for a single asset: `observable_source_asset` takes no kinds, and Dagster 1.13 raises a
# deprecation of its own when it resolves one.
@accepted_beta(dg.multi_observable_source_asset)(
    name="legacy_images",
    specs=[
        dg.AssetSpec(
            "legacy_images",
            group_name="legacy",
            kinds={"sql"},
            owners=OWNERS,
            tags=TAGS,
            metadata={"dagster/table_name": "images"},
            description=(
                "The app's table `images` **as last seen**: its rows by state, the bytes of base64 in it, its columns. "
                "The app makes it; we only ever compare-and-swap single rows of it.\n\n"
                "Its data version changes when there is new work to migrate, and only then. Looking at it reads no "
                "image.\n\n"
                "**Next:** if `not_yet_planned` is not 0, materialise `migration_batches`."
            ),
        )
    ],
)
def legacy_images(
    context: dg.AssetExecutionContext,
    workspace: dg.ResourceParam[Workspace],
    observer: dg.ResourceParam[RunObserver],
) -> dg.ObserveResult:
    """Count the rows by state; no payload is read."""
    with as_failures(observer):
        survey = observer.results.pop(SEEN_BEFORE, None) or workspace.planner().survey()
        observer.results[survey_of(context.run)] = survey
        counts, shape = survey.counts, workspace.table.shape
        return dg.ObserveResult(
            data_version=dg.DataVersion(str(workspace.ledger.ask.work_ever_seen() + survey.waiting)),
            metadata={
                "dagster/row_count": counts.total,
                "dagster/table_name": shape.table,
                "dagster/column_schema": column_schema(shape),
                **numbers({
                    "not_yet_planned": survey.waiting,
                    "base64_bytes": counts.base64_bytes,
                    "base64_images": counts.base64,
                    "mixed_images": counts.mixed,
                    "r2_images": counts.r2,
                    "external_images": counts.external,
                    "imageless_images": counts.imageless,
                    "local_images": counts.local,
                    "unfinished_images": counts.unfinished,
                    "unrecognised_images": counts.unrecognised,
                }),
            },
        )  # fmt: skip


def column_schema(shape: TableShape) -> dg.TableSchema:
    """Return the reflected columns as Dagster shows them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(plain(name), type=plain(kind)) for name, kind in zip(shape.columns, shape.types, strict=True)
        ]
    )


@dg.asset_check(
    asset=legacy_images,
    description=(
        "The table has a shape the app's own migrations made, and each row an id to address it by.\n\n"
        "**An error:** nothing can be migrated; DATABASE_URL names another database, or the table lacks `id` or "
        "`image_url`, or ids repeat. **A warning:** look whether a column listed here holds images (it is never read "
        "nor changed), and give rows an id in the app's database if they hold images."
    ),
)
def table_shape_is_known(workspace: dg.ResourceParam[Workspace]) -> dg.AssetCheckResult:
    """Warn of columns nobody told us of, of no image_data, and of rows without an id; fail for a table of no use."""
    with as_failures():
        try:
            shape = workspace.table.shape
        except TableUnusableError as error:
            return dg.AssetCheckResult(
                passed=False, description=error.message, metadata={"remedy": error.remedy or "Check DATABASE_URL."}
            )
        unaddressable = workspace.table.unaddressable()
    unknown, has_data = shape.unknown_columns, shape.has("image_data")
    return dg.AssetCheckResult(
        passed=not unknown and not unaddressable and has_data,
        severity=dg.AssetCheckSeverity.WARN,
        description=(
            f"{len(shape.columns)} columns, {len(unknown)} of them unknown; {unaddressable:,} rows without an id"
            f"{'' if has_data else '; no column image_data: only data: URLs in image_url can be migrated'}."
        ),
        metadata={
            **numbers({"columns": len(shape.columns), "rows_without_an_id": unaddressable}),
            "unknown_columns": names(unknown),
        },
    )


@dg.asset_check(
    asset=legacy_images,
    description=(
        "No image came into the table that no batch holds yet.\n\n"
        "**When it warns:** materialise `migration_batches`, then the new partitions of `migrated_images`; or turn the "
        "sensor `new_base64_images` on, which does both. If the app should not write base64 any more, find out why it "
        "does: the examples are the rows."
    ),
)
def no_new_base64(workspace: dg.ResourceParam[Workspace]) -> dg.AssetCheckResult:
    """Warn of rows that wait for planning; say how many are planned and wait to be migrated."""
    with as_failures():
        waiting = (head.id for head, decision, _ in workspace.planner().unplanned() if decision.is_work)
        examples = [shortened(image_id) for image_id in islice(waiting, MAX_EXAMPLES)]
        images = len(examples) + sum(1 for _ in waiting)
        planned = sum(workspace.ledger.work.pending().values())
    return dg.AssetCheckResult(
        passed=not images,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{images:,} images are in no batch; {planned:,} are, and wait to be migrated.",
        metadata={**numbers({"images": images, "planned_and_waiting": planned}), "examples": names(examples)},
    )
