"""Statements that run once a row: made and compiled once. Nothing here knows the table.

SQLAlchemy makes, hashes and looks up a statement anew each time it runs (measured: 0.2 ms for a SELECT by id, 1 ms for
a compare-and-swap, of the 2 ms a small image took in all). On SQLite, whose parameters need no conversion, the text
it compiled to goes to the driver as it is.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from z_interact_assets.storage.legacy.peek import driver_connection


class Prepared:
    """One statement whose every value is a named parameter."""

    def __init__(self, statement: sa.Select[Any] | sa.Update, dialect: sa.Dialect) -> None:
        self._statement = statement
        self._text: str | None = None
        if dialect.name == "sqlite":
            compiled = statement.compile(dialect=dialect)
            self._names: Sequence[str] = getattr(compiled, "positiontup", None) or ()
            self._constants: Mapping[str, Any] = compiled.params
            self._text = str(compiled)

    def one(self, connection: sa.Connection, values: Mapping[str, Any]) -> Sequence[Any] | None:
        """Return the only row, or None if there is none."""
        if self._text is None:
            return connection.execute(self._statement, values).one_or_none()
        # Past SQLAlchemy, too: what it learns anew of each result's columns takes longer than the row.
        return _one(driver_connection(connection), self._text, self._ordered(values))

    def run(self, connection: sa.Connection, values: Mapping[str, Any]) -> int:
        """Return how many rows it changed."""
        if self._text is None:
            return connection.execute(self._statement, values).rowcount
        return driver_connection(connection).execute(self._text, self._ordered(values)).rowcount

    def _ordered(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple([values[name] if name in values else self._constants[name] for name in self._names])


def _one(driver: sqlite3.Connection, text: str, values: tuple[Any, ...]) -> Sequence[Any] | None:
    """Decode texts strictly, in C, and only where one is not UTF-8 as the connection does."""
    lenient, driver.text_factory = driver.text_factory, str
    try:
        return driver.execute(text, values).fetchone()
    except sqlite3.OperationalError as error:
        if error.__dict__.get("sqlite_errorcode") is not None:  # an error of SQLite's, not of decoding
            raise
    finally:
        driver.text_factory = lenient
    return driver.execute(text, values).fetchone()
