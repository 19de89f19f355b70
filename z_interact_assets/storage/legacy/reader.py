"""Rows read one by one: heads and whole rows, by statements made once."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from z_interact_assets.core.rows import LegacyRow, RowHead, head_text
from z_interact_assets.storage.legacy.peek import SQLitePeek
from z_interact_assets.storage.prepared import Prepared

Connecting = Callable[[], AbstractContextManager[sa.Connection]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowReader:
    """Reads rows of one table. `reading` and `snapshot` give a connection, errors translated.

    In a snapshot rowids stay valid between a statement and the blob handles opened on its rows.
    """

    table: str
    columns: Sequence[str]
    head_statement: Prepared
    row_statement: Prepared
    has_rowid: bool
    reading: Connecting
    snapshot: Connecting

    def heads(self, row_ids: Sequence[str]) -> dict[str, RowHead]:
        """Return the heads of these rows, of one instant; those that are gone are absent."""
        with self.snapshot() as connection:
            peek = SQLitePeek.of(connection, self.table) if self.has_rowid else None
            found = [self.head_statement.one(connection, {"row_id": row_id}) for row_id in row_ids]
            return {row[0]: head_of(row, peek) for row in found if row is not None}

    def read(self, row_id: str) -> LegacyRow | None:
        """Return the whole row, payload included, or None if it is gone."""
        with self.reading() as connection:
            row = self.row_statement.one(connection, {"row_id": row_id})
        if row is None:
            return None
        return LegacyRow(id=row_id, values=dict(zip(self.columns, map(_plain, row), strict=True)))


def head_of(row: Sequence[Any], peek: SQLitePeek | None) -> RowHead:
    """Return the head that a row of the statement for heads means."""
    id_, data, url, status, last = row
    if peek is not None:
        return peek.head(id_, data, url, status, rowid=last)
    return head_with_start(id_, data, url, status, last)


def head_with_start(id_: str, data: int | None, url: int | None, status: str | None, start: Any) -> RowHead:
    """Return the head of a row of which the start of image_url was read; SQLite makes NULL of an empty one's."""
    return RowHead(
        id=id_, data_bytes=data, url_bytes=url, url_head=None if url is None else head_text(start or ""), status=status
    )


def _plain(value: Any) -> Any:
    """Return bytea (a memoryview from some drivers) as bytes; everything else as it is."""
    return bytes(value) if isinstance(value, memoryview) else value
