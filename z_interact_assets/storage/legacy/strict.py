"""Pages of rows of a SQLite table past SQLAlchemy, had only where all in them is UTF-8 and, if wanted, short.

SQLite looks at a value's length before it reads it, and gives up where that is more than the connection's limit:
nothing long is ever read.
"""

import sqlite3
from typing import Any

import sqlalchemy as sa

from z_interact_assets.storage.legacy.values import is_utf8
from z_interact_assets.storage.prepared import NotUTF8Error, driver_connection, strictly


class StrictPages:
    """Reads pages of one statement, in order of a column of text that its rows begin with."""

    def __init__(
        self,
        statement: sa.Select[*tuple[Any, ...]],
        by: sa.ColumnElement[Any],
        dialect: sa.Dialect,
        *,
        longest: int | None = None,
    ) -> None:
        statement = statement.order_by(by).limit(sa.bindparam("rows"))
        self._first = statement.compile(dialect=dialect)
        self._later = statement.where(by > sa.bindparam("after")).compile(dialect=dialect)
        self._longest = longest

    def read(self, connection: sa.Connection, after: str | None, rows: int) -> list[Any] | None:
        """Return the page that follows; None if it has what is no UTF-8, or is longer than the longest."""
        if after is not None and not is_utf8(after):
            return None
        compiled = self._first if after is None else self._later
        values = {**compiled.params, "rows": rows, "after": after}
        ordered = [values[name] for name in getattr(compiled, "positiontup", None) or ()]
        return self._rows(driver_connection(connection), str(compiled), ordered)

    def _rows(self, driver: sqlite3.Connection, text: str, values: list[Any]) -> list[Any] | None:
        usual = None if self._longest is None else driver.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, self._longest)
        try:
            return strictly(driver, lambda: driver.execute(text, values).fetchall())
        except NotUTF8Error:
            return None
        except sqlite3.DataError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_TOOBIG:
                raise
            return None
        finally:
            if usual is not None:
                driver.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, usual)
