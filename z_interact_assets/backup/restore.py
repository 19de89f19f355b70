"""Restore: rows of a backup back into the table, after the whole backup was proved. The bucket is not touched.

The ledger comes first, if the one there is empty: it tells which rows only the migration changed since. Then for each
chosen row, in this order: read it, decide, write it by compare-and-swap, read it again and compare, and only then tell
the ledger. Killed anywhere, the same command finishes: rows that are back already are `unchanged`, and what the ledger
was not told of them it is told then.
"""

import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from z_interact_assets.backup.cells import from_record
from z_interact_assets.backup.folder import BackupFolder
from z_interact_assets.backup.manifest import Manifest
from z_interact_assets.backup.parts import read_part
from z_interact_assets.backup.proving import prove_whole
from z_interact_assets.backup.putting_back import PuttingBack
from z_interact_assets.backup.report import LedgerFate, Moment, MomentListener, Refusal, RestoreReport, ignore_moment
from z_interact_assets.core.errors import BackupUnusableError
from z_interact_assets.core.rows import LegacyRow, octets
from z_interact_assets.core.urls import KnownBases
from z_interact_assets.execution.groups import SWITCH_BYTES, SWITCH_ROWS, grouped
from z_interact_assets.storage.ledger import Ledger, open_ledger
from z_interact_assets.storage.legacy import LegacyTable


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOptions:
    """What of a backup is restored: all rows, or those with these ids.

    `overwrite` writes over rows the app changed since, too: what they hold is lost. `dry_run` writes nothing anywhere.
    """

    image_ids: tuple[str, ...] | None = None
    overwrite: bool = False
    dry_run: bool = False


class Restore:
    """Restores backups of one table and its ledger. `run` may be called again."""

    def __init__(
        self, table: LegacyTable, ledger: Ledger, bases: KnownBases, *, clock_ms: Callable[[], int],
        run_id: str | None = None,
    ) -> None:  # fmt: skip
        self._table = table
        self._ledger = ledger
        self._bases = bases
        self._clock_ms = clock_ms
        self._run_id = run_id

    def run(
        self,
        source: Path,
        options: RestoreOptions | None = None,
        *,
        listen: MomentListener = ignore_moment,
        stop: threading.Event | None = None,
    ) -> RestoreReport:
        """Restore what was chosen of the backup in this folder.

        Before anything is written: BackupUnusableError where there is no finished backup, or one of a table with other
        columns; BackupDamagedError for a file that is not what the manifest says; LedgerUnusableError for a ledger of
        a newer version. Once `stop` is set the group in hand is ended; the same call finishes what is left.
        """
        options, stop = options or RestoreOptions(), stop or threading.Event()
        report = RestoreReport(dry_run=options.dry_run, finished=False)
        folder = BackupFolder(source)
        with folder.held_for_reading():
            proved = prove_whole(folder, listen=listen, stop=stop)
            if proved is None or stop.is_set():
                return report
            manifest, checksum = proved
            self._refuse_other_table(manifest)
            if not options.dry_run:
                self._table.check_writable()
            with self._filled_ledger(folder, manifest, report) as ledger:
                putting_back = PuttingBack(
                    table=self._table, ledger=ledger, bases=self._bases, report=report, clock_ms=self._clock_ms,
                    run_id=self._run_id, overwrite=options.overwrite,
                    facts={"backup": checksum, "backed_up_at": manifest.created_at},
                )  # fmt: skip
                for moment in _put_back(putting_back, folder, manifest, options.image_ids):
                    listen(moment)
                    if stop.is_set() and moment.done < moment.total:
                        return report
        report.finished = True
        return report

    def _refuse_other_table(self, manifest: Manifest) -> None:
        shape = self._table.shape
        if manifest.table != shape.table:
            raise BackupUnusableError(f"The backup is of a table `{manifest.table}`, not of `{shape.table}`.")
        absent = [column.name for column in manifest.columns if not shape.has(column.name)]
        if absent:
            raise BackupUnusableError(
                f"The table has no column `{absent[0]}`, which the backup has.",
                remedy="Give the table the columns it had (the app's own migrations), then restore.",
            )

    @contextmanager
    def _filled_ledger(self, folder: BackupFolder, manifest: Manifest, report: RestoreReport) -> Iterator[Ledger]:
        """Yield the ledger, filled if it was empty. A dry run fills one that is thrown away."""
        if not manifest.ledger_rows:
            report.ledger = LedgerFate.NOTHING_TO_RESTORE
            yield self._ledger
        elif not self._ledger.archive.is_empty():
            report.ledger = LedgerFate.LEFT_ALONE
            yield self._ledger
        elif report.dry_run:
            report.ledger = LedgerFate.RESTORED
            with (
                tempfile.TemporaryDirectory(prefix="z-interact-dry-run-") as scratch,
                closing(open_ledger(f"sqlite:///{scratch}/ledger.db")) as ledger,
            ):
                _fill(ledger, folder, manifest)
                yield ledger
        else:
            report.ledger = LedgerFate.RESTORED if _fill(self._ledger, folder, manifest) else LedgerFate.LEFT_ALONE
            yield self._ledger


def _put_back(
    putting_back: PuttingBack, folder: BackupFolder, manifest: Manifest, image_ids: Sequence[str] | None
) -> Iterator[Moment]:
    """Yield after each group."""
    report = putting_back.report
    missing = None if image_ids is None else set(image_ids)
    total = manifest.rows if missing is None else len(missing)
    read = 0
    rows = _rows(folder, manifest, image_ids)
    for group in grouped(rows, weigh=_size, max_items=SWITCH_ROWS, max_weight=SWITCH_BYTES):
        putting_back.settle(group)
        read += sum(map(_size, group))
        if missing is not None:
            missing.difference_update(row.id for row in group)
        yield Moment(done=report.total, total=total, bytes=read)
    for image_id in missing or ():
        report.refuse(image_id, Refusal.NOT_IN_BACKUP)


def _rows(folder: BackupFolder, manifest: Manifest, image_ids: Sequence[str] | None) -> Iterator[LegacyRow]:
    chosen = None if image_ids is None else frozenset(image_ids)
    for part in manifest.parts:
        for records in read_part(folder, part, only_ids=chosen):
            for record in records:
                yield LegacyRow(id=record["id"], values=from_record(record, manifest.columns))


def _fill(ledger: Ledger, folder: BackupFolder, manifest: Manifest) -> int:
    tables = (
        (name, (page for part in parts for page in read_part(folder, part))) for name, parts in manifest.ledger.items()
    )
    return ledger.archive.load(tables)


def _size(row: LegacyRow) -> int:
    return sum(octets(value) or 0 for value in row.values.values())
