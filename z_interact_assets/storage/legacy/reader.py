"""Heads and whole rows by their ids: one by one, by statements made once, or some ahead."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import accumulate, islice, takewhile
from typing import Any, Protocol

import sqlalchemy as sa

from z_interact_assets.core.rows import LegacyRow, RowHead, head_text
from z_interact_assets.storage.legacy.peek import SQLitePeek
from z_interact_assets.storage.prepared import Prepared

Connecting = Callable[[], AbstractContextManager[sa.Connection]]

_AHEAD_BYTES = 4 * 1024 * 1024


class Rows(Protocol):
    """Reads rows of one table."""

    def heads(self, row_ids: Sequence[str]) -> dict[str, RowHead]:
        """Return the heads of these rows; those that are gone are absent."""
        ...

    def read(self, row_id: str) -> LegacyRow | None:
        """Return the whole row, payload included, or None if it is gone."""
        ...


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
        return None if row is None else self.whole(row_id, row)

    def whole(self, row_id: str, row: Sequence[Any]) -> LegacyRow:
        """Return the row that these values of its columns are."""
        return LegacyRow(id=row_id, values=dict(zip(self.columns, map(_plain, row), strict=True)))


class RowsAhead:
    """Rows of a server: with the one that is asked for come those after it in the last heads, up to some megabytes.

    A statement takes a round trip, for small rows longer than all else. `heads` and `rows` are for many `row_ids`.
    """

    def __init__(self, reader: RowReader, *, heads: sa.Select[Any], rows: sa.Select[Any]) -> None:
        self._reader = reader
        self._heads_statement = heads
        self._rows_statement = rows
        self._coming: list[RowHead] = []
        self._read: dict[str, LegacyRow] = {}

    def heads(self, row_ids: Sequence[str]) -> dict[str, RowHead]:
        """Return the heads of these rows; those that are gone are absent."""
        with self._reader.reading() as connection:
            found = connection.execute(self._heads_statement, {"row_ids": row_ids}).all()
        heads = {row[0]: head_of(row, None) for row in found}
        self._coming, self._read = [heads[row_id] for row_id in row_ids if row_id in heads], {}
        return heads

    def read(self, row_id: str) -> LegacyRow | None:
        """Return the row as it was when those it came with were read, or None if it was gone."""
        if row_id not in self._read:
            place = next((place for place, head in enumerate(self._coming) if head.id == row_id), None)
            if place is None:
                return self._reader.read(row_id)
            del self._coming[:place]  # nobody wanted them
            self._read_ahead()
        return self._read.pop(row_id, None)

    def _read_ahead(self) -> None:
        sizes = accumulate(head.text_bytes for head in self._coming)
        count = max(1, sum(1 for _ in takewhile(lambda size: size <= _AHEAD_BYTES, sizes)))
        ids = [head.id for head in islice(self._coming, count)]
        del self._coming[:count]
        with self._reader.reading() as connection:
            rows = connection.execute(self._rows_statement, {"row_ids": ids}).all()
        place = self._reader.columns.index("id")
        self._read = {row[place]: self._reader.whole(row[place], row) for row in rows}


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
