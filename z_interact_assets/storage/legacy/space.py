"""How much room the table's database takes, and giving it back. What a row is is unknown here.

Clearing a column frees pages and shrinks no file: only VACUUM does, which needs about twice the database's size of free
disk (https://sqlite.org/lang_vacuum.html) and keeps every writer out while it runs.
"""

import shutil
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from z_interact_assets.core.errors import TableUnavailableError, TableUnusableError

Reading = Callable[[], AbstractContextManager[sa.Connection]]
FreeDisk = Callable[[Path], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSize:
    """Bytes a database takes, and how many of them are free pages; None where it cannot tell."""

    bytes: int
    free_bytes: int | None


def free_disk(folder: Path) -> int:
    """Return the bytes free for us on the folder's disk."""
    return shutil.disk_usage(folder).free


@dataclass(frozen=True, slots=True)
class TableSpace:
    """The room of one table's database; `connect` gives a connection in autocommit mode that may write."""

    table: str
    connect: Reading
    free_disk: FreeDisk = free_disk

    def measure(self) -> DatabaseSize | None:
        """Return the size of a SQLite file, or of a Postgres table with its indexes; None for any other database."""
        with self.connect() as connection:
            if connection.dialect.name == "sqlite":
                pages, free, size = (
                    _pragma(connection, name) for name in ("page_count", "freelist_count", "page_size")
                )
                return DatabaseSize(bytes=pages * size, free_bytes=free * size)
            if connection.dialect.name == "postgresql":
                from sqlalchemy.dialects.postgresql import REGCLASS  # noqa: PLC0415 - see LegacyTable

                size = connection.execute(
                    sa.select(sa.func.pg_total_relation_size(sa.cast(self.table, REGCLASS)))
                ).scalar_one()
                return DatabaseSize(bytes=size, free_bytes=None)
        return None

    def check_vacuum(self) -> None:
        """Raise TableUnusableError if this is no SQLite file, TableUnavailableError if its disk has too little room."""
        with self.connect() as connection:
            if connection.dialect.name != "sqlite":
                raise TableUnusableError(
                    "VACUUM is for SQLite files.", remedy="Leave --vacuum out; use the database's own tools."
                )
            size = _pragma(connection, "page_count") * _pragma(connection, "page_size")
            file = connection.exec_driver_sql("SELECT file FROM pragma_database_list WHERE name = 'main'").scalar_one()
        for folder, needed in _needs(Path(file).parent, size).items():
            free = self.free_disk(folder)
            if free < needed:
                raise TableUnavailableError(
                    f"VACUUM needs {needed / 1e6:,.1f} MB of free disk in {folder}, it has {free / 1e6:,.1f} MB.",
                    remedy="Make room there and run it again, or leave --vacuum out.",
                )

    def vacuum(self) -> None:
        """Rebuild the file without its free pages, once its disk has the room for that."""
        self.check_vacuum()
        with self.connect() as connection:
            connection.exec_driver_sql("VACUUM")
            # In WAL mode the new pages are in the log until now; of a busy reader this waits for nothing.
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _pragma(connection: sa.Connection, name: str) -> int:
    return int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())


def _needs(folder: Path, size: int) -> dict[Path, int]:
    """Return what VACUUM needs where: the copy in the folder for temporary files, the journal beside the file."""
    temporary = Path(tempfile.gettempdir())
    if folder.stat().st_dev == temporary.stat().st_dev:
        return {folder: 2 * size}
    return {folder: size, temporary: size}
