"""A temporary file of ours for what one pass sets aside and a later one reads in order. It outlives nobody.

SQLite's unnamed database: in memory while it is small, on disk (in the system's folder for temporary files) when it
grows, gone when it is closed. So memory stays bounded even where every row of a million is irregular.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from typing import Self

from z_interact_assets.core.errors import PermanentError, TransientError
from z_interact_assets.storage.sql_errors import SQLErrors

_errors = SQLErrors("The file for temporary notes", unusable=PermanentError, unavailable=TransientError)


class Scratch:
    """Notes by topic: a name, and for whom. Each is kept once. For one thread; a context manager that closes itself."""

    def __init__(self) -> None:
        with _errors.translated():
            self._connection = sqlite3.connect("", isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = OFF")
            self._connection.execute(
                "CREATE TABLE notes (topic TEXT, name TEXT, whom TEXT, PRIMARY KEY (topic, name, whom)) WITHOUT ROWID"
            )
            # One transaction that never ends: committing each note would cost more than all else.
            self._connection.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(sqlite3.Error):
            self._connection.close()

    def note(self, topic: str, name: str, whom: str = "") -> None:
        """Keep a note."""
        with _errors.translated():
            self._connection.execute("INSERT OR IGNORE INTO notes VALUES (?, ?, ?)", (topic, name, whom))

    def notes(self, topic: str) -> Iterator[tuple[str, str]]:
        """Yield (name, whom) of a topic in UTF-8 byte order. Notes on other topics may be made meanwhile."""
        statement = "SELECT name, whom FROM notes WHERE topic = ? ORDER BY name, whom"
        with _errors.translated():
            yield from self._connection.execute(statement, (topic,))

    def whom(self, topic: str, name: str) -> Iterator[str]:
        """Yield for whom a name was noted, in order."""
        statement = "SELECT whom FROM notes WHERE topic = ? AND name = ? ORDER BY whom"
        with _errors.translated():
            for (whom,) in self._connection.execute(statement, (topic, name)):
                yield whom
