"""The app as a process of its own, `python -m tests.live.app`: it writes when it is told to, and keeps a journal.

Its connection is its own, with a busy timeout of 0: what meets a lock fails at once, is counted, and is tried again as
its user would. One line on stdin is how many writes to make (`{"writes": N}`); one on stdout says that they were made.
"""

import json
import sqlite3
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from tests.live.writing import Columns, Script

PATIENCE = 100_000  # tries of one write: minutes


class Busy(Exception):  # noqa: N818 - what the app meets, not a fault of the test
    """SQLITE_BUSY."""


class Database(Protocol):
    """The app's table, as the app writes it."""

    def run(self, statement: str, values: Mapping[str, Any]) -> None:
        """Run one statement, committed by itself. Raises Busy."""
        ...


class SQLite:
    """A file."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, timeout=0, isolation_level=None)

    def run(self, statement: str, values: Mapping[str, Any]) -> None:
        """Run one statement; a lock is an error at once."""
        try:
            self._connection.execute(statement, values).fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            raise Busy from None


class Postgres:
    """A server."""

    def __init__(self, url: str) -> None:
        import sqlalchemy as sa

        self._text = sa.text
        self._connection = sa.create_engine(url, isolation_level="AUTOCOMMIT").connect()

    def run(self, statement: str, values: Mapping[str, Any]) -> None:
        """Run one statement."""
        self._connection.execute(self._text(statement), values)


def statement_of(kind: str, row_id: str, columns: Columns | None) -> tuple[str, Mapping[str, Any]]:
    """SQL and parameters of one write."""
    if columns is None:
        return "DELETE FROM images WHERE id = :id", {"id": row_id}
    if kind.startswith("insert"):
        names = ", ".join(columns)
        return f"INSERT INTO images ({names}) VALUES ({', '.join(f':{name}' for name in columns)})", columns
    assignments = ", ".join(f"{name} = :{name}" for name in columns)
    return f"UPDATE images SET {assignments} WHERE id = :id", columns | {"id": row_id}


def main() -> None:
    """Write until stdin ends."""
    order = json.loads(sys.argv[1])
    database: Database = Postgres(order["url"]) if order["url"] else SQLite(order["path"])
    script = Script(order["seed"], image_bytes=order["image_bytes"])
    writes = script.writes()
    with Path(order["journal"]).open("w", encoding="utf-8") as journal:
        for line in sys.stdin:
            for _ in range(json.loads(line)["writes"]):
                kind, row_id, columns = next(writes)
                entry = _write(database, kind, row_id, columns)
                journal.write(f"{json.dumps(entry)}\n")
                time.sleep(order["pause_s"])
            journal.flush()
            sys.stdout.write("{}\n")
            sys.stdout.flush()


def _write(database: Database, kind: str, row_id: str, columns: Columns | None) -> Mapping[str, Any]:
    statement, values = statement_of(kind, row_id, columns)
    begun = time.perf_counter()
    for busy in range(PATIENCE):
        tried = time.perf_counter()
        try:
            database.run(statement, values)
        except Busy:
            time.sleep(0.001)
            continue
        ended = time.perf_counter()
        return {
            "kind": kind, "id": row_id, "columns": columns, "at": time.time(), "busy": busy,
            "ms": (ended - tried) * 1e3, "waited_ms": (ended - begun) * 1e3,
        }  # fmt: skip
    raise SystemExit(f"{kind} of {row_id} was refused {PATIENCE} times")


if __name__ == "__main__":
    main()
