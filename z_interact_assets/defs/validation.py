"""Checks that ask R2: every image proved again, in a job of its own since it reads much."""

from collections.abc import Iterator
from random import SystemRandom
from time import monotonic
from typing import Literal

import dagster as dg
from pydantic import Field

from z_interact_assets.core.errors import StorageUnavailableError
from z_interact_assets.defs.failures import as_failures
from z_interact_assets.defs.metadata import names, numbers
from z_interact_assets.defs.migration import migrated_images
from z_interact_assets.defs.pools import R2_READS
from z_interact_assets.defs.resources import R2Resource, RunObserver
from z_interact_assets.execution.progress import Progress
from z_interact_assets.inventory import Inventory, take_inventory
from z_interact_assets.migrate.migration import clock_ms
from z_interact_assets.storage.objects import R2Store
from z_interact_assets.storage.public import PublicReader
from z_interact_assets.validate import Mode, Validation, ValidationReport
from z_interact_assets.validate.report import Progress as ValidationProgress
from z_interact_assets.workspace import Workspace

MAX_EXAMPLES = 20
PUBLIC_SAMPLE = 20


class ValidateConfig(dg.Config):
    """How deeply to prove, and how many."""

    mode: Literal["head", "full", "public"] = Field(
        default="head",
        description="`head`: size and ETag; `full`: every byte read back; `public`: every byte through the public URL.",
    )
    sample: int | None = Field(default=None, ge=1, description="Only so many images, drawn at random. Default: all.")


_CLAIMS = {
    "every_object_is_stored": (
        "R2 has the object of every migrated image.\n\n"
        "**When it fails:** the objects are gone. Rows that still hold their base64 are unharmed: roll those images "
        "back (`rollback_migration`) and migrate them again. Reclaim nothing meanwhile."
    ),
    "every_checksum_matches": (
        "Every object has the bytes we proved when it was stored.\n\n"
        "**When it fails:** somebody else wrote under our keys; nothing of ours ever replaces an object. Rows that "
        "still hold their base64 are unharmed; reclaim nothing, and find out who has write access."
    ),
    "every_row_points_at_its_object": (
        "Every migrated row holds the public URL of its object.\n\n"
        "**When it fails:** if the app changed the rows, the next plan takes them again. Else "
        "`z-interact-assets status --image-id ID` shows what the row should hold."
    ),
}


@dg.multi_asset_check(
    name="validation",
    can_subset=True,  # the UI offers to execute each check alone
    specs=[
        dg.AssetCheckSpec(name, asset=migrated_images, description=description) for name, description in _CLAIMS.items()
    ],
    pool=R2_READS,
)
def validation(
    context: dg.AssetCheckExecutionContext,
    config: ValidateConfig,
    workspace: dg.ResourceParam[Workspace],
    r2: R2Resource,
    observer: dg.ResourceParam[RunObserver],
) -> Iterator[dg.AssetCheckResult]:
    """Prove again what the ledger claims; what could not be asked counts as not proved, never as missing."""
    with as_failures(observer):
        store = r2.get_store()
        report = validate_now(
            workspace, store, observer, mode=config.mode, sample=config.sample, inventory=_inventory(workspace, store)
        )
    observer.results["validation"] = report
    for name, false in (
        ("every_object_is_stored", report.missing),
        ("every_checksum_matches", report.corrupted),
        ("every_row_points_at_its_object", report.misdirected),
    ):
        if dg.AssetCheckKey(migrated_images.key, name) in context.selected_asset_check_keys:
            yield _result(name, report, false)


@dg.asset_check(
    asset=migrated_images,
    pool=R2_READS,
    description=(
        f"The public URLs of {PUBLIC_SAMPLE} images, drawn at random, serve their very bytes.\n\n"
        "**When it fails:** people do not see these images. Run `r2_connectivity`: it tells whether the domain is "
        "connected to the bucket, and whether something on the way changes images."
    ),
)
def public_urls_serve_the_images(
    workspace: dg.ResourceParam[Workspace], r2: R2Resource, observer: dg.ResourceParam[RunObserver]
) -> dg.AssetCheckResult:
    """Fetch a sample through the public URL, as a browser would."""
    with as_failures(observer):
        report = validate_now(workspace, r2.get_store(), observer, mode="public", sample=PUBLIC_SAMPLE, inventory=None)
    return _result("public_urls_serve_the_images", report, [*report.missing, *report.corrupted])


def validate_now(
    workspace: Workspace,
    store: R2Store,
    observer: RunObserver,
    *,
    mode: Mode,
    sample: int | None,
    inventory: Inventory | None,
) -> ValidationReport:
    """Prove image by image; what the `inventory` found goes into the report, None if the bucket was not listed."""
    started = monotonic()

    def listen(progress: ValidationProgress) -> None:
        observer.progress(
            Progress(done=progress.done, total=progress.total, bytes=0, seconds=monotonic() - started,
                     in_flight=0, window=workspace.reads_at_once)
        )  # fmt: skip

    reader = PublicReader()
    try:
        return Validation(
            workspace.table,
            workspace.ledger,
            store,
            workspace.bases,
            public=reader,
            clock_ms=clock_ms,
            cache_control=workspace.settings.cache_control,
            concurrency=workspace.reads_at_once,
            max_in_flight_bytes=workspace.settings.max_in_flight_bytes,
        ).run(
            mode,
            inventory=inventory,
            random=SystemRandom(),
            sample=sample,
            stop=observer.stop,
            listen=listen,
        )
    finally:
        reader.close()


def _inventory(workspace: Workspace, store: R2Store) -> Inventory | None:
    """Match table, ledger and bucket; None where R2 broke off: unknown is not empty."""
    try:
        return take_inventory(store, workspace.table, workspace.ledger, workspace.bases)
    except StorageUnavailableError:
        return None


def _result(name: str, report: ValidationReport, false: list[str]) -> dg.AssetCheckResult:
    """Pass only what was proved: an image nothing answered for, or a run cut short, proves nothing, and is no loss."""
    unproved = len(report.unreachable)
    metadata: dict[str, dg.MetadataValue] = {
        "mode": dg.MetadataValue.text(report.mode),
        **numbers({
            "checked": report.checked, "valid": report.valid, "failing": len(false), "unreachable": unproved,
            "rows_gone": len(report.rows_gone),
        }),
        "examples": names(false, most=MAX_EXAMPLES),
        "unreachable_examples": names(report.unreachable, most=MAX_EXAMPLES),
    }  # fmt: skip
    for listed, keys in (("orphans", report.orphaned), ("shared", report.shared)):
        if keys is not None:
            metadata[listed] = dg.MetadataValue.int(len(keys))
    told = f"{report.checked:,} images checked: {len(false):,} false, {unproved:,} out of reach."
    return dg.AssetCheckResult(
        check_name=name,
        passed=not false and not unproved and report.complete,
        severity=dg.AssetCheckSeverity.ERROR if false else dg.AssetCheckSeverity.WARN,
        description=told if report.complete else f"{told} The run was stopped early.",
        metadata=metadata,
    )
