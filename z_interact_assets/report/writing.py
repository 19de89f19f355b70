"""Writing a report: one pass over table and ledger makes its files and its numbers, of the same instant.

The bucket is not asked: its numbers are those of the newest snapshot of the statistics, unknown if there is none.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from z_interact_assets.report.attention import AttentionList
from z_interact_assets.report.catalogue import (
    HISTORY,
    IMAGES,
    PAGE,
    STATS,
    SUMMARY,
    TOTALS,
    TOTALS_COLUMNS,
    ReportFile,
)
from z_interact_assets.report.columns import TableColumn
from z_interact_assets.report.datapackage import datapackage
from z_interact_assets.report.folder import MANIFEST, drafted, name_of
from z_interact_assets.report.history_table import HISTORY_COLUMNS, history_frame
from z_interact_assets.report.image_table import ImageTable
from z_interact_assets.report.options import ReportOptions, WrittenReport
from z_interact_assets.report.page import FileLink, PageData, render_page
from z_interact_assets.report.reading import previous_stats
from z_interact_assets.report.summary import headline, summary
from z_interact_assets.report.tables import TableFiles, table_files
from z_interact_assets.report.totals_table import totals_frame
from z_interact_assets.stats import Sources, bucket_of, collect_stats

TITLE = "z-interact image storage"

_CHARTED_SNAPSHOTS = 400


def write_report(sources: Sources, options: ReportOptions, *, now_ms: int) -> WrittenReport:
    """Write a report into a folder of its own, named by the time; `latest` leads to it once it is whole.

    ReportUnwritableError if the folder does not take it.
    """
    previous = previous_stats(options.directory)
    name = name_of(now_ms)
    with drafted(options.directory, name, keep=options.keep) as draft:
        writing = _Writing(draft.folder, sources, options)
        stats = writing.write_tables(now_ms)
        writing.write(STATS, (json.dumps(stats, indent=2, ensure_ascii=False) + "\n").encode())
        writing.write(SUMMARY, summary(stats, previous, writing.files).encode())
        personal = options.personal_data
        columns = writing.columns
        package = datapackage(writing.files, columns, name=name, now_ms=now_ms, personal_data=personal)
        writing.write(MANIFEST, package)
        data = PageData(
            title=TITLE, stats=stats, previous=previous, history=writing.history[-_CHARTED_SNAPSHOTS:],
            attention=writing.attention.rows(), attention_total=writing.attention.total(stats),
            files=[FileLink(name=file.name, description=file.description, bytes=file.bytes, rows=file.rows)
                   for file in writing.files],
            version=version("z-interact-assets"),
        )  # fmt: skip
        writing.write(PAGE, render_page(data))
    return WrittenReport(
        folder=draft.folder, files=(writing.files[-1], *writing.files[:-1]), stats=stats, headline=headline(stats),
        attention=tuple(data.attention), attention_total=data.attention_total,
    )  # fmt: skip


class _Writing:
    """A report's files so far."""

    def __init__(self, folder: Path, sources: Sources, options: ReportOptions) -> None:
        self.files: list[ReportFile] = []
        self._folder = folder
        self._sources = sources
        self._images = ImageTable(personal_data=options.personal_data, pseudonym_key=options.pseudonym_key)
        snapshots = sources.ledger.snapshots
        newest = snapshots.stats(limit=1)
        self._bucket = bucket_of(newest[0]) if newest else None
        inventory = snapshots.latest_inventory() if self._bucket else None
        self.attention = AttentionList((inventory or {}).get("problems") or ())
        self.history = snapshots.history()
        self.columns: Mapping[str, tuple[TableColumn, ...]] = {
            IMAGES: self._images.columns, TOTALS: TOTALS_COLUMNS, HISTORY: HISTORY_COLUMNS,
        }  # fmt: skip

    def write_tables(self, now_ms: int) -> dict[str, Any]:
        """Make the pass; return the document."""
        with self._table(IMAGES) as images:

            def write(frame: pd.DataFrame) -> None:
                images.write(self._images.told(frame))
                self.attention.see(frame)

            stats = collect_stats(
                self._sources, self._bucket, now_ms=now_ms, each_frame=write, prompts=self._images.prompts
            )
        with self._table(TOTALS) as totals:
            totals.write(totals_frame(stats))
        with self._table(HISTORY) as history:
            history.write(history_frame(self.history))
        return stats

    def write(self, name: str, data: bytes) -> None:
        """Write a file that is no table."""
        (self._folder / name).write_bytes(data)
        self._enter(name, rows=None)

    @contextmanager
    def _table(self, name: str) -> Iterator[TableFiles]:
        with table_files(self._folder, name, self.columns[name]) as files:
            yield files
        for kind in ("parquet", "csv"):
            self._enter(f"{name}.{kind}", rows=files.rows)

    def _enter(self, name: str, *, rows: int | None) -> None:
        with (self._folder / name).open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        self.files.append(ReportFile(name=name, bytes=(self._folder / name).stat().st_size, sha256=sha256, rows=rows))
