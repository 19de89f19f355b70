"""Checks that ask R2: every image proved again, in a job of its own since it reads much."""

from collections.abc import Iterator
from random import SystemRandom
from time import monotonic
from typing import Literal

import dagster as dg
from pydantic import Field

from z_interact_assets.core.errors import StorageUnavailableError
from z_interact_assets.defs.failures import as_failures
from z_interact_assets.defs.migration import migrated_images
from z_interact_assets.defs.resources import R2Resource, RunObserver
from z_interact_assets.inventory import take_inventory
from z_interact_assets.migrate.migration import clock_ms
from z_interact_assets.migrate.progress import Progress
from z_interact_assets.storage.objects import R2Store
from z_interact_assets.storage.public import PublicReader
from z_interact_assets.validate import Mode, Validation, ValidationReport
from z_interact_assets.validate.report import Progress as ValidationProgress
from z_interact_assets.workspace import Workspace

MAX_EXAMPLES = 20
PUBLIC_SAMPLE = 20
DEFAULT_CONCURRENCY = 16


class ValidateConfig(dg.Config):
    """How deeply to prove, and how many."""

    mode: Literal["head", "full", "public"] = Field(
        default="head",
        description="`head`: size and ETag; `full`: every byte read back; `public`: every byte through the public URL.",
    )
    sample: int | None = Field(default=None, ge=1, description="Only so many images, drawn at random. Default: all.")


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(
            "every_object_is_stored", asset=migrated_images, description="R2 has the object of every migrated image."
        ),
        dg.AssetCheckSpec(
            "every_checksum_matches", asset=migrated_images, description="Every object has the bytes we proved."
        ),
        dg.AssetCheckSpec(
            "every_row_points_at_its_object", asset=migrated_images, description="Every row holds its public URL."
        ),
    ]
)
def validation(
    config: ValidateConfig,
    workspace: dg.ResourceParam[Workspace],
    r2: R2Resource,
    observer: dg.ResourceParam[RunObserver],
) -> Iterator[dg.AssetCheckResult]:
    """Prove again what the ledger claims; what could not be asked counts as not proved, never as missing."""
    with as_failures(observer):
        report = validate_now(workspace, r2.get_store(), observer, mode=config.mode, sample=config.sample)
    observer.results["validation"] = report
    for name, false in (
        ("every_object_is_stored", report.missing),
        ("every_checksum_matches", report.corrupted),
        ("every_row_points_at_its_object", report.misdirected),
    ):
        yield dg.AssetCheckResult(
            check_name=name, passed=not false and not report.unreachable, metadata=_figures(report, false)
        )


@dg.asset_check(
    asset=migrated_images, description=f"The public URLs of {PUBLIC_SAMPLE} images, drawn at random, serve their bytes."
)
def public_urls_serve_the_images(
    workspace: dg.ResourceParam[Workspace], r2: R2Resource, observer: dg.ResourceParam[RunObserver]
) -> dg.AssetCheckResult:
    """Fetch a sample through the public URL, as a browser would."""
    with as_failures(observer):
        report = validate_now(workspace, r2.get_store(), observer, mode="public", sample=PUBLIC_SAMPLE)
    false = [*report.missing, *report.corrupted, *report.unreachable]
    return dg.AssetCheckResult(passed=not false, metadata=_figures(report, false))


def validate_now(
    workspace: Workspace, store: R2Store, observer: RunObserver, *, mode: Mode, sample: int | None
) -> ValidationReport:
    """Take an inventory for the orphans, then prove image by image."""
    started = monotonic()

    def listen(progress: ValidationProgress) -> None:
        observer.progress(
            Progress(done=progress.done, total=progress.total, bytes=0, seconds=monotonic() - started,
                     in_flight=0, window=DEFAULT_CONCURRENCY)
        )  # fmt: skip

    configured = workspace.settings.upload_concurrency
    reader = PublicReader()
    try:
        return Validation(
            workspace.table,
            workspace.ledger,
            store,
            workspace.bases,
            public=reader,
            clock_ms=clock_ms,
            concurrency=DEFAULT_CONCURRENCY if configured == "auto" else configured,
            max_in_flight_bytes=workspace.settings.max_in_flight_bytes,
        ).run(
            mode,
            orphans=_orphans(workspace, store),
            random=SystemRandom(),
            sample=sample,
            stop=observer.stop,
            listen=listen,
        )
    finally:
        reader.close()


def _orphans(workspace: Workspace, store: R2Store) -> list[str] | None:
    """Return the orphaned keys; None where the listing broke off: unknown is not empty."""
    try:
        return take_inventory(store, workspace.table, workspace.ledger, workspace.bases).orphans
    except StorageUnavailableError:
        return None


def _figures(report: ValidationReport, false: list[str]) -> dict[str, dg.MetadataValue]:
    return {
        "mode": dg.MetadataValue.text(report.mode),
        "checked": dg.MetadataValue.int(report.checked),
        "valid": dg.MetadataValue.int(report.valid),
        "false": dg.MetadataValue.int(len(false)),
        "unreachable": dg.MetadataValue.int(len(report.unreachable)),
        "orphans": dg.MetadataValue.int(len(report.orphaned or ())),
        "examples": dg.MetadataValue.json([image_id[:80] for image_id in false[:MAX_EXAMPLES]]),
    }
