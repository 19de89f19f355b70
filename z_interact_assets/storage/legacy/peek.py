"""SQLite's incremental blob I/O: a value's size and its first bytes without its overflow pages.

Any SQL expression over a 2 MB text reads all of it before SQLite 3.43 (measured: substr 0.4 ms a row, a blob handle
3.7 microseconds). Needs a rowid; a WITHOUT ROWID table or a view takes the portable statement.
"""

import sqlite3
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from z_interact_assets.core.rows import URL_HEAD_BYTES, RowHead, head_text, octets
from z_interact_assets.storage.prepared import driver_connection

# Python's sqlite3 keeps a reference to each handle until its connection is closed (measured on 3.11: 89 bytes a
# handle, 86 MB for one pass over a million rows), so a connection is closed after so many.
_HANDLES_A_CONNECTION = 10_000
_HANDLES = "blob handles opened"


def retire_worn(_: sqlite3.Connection, entry: ConnectionPoolEntry) -> None:
    """Close a connection that comes back to its pool with too many handles behind it: a pool's `checkin` listener."""
    if entry.info.get(_HANDLES, 0) >= _HANDLES_A_CONNECTION:
        entry.invalidate()


@dataclass(frozen=True, slots=True)
class SQLitePeek:
    """Looks into rows of one table over one connection. `info` is the pool's own about it."""

    connection: sqlite3.Connection
    table: str
    info: MutableMapping[Any, Any] = field(repr=False)

    @classmethod
    def of(cls, connection: sa.Connection, table: str) -> "SQLitePeek":
        """Use the DBAPI connection beneath."""
        return cls(driver_connection(connection), table, connection.info)

    @staticmethod
    def works(connection: sa.Connection, table: str) -> bool:
        """Tell whether this is a SQLite table with a rowid."""
        if connection.dialect.name != "sqlite":
            return False
        name = sa.literal_column("rowid")
        try:
            connection.execute(sa.select(name).select_from(sa.table(table)).limit(1)).all()
        except OperationalError:
            return False
        kind = connection.execute(
            sa.text("SELECT type FROM sqlite_master WHERE name = :name"), {"name": table}
        ).scalar_one_or_none()
        return kind == "table"

    def head(self, row_id: str, data_type: str, url_type: str, status: str | None, *, rowid: int) -> RowHead:
        """Return the head of the row; a row deleted or rebuilt since the page was read counts as empty."""
        self.info[_HANDLES] = self.info.get(_HANDLES, 0) + 2
        url_bytes, url_head = self._look("image_url", url_type, rowid, URL_HEAD_BYTES)
        data_bytes, _ = self._look("image_data", data_type, rowid, 0)
        return RowHead(
            id=row_id,
            data_bytes=data_bytes,
            url_bytes=url_bytes,
            url_head=None if url_head is None else head_text(url_head),
            status=status,
        )

    def octets(self, column: str, kind: str, rowid: int) -> int | None:
        """Return the size of one value."""
        self.info[_HANDLES] = self.info.get(_HANDLES, 0) + 1
        return self._look(column, kind, rowid, 0)[0]

    def _look(self, column: str, kind: str, rowid: int, head: int) -> tuple[int | None, bytes | None]:
        if kind == "null":
            return None, None
        if kind in ("integer", "real"):  # a number where text belongs: no blob handle opens on it
            return self._look_at_number(column, rowid)
        try:
            with self.connection.blobopen(self.table, column, rowid, readonly=True) as blob:
                return len(blob), blob.read(head) if head else None
        except sqlite3.OperationalError:
            return None, None

    def _look_at_number(self, column: str, rowid: int) -> tuple[int | None, bytes | None]:
        statement = sa.select(sa.column(column)).select_from(sa.table(self.table)).where(sa.text("rowid = :rowid"))
        row = self.connection.execute(str(statement), {"rowid": rowid}).fetchone()
        return (None, None) if row is None else (octets(row[0]), str(row[0]).encode())
