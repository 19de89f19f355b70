"""Statements that run once a row: made and compiled once. Nothing here knows a table.

SQLAlchemy makes, hashes and looks up a statement anew each time it runs (measured: 0.2 ms for a SELECT by id, 1 ms for
a compare-and-swap, of the 2 ms a small image took in all), and turns the values of each row of many into a dictionary
of its own (half of what writing the ledger took). On SQLite the text it compiled to goes to the driver as it is.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

Processor = Callable[[Any], Any]


class Prepared:
    """One statement whose every value is a named parameter. `names` are the columns of an INSERT without values."""

    def __init__(
        self,
        statement: sa.Select[Any] | sa.Update | sa.Insert,
        dialect: sa.Dialect,
        *,
        names: Sequence[str] | None = None,
    ) -> None:
        self._statement = statement
        self._text: str | None = None
        if dialect.name == "sqlite":
            compiled = statement.compile(dialect=dialect, column_keys=names)
            names = tuple(getattr(compiled, "positiontup", None) or ())
            binds: Mapping[str, sa.BindParameter[Any]] = getattr(compiled, "binds", {})
            self._constants = {name: value for name, value in compiled.params.items() if not binds[name].required}
            self._in_order = _getter(names)
            self._processors = [
                (place, made) for place, name in enumerate(names) if (made := _processor(binds[name].type, dialect))
            ]
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

    def many(self, connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it for each of these rows; for none if there are none."""
        if not rows:
            return
        if self._text is None:
            connection.execute(self._statement, rows)
        else:
            driver_connection(connection).executemany(self._text, [self._ordered(values) for values in rows])

    def _ordered(self, values: Mapping[str, Any]) -> Sequence[Any]:
        ordered = self._in_order({**self._constants, **values} if self._constants else values)
        if not self._processors:
            return ordered
        processed = list(ordered)
        for place, processor in self._processors:
            processed[place] = processor(processed[place])
        return processed


def _getter(names: Sequence[str]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: tuple(values[name] for name in names)  # itemgetter would give no tuple


def driver_connection(connection: sa.Connection) -> sqlite3.Connection:
    """Return the sqlite3 connection beneath."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise TypeError("not a sqlite3 connection")
    return driver


def _processor(kind: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Processor | None:
    """Return what makes a value one of the driver's, such as JSON of a dictionary; None if nothing has to be done."""
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _one(driver: sqlite3.Connection, text: str, values: Sequence[Any]) -> Sequence[Any] | None:
    try:
        return strictly(driver, lambda: driver.execute(text, values).fetchone())
    except NotUTF8Error:
        return driver.execute(text, values).fetchone()


class NotUTF8Error(Exception):
    """A text is not UTF-8."""


def strictly(driver: sqlite3.Connection, fetch: Callable[[], Any]) -> Any:
    """Return what `fetch` does with texts decoded in C, which is a fraction of the connection's own decoding.

    Raises NotUTF8Error where one is not UTF-8.
    """
    lenient, driver.text_factory = driver.text_factory, str
    try:
        return fetch()
    except sqlite3.OperationalError as error:
        if error.__dict__.get("sqlite_errorcode") is not None:  # an error of SQLite's, not of decoding
            raise
        raise NotUTF8Error from None
    finally:
        driver.text_factory = lenient
