"""The app's table as the app sees it: SQL of its own, over connections of its own."""

import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from z_interact_assets.demo.shapes import SHAPES, create_table

CREATED_AT = 1_757_400_000_123

_DEFAULTS: Mapping[str, Any] = {
    "persona_id": "gen-z",
    "persona_title": "Gen Z",
    "prompt": "a prompt",
    "provider": "openai",
    "status": "completed",
    "migration_status": "pending",
    "image_url": None,
    "created_at": CREATED_AT,
}


class AppTable:
    """A SQLite file with an `images` table, written to as the app would."""

    def __init__(self, path: Path, shape: str = "full") -> None:
        self.path = path
        self._columns = tuple(SHAPES[shape])
        if not path.exists():
            with closing(sqlite3.connect(path)) as connection, connection:
                create_table(connection, shape)

    @property
    def url(self) -> str:
        """Its DATABASE_URL."""
        return f"file:{self.path}"

    def sql(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def add(self, row_id: str, **columns: Any) -> None:
        """Insert a row with what the shape has of it."""
        self.add_many([{"id": row_id, **columns}])

    def add_many(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows in one transaction."""
        marks = ", ".join(f":{name}" for name in self._columns)
        full = [dict.fromkeys(self._columns) | dict(_DEFAULTS) | dict(row) for row in rows]
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.executemany(f"INSERT INTO images VALUES ({marks})", full)

    def lock(self) -> sqlite3.Connection:
        """Take the write lock and keep it; close the connection to give it back."""
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        connection.execute("BEGIN IMMEDIATE")
        return connection

    def set(self, row_id: str, **columns: Any) -> None:
        """Change a row."""
        assignments = ", ".join(f"{name} = ?" for name in columns)
        self.sql(f"UPDATE images SET {assignments} WHERE id = ?", (*columns.values(), row_id))

    def delete(self, row_id: str) -> None:
        """Delete a row."""
        self.sql("DELETE FROM images WHERE id = ?", (row_id,))

    def row(self, row_id: str) -> dict[str, Any]:
        """One row."""
        return self.rows()[row_id]

    def rows(self) -> dict[str, dict[str, Any]]:
        """All rows by id."""
        with closing(sqlite3.connect(self.path)) as connection:
            connection.row_factory = sqlite3.Row
            return {row["id"]: dict(row) for row in connection.execute("SELECT * FROM images")}

    def as_stored(self) -> dict[str, bytes]:
        """Every row's storage classes and bytes, column by column, by id: for comparisons byte for byte."""
        with closing(sqlite3.connect(self.path)) as connection:
            connection.text_factory = bytes
            names = [entry[1].decode() for entry in connection.execute("PRAGMA table_info(images)")]
            found = connection.execute(
                f"SELECT id, {', '.join(f'typeof({n}), CAST({n} AS BLOB)' for n in names)} FROM images"
            )
            return {row[0].decode("utf-8", "surrogateescape"): repr(row[1:]).encode() for row in found}


def contents(path: Path) -> str:
    """A digest of everything a SQLite file holds, as its own dump tells it."""
    with closing(sqlite3.connect(path)) as connection:
        return hashlib.sha256("\n".join(connection.iterdump()).encode("utf-8", "surrogatepass")).hexdigest()
