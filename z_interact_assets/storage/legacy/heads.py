"""Row heads page by page: the statements that find them, and what their rows mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from z_interact_assets.core.rows import URL_HEAD_BYTES, RowHead, TableShape
from z_interact_assets.storage.legacy.peek import SQLitePeek
from z_interact_assets.storage.legacy.reader import Connecting, head_of, head_with_start
from z_interact_assets.storage.legacy.strict import StrictPages
from z_interact_assets.storage.legacy.values import bound, is_utf8

# A page of rows with nothing longer is read by one statement, in a third of the time that blob handles take; where only
# image_data is longer, it alone takes one. More would cost more than the handles do, and all of a page must be read
# within milliseconds.
SHORT_BYTES = 8_192


@dataclass(frozen=True, slots=True)
class HeadPage:
    """A page in order of id. `found` counts all its rows, `last` is the last one's id: it may be one without a head."""

    heads: list[RowHead]
    found: int
    last: str


class HeadPages:
    """Finds the heads of one table. `sorts`: the database has to sort all rows to have them in order of id.

    `snapshot` gives a connection in which rowids stay valid between a statement and the blob handles on its rows.
    """

    def __init__(
        self, table: sa.TableClause, shape: TableShape, dialect: sa.Dialect, snapshot: Connecting, *, has_rowid: bool,
        sorts: bool,
    ) -> None:  # fmt: skip
        self._dialect = dialect
        self._on_sqlite = dialect.name == "sqlite"
        self._snapshot = snapshot
        self._has_rowid = has_rowid
        self._sorts = sorts
        self._table, self._id, self._url = table, table.c["id"], table.c["image_url"]
        self._data = table.c["image_data"] if shape.has("image_data") else sa.null()
        self._status = table.c["status"] if shape.has("status") else sa.null()

    def read(self, after: str | None, limit: int) -> HeadPage:
        """Read the page that follows the id `after`; rows whose id is no UTF-8 have no head.

        Each attempt is a read transaction of its own, since one keeps the app from committing.
        """
        if self._has_rowid and not self._sorts:  # where each page sorts all rows, each would read all that is in them
            for strict, head in ((self._short, _short_head), (self._short_but_data, _head_but_data)):
                with self._snapshot() as connection:
                    rows = strict.read(connection, after, limit)
                    if rows is not None:
                        peek = SQLitePeek.of(connection, self._table.name)
                        return _page(rows, [head(row, peek) for row in rows])
        statement = self.select().order_by(self._id).limit(limit)
        statement = statement if after is None else statement.where(self._id > bound(after))
        with self._snapshot() as connection:
            peek = SQLitePeek.of(connection, self._table.name) if self._has_rowid else None
            rows = connection.execute(statement).all()
            return _page(rows, [head_of(row, peek) for row in rows if is_utf8(row[0])])

    def select(self) -> sa.Select[*tuple[Any, ...]]:
        """Select id, data octets or type, url octets or type, status, url head or rowid; the latter for SQLitePeek."""
        data, url = self._data, self._url
        if self._has_rowid:
            columns = (*self._types, self._status_of_empty, sa.text("rowid"))
        else:
            empty = sa.and_(data.is_(None), url.is_(None))
            columns = (self._octets(data), self._octets(url), sa.case((empty, self._status)), self._start)
        return self._select(*columns)

    @property
    def has_text_id(self) -> sa.ColumnElement[bool]:
        """Whether a row's id is a text."""
        return sa.func.typeof(self._id) == "text" if self._on_sqlite else self._id.is_not(None)

    @cached_property
    def _short(self) -> StrictPages:
        return self._strict(self._octets(self._data))

    @cached_property
    def _short_but_data(self) -> StrictPages:
        return self._strict(self._types[0])

    def _strict(self, data: sa.ColumnElement[Any]) -> StrictPages:
        """Select id, `data`, url octets, status, url head; of a row with a number for a text both types; rowid."""
        number = sa.or_(*(each == kind for each in self._types for kind in ("integer", "real")))
        both = sa.case((number, self._types[0].concat(" ").concat(self._types[1])))
        statement = self._select(
            data, self._octets(self._url), self._status_of_empty, self._start, both, sa.text("rowid")
        )
        return StrictPages(statement, self._id, self._dialect, longest=SHORT_BYTES)

    def _select(self, *columns: sa.ColumnElement[Any] | sa.TextClause) -> sa.Select[*tuple[Any, ...]]:
        return sa.select(self._id, *columns).select_from(self._table).where(self.has_text_id)

    @property
    def _types(self) -> tuple[sa.ColumnElement[str], sa.ColumnElement[str]]:
        return sa.func.typeof(self._data), sa.func.typeof(self._url)

    @property
    def _status_of_empty(self) -> sa.ColumnElement[Any]:
        # typeof() reads the row's header only; status lies behind the payload, so it is read only where none is.
        return sa.case((sa.and_(*(each == "null" for each in self._types)), self._status))

    @property
    def _start(self) -> sa.ColumnElement[Any]:
        # Bytes on SQLite: its substr() of a text ends at a NUL, and octet_length() came with 3.43.
        start = sa.cast(self._url, sa.LargeBinary) if self._on_sqlite else self._url
        return sa.func.substr(start, 1, URL_HEAD_BYTES)

    def _octets(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return sa.func.length(sa.cast(column, sa.LargeBinary)) if self._on_sqlite else sa.func.octet_length(column)


def _page(rows: Sequence[Any], heads: list[RowHead]) -> HeadPage:
    return HeadPage(heads, len(rows), rows[-1][0] if rows else "")


def _head_but_data(row: Sequence[Any], peek: SQLitePeek) -> RowHead:
    id_, data_type, *rest = row
    data = None if rest[3] is not None else peek.octets("image_data", data_type, row[-1])
    return _short_head((id_, data, *rest), peek)


def _short_head(row: Sequence[Any], peek: SQLitePeek) -> RowHead:
    id_, data, url, status, start, types, rowid = row
    if types is not None:
        data_type, url_type = types.split()
        return peek.head(id_, data_type, url_type, status, rowid=rowid)
    return head_with_start(id_, data, url, status, start)
