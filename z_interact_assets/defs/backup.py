"""Backup and restore as jobs: a folder in, counts out. What is in the folder is the backup package's."""

from pathlib import Path
from time import monotonic

import dagster as dg
from pydantic import Field

from z_interact_assets.backup import Backup, Moment, MomentListener, Restore, RestoreOptions, RestoreReport
from z_interact_assets.core.showing import shortened
from z_interact_assets.defs.failures import as_failures
from z_interact_assets.defs.resources import RunObserver
from z_interact_assets.execution.progress import Progress
from z_interact_assets.migrate.migration import clock_ms
from z_interact_assets.workspace import Workspace

MAX_LISTED = 50
_ABSOLUTE = r"^/"  # a run's working folder is nobody's business: that of the daemon, of the UI, or of a container


class BackupConfig(dg.Config):
    """Where to back up to."""

    out: str = Field(
        pattern=_ABSOLUTE,
        description="Absolute path of a folder that is empty or not there yet, or of one with a backup that was begun: "
        "that one is finished. It must have room for the table's base64 (Parquet, compressed) and the ledger.",
    )


class RestoreConfig(dg.Config):
    """Which backup, which of its rows, and whether to do it."""

    folder: str = Field(pattern=_ABSOLUTE, description="Absolute path of the backup's folder.")
    image_ids: list[str] | None = Field(default=None, description="Only these rows. Default: all rows of the backup.")
    overwrite: bool = Field(
        default=False,
        description="Write over rows the app changed after the backup, too: what they hold now is lost.",
    )
    dry_run: bool = Field(
        default=True, description="Prove the backup and decide everything, change nothing. Set it to false to do it."
    )

    def options(self) -> RestoreOptions:
        """Return what the service takes."""
        image_ids = None if self.image_ids is None else tuple(self.image_ids)
        return RestoreOptions(image_ids=image_ids, overwrite=self.overwrite, dry_run=self.dry_run)


@dg.op(
    out=dg.Out(dg.Nothing),
    tags={"domain": "images"},
    description="Write every row of the table and the whole ledger into a folder; change neither.",
)
def backup(
    config: BackupConfig, workspace: dg.ResourceParam[Workspace], observer: dg.ResourceParam[RunObserver]
) -> dg.Output[None]:
    """Back up; a run that was stopped leaves parts the next one goes on from."""
    with as_failures(observer):
        service = Backup(workspace.table, workspace.ledger, clock_ms=clock_ms)
        report = service.run(Path(config.out), listen=_told(observer), stop=observer.stop)
    observer.results["backup"] = report
    if not report.finished:
        raise dg.Failure(
            description="Stopped: the folder holds the beginning of a backup. Launch the same again to finish it.",
            metadata={"rows": report.rows, "folder": dg.MetadataValue.path(report.folder)},
            allow_retries=False,
        )
    metadata = {**_numbers(report.to_json()), "folder": dg.MetadataValue.path(report.folder)}
    return dg.Output(None, metadata=metadata)


@dg.op(
    out=dg.Out(dg.Nothing),
    tags={"domain": "images"},
    description="Prove a backup whole, then put its rows back; rows the app changed since are left alone unless told.",
)
def restore(
    context: dg.OpExecutionContext,
    config: RestoreConfig,
    workspace: dg.ResourceParam[Workspace],
    observer: dg.ResourceParam[RunObserver],
) -> dg.Output[None]:
    """Restore. Rows that were left alone or refused fail nothing: they are counted and listed."""
    with as_failures(observer):
        report = restore_now(workspace, observer, Path(config.folder), config.options(), run_id=context.run.run_id)
    metadata: dict[str, dg.MetadataValue] = {
        **_numbers(report.to_json()),
        "ledger": dg.MetadataValue.text(report.ledger.value if report.ledger else "undecided"),
        "folder": dg.MetadataValue.path(config.folder),
        "rows_left_alone": _listed(report),
    }
    return dg.Output(None, metadata=metadata)


@dg.job(
    description="Back up every row with its base64 and the whole ledger. Changes neither; an unfinished one goes on."
)
def backup_images() -> None:
    """Run the one op."""
    backup()


@dg.job(description="Put rows of a backup back, once all of it was proved. Changes nothing until dry_run is false.")
def restore_images() -> None:
    """Run the one op."""
    restore()


def restore_now(
    workspace: Workspace, observer: RunObserver, folder: Path, options: RestoreOptions, *, run_id: str | None
) -> RestoreReport:
    """Restore; the report is in the observer's results, too."""
    service = Restore(workspace.table, workspace.ledger, workspace.bases, clock_ms=clock_ms, run_id=run_id)
    report = service.run(folder, options, listen=_told(observer), stop=observer.stop)
    observer.results["restore"] = report
    return report


def _told(observer: RunObserver) -> MomentListener:
    started = monotonic()

    def tell(moment: Moment) -> None:
        observer.progress(
            Progress(
                done=moment.done, total=moment.total, bytes=moment.bytes, seconds=monotonic() - started, in_flight=0,
                window=0, stage=moment.stage,
            )
        )  # fmt: skip

    return tell


def _numbers(document: dict[str, object]) -> dict[str, dg.MetadataValue]:
    """Return the numbers of a document, plottable, and its answers to yes or no."""
    return {
        name: dg.MetadataValue.bool(value) if isinstance(value, bool) else dg.MetadataValue.int(value)
        for name, value in document.items() if isinstance(value, int)
    }  # fmt: skip


def _listed(report: RestoreReport) -> dg.MetadataValue:
    return dg.MetadataValue.table(
        records=[
            dg.TableRecord({"image_id": shortened(error.image_id), "reason": error.reason.value})
            for error in report.errors[:MAX_LISTED]
        ],
        schema=dg.TableSchema([dg.TableColumn("image_id"), dg.TableColumn("reason")]),
    )
