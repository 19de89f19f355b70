"""A cheap sign of writes to the table, to tell when looking at its rows is worth while. No row is read.

Two signs that differ: somebody wrote to the database, not necessarily to a row. Two that are equal prove nothing for
ever (a clock that was set back, statistics that are off), so whoever relies on them looks at the rows now and then.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

# Counted by Postgres when a transaction has ended; sent at the latest when its session is idle for some seconds.
_COUNTERS = ("inserted", "updated", "deleted")
_WITH_ROWS_OF_ITS_OWN = ("r", "m")  # a view or a partitioned parent counts nothing


@dataclass(frozen=True, slots=True)
class TableChanges:
    """Signs of writes to one table; `connect` gives a connection in autocommit mode."""

    table: str
    database: Path | None  # of SQLite
    connect: Callable[[], AbstractContextManager[sa.Connection]]

    def sign(self) -> str | None:
        """Return a short text that differs once something was written; None where the database cannot tell.

        Take it before reading the rows: what is written while they are read then shows in the next one.
        """
        if self.database is not None:
            # In WAL mode a commit reaches the database's own file only with a checkpoint.
            parts = (_state(self.database), _state(self.database.with_name(f"{self.database.name}-wal")))
            return " ".join(part for part in parts if part)
        with self.connect() as connection:
            return self._counted(connection) if connection.dialect.name == "postgresql" else None

    def _counted(self, connection: sa.Connection) -> str | None:
        from sqlalchemy.dialects.postgresql import REGCLASS  # noqa: PLC0415 - see LegacyTable

        oid = sa.cast(sa.cast(self.table, REGCLASS), sa.BigInteger)
        pg_class = sa.table("pg_class", sa.column("oid"), sa.column("relkind"), sa.column("relfilenode"))
        counters = [getattr(sa.func, f"pg_stat_get_tuples_{name}")(pg_class.c.oid) for name in _COUNTERS]
        statement = sa.select(pg_class.c.relkind, pg_class.c.relfilenode, *counters).where(pg_class.c.oid == oid)
        kind, *numbers = connection.execute(statement).one()
        # The driver may give a "char" as bytes.
        kind = kind.decode() if isinstance(kind, bytes) else kind
        return ".".join(map(str, numbers)) if kind in _WITH_ROWS_OF_ITS_OWN else None


def _state(file: Path) -> str:
    """Return a file's size, time of change and number; nothing for one that is absent or empty."""
    try:
        found = file.stat()
    except OSError:
        return ""
    return f"{found.st_size}.{found.st_mtime_ns}.{found.st_ino}" if found.st_size else ""
