"""Backup: every row of the table and the whole ledger into a folder, in bounded memory. Changes neither.

Rows come first, the ledger last. While a migration runs beside us, a text is thus always in one of them: a row that was
read before its switch has it, and one that was read after it has its undo record in a ledger that is read later still.
(A rollback beside us is not covered: back up before it, or after.) Each row is as it was at the moment it was read, by
one short statement: in a rollback-journal database a long read transaction would keep the app from committing. The
ledger is read at one instant.

A part that has its name is durable; then the progress file names it. A backup that was killed goes on after the last
part the progress file names, once these were hashed again. The manifest comes last and makes it a backup.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any

from z_interact_assets.backup.cells import Column, columns_of, to_record
from z_interact_assets.backup.folder import BackupFolder
from z_interact_assets.backup.manifest import MANIFEST, PROGRESS, Manifest, Part, Progress, seal
from z_interact_assets.backup.parts import PartLimits, Record, plain_schema, row_schema, write_parts
from z_interact_assets.backup.report import BackupReport, Moment, MomentListener, ignore_moment
from z_interact_assets.backup.resuming import begun_before, ended_already
from z_interact_assets.core.rows import octets
from z_interact_assets.core.times import iso_utc
from z_interact_assets.storage.ledger import Ledger
from z_interact_assets.storage.legacy import LegacyTable

_CELL_BYTES = 16  # what a value costs in memory besides its own bytes


class Backup:
    """Backs one table and its ledger up. `run` may be called again."""

    def __init__(
        self, table: LegacyTable, ledger: Ledger, *, clock_ms: Callable[[], int], limits: PartLimits | None = None
    ) -> None:
        self._table = table
        self._ledger = ledger
        self._clock_ms = clock_ms
        self._limits = limits or PartLimits()

    def run(
        self, out: Path, *, listen: MomentListener = ignore_moment, stop: threading.Event | None = None
    ) -> BackupReport:
        """Make the backup, or finish the one that was begun in this folder.

        Raises BackupUnusableError for a folder with a finished backup, one of another table, or anything else in it;
        BackupUnavailableError if its disk is full: what is there stays, the next run goes on from it. Once `stop` is
        set the part in hand is ended and the report says that the backup is not finished.
        """
        started = monotonic()
        shape = self._table.shape
        columns = columns_of(shape.columns, shape.types)
        folder = BackupFolder(out)
        with folder.held():
            result: Manifest | Progress | None = ended_already(folder)
            resumed = result is not None
            if result is None:
                begun = begun_before(folder, shape.table, columns)
                resumed = begun is not None
                progress = begun or self._begin(folder, shape.table, columns)
                result = self._write(folder, progress, listen, stop or threading.Event())
            if isinstance(result, Manifest):
                folder.remove(PROGRESS)
        return BackupReport.of(result, resumed=resumed, folder=str(out), duration_seconds=monotonic() - started)

    def _begin(self, folder: BackupFolder, table: str, columns: tuple[Column, ...]) -> Progress:
        progress = Progress(created_at=iso_utc(self._clock_ms()), table=table, columns=columns)
        folder.write(PROGRESS, seal(progress.document()))
        return progress

    def _write(
        self, folder: BackupFolder, progress: Progress, listen: MomentListener, stop: threading.Event
    ) -> Manifest | Progress:
        total = self._table.count()
        records = self._rows(progress, lambda done, read: listen(Moment(done=done, total=total, bytes=read)), stop)
        schema = row_schema(progress.columns)
        number = len(progress.parts) + 1
        for part in write_parts(folder, "rows", schema, records, number=number, limits=self._limits):
            progress = replace(progress, parts=(*progress.parts, part))
            folder.write(PROGRESS, seal(progress.document()))
        if stop.is_set():
            return progress
        unaddressable = self._table.unaddressable()
        revision, ledger = self._write_ledger(folder)
        manifest = Manifest(
            created_at=progress.created_at, finished_at=iso_utc(self._clock_ms()),
            tool_version=version("z-interact-assets"), table=progress.table, columns=progress.columns,
            parts=progress.parts, unaddressable=unaddressable, ledger_revision=revision, ledger=ledger,
        )  # fmt: skip
        folder.write(MANIFEST, seal(manifest.document()))
        return manifest

    def _rows(self, progress: Progress, note: Callable[[int, int], None], stop: threading.Event) -> Iterator[Record]:
        """Yield the rows that are not in a finished part yet; one that was deleted meanwhile is no row any more."""
        done, read = progress.rows, 0
        for page in self._table.heads(after=progress.last_id):
            for head in page:
                if stop.is_set():
                    return
                row = self._table.read(head.id)
                if row is None:
                    continue
                size = _size(row.values.values())
                yield Record(to_record(row.values, progress.columns), size, row.id)
                done, read = done + 1, read + size
                note(done, read)

    def _write_ledger(self, folder: BackupFolder) -> tuple[str, Mapping[str, tuple[Part, ...]]]:
        parts: dict[str, tuple[Part, ...]] = {}
        with self._ledger.archive.snapshot() as snapshot:
            for name, columns in snapshot.tables.items():
                records = _plain(snapshot.pages(name))
                schema = plain_schema(columns)
                written = write_parts(folder, f"ledger-{name}", schema, records, number=1, limits=self._limits)
                parts[name] = tuple(written)
            return snapshot.revision, parts


def _plain(pages: Iterable[list[Mapping[str, Any]]]) -> Iterator[Record]:
    return (Record(row, _size(row.values())) for page in pages for row in page)


def _size(values: Iterable[Any]) -> int:
    return sum((octets(value) or 0) + _CELL_BYTES for value in values)
