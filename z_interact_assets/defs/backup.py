"""Backup and restore as jobs: a folder in, counts out. What is in the folder is the backup package's."""

from pathlib import Path
from time import monotonic

import dagster as dg
from pydantic import Field

from z_interact_assets.backup import Backup, Moment, MomentListener, Restore, RestoreOptions, RestoreReport
from z_interact_assets.core.showing import shortened
from z_interact_assets.defs.failures import as_failures
from z_interact_assets.defs.metadata import TAGS, numbers, table, text_column
from z_interact_assets.defs.pools import IMAGES_TABLE
from z_interact_assets.defs.resources import RunObserver
from z_interact_assets.defs.run_config import op_config
from z_interact_assets.defs.timeouts import A_DAY
from z_interact_assets.execution.progress import Progress
from z_interact_assets.migrate.migration import clock_ms
from z_interact_assets.workspace import Workspace

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
    tags=TAGS,
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
    metadata = {**numbers(report.to_json()), "folder": dg.MetadataValue.path(report.folder)}
    return dg.Output(None, metadata=metadata)


@dg.op(
    out=dg.Out(dg.Nothing),
    tags=TAGS,
    pool=IMAGES_TABLE,
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
        **numbers(report.to_json()),
        "ledger": dg.MetadataValue.text(report.ledger.value if report.ledger else "undecided"),
        "folder": dg.MetadataValue.path(config.folder),
        "rows_left_alone": _listed(report),
    }
    return dg.Output(None, metadata=metadata)


@dg.job(
    config=op_config("backup", {"out": "/backups/z-interact"}),
    tags=A_DAY,
    description=(
        "Back up every row with its base64 and the whole ledger, into a folder of the machine that does the run. "
        "Changes neither; one that was interrupted goes on where it stopped. Images that are in R2 alone are not in it."
    ),
)
def backup_images() -> None:
    """Run the one op."""
    backup()


@dg.job(
    config=op_config("restore", {"folder": "/backups/z-interact", "overwrite": False, "dry_run": True}),
    tags=A_DAY,
    description=(
        "Put rows of a backup back, once all of it was proved. **Changes nothing until `dry_run` is false**; rows the "
        "app changed since are left alone unless `overwrite` is true. `image_ids: [a, b]` takes those alone."
    ),
)
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


def _listed(report: RestoreReport) -> dg.MetadataValue:
    records = ((shortened(error.image_id), error.reason.value, error.reason.sentence) for error in report.errors)
    return table([text_column("image_id"), text_column("reason"), text_column("meaning")], records)
