"""A SQL dump (`wrangler d1 export`) → a temporary SQLite file. Only for rehearsals: nothing is ever written back."""

import atexit
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from z_interact_assets.core.errors import TableUnusableError

# A dump is somebody's file: it may build tables, but neither reach other files nor load code.
_FORBIDDEN = {sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH}


def load_dump(path: Path) -> Path:
    """Run the dump's statements, one at a time, on a new temporary database; return its path.

    Raises TableUnusableError for a missing file or a statement SQLite refuses (with its number, not its text).
    """
    if not path.is_file():
        raise TableUnusableError(f"There is no SQL dump at {path}.", remedy="Make one with `wrangler d1 export`.")
    folder = tempfile.TemporaryDirectory(prefix="z-interact-dump-")
    atexit.register(folder.cleanup)
    target = Path(folder.name) / "dump.db"
    connection = sqlite3.connect(target, isolation_level=None)
    connection.set_authorizer(_authorise)
    number = 0
    try:
        for number, statement in enumerate(_statements(path), start=1):  # noqa: B007 - the number is for the error
            connection.execute(statement)
    except sqlite3.Error as error:
        raise TableUnusableError(
            f"Statement {number} of {path} is refused by SQLite: {error}.",
            remedy="Export it again with `wrangler d1 export`.",
        ) from None
    finally:
        connection.close()
    return target


def _authorise(action: int, *_: object) -> int:
    return sqlite3.SQLITE_DENY if action in _FORBIDDEN else sqlite3.SQLITE_OK


def _statements(path: Path) -> Iterator[str]:
    """Yield whole statements; a prompt may hold line breaks and semicolons, SQLite itself knows where it ends."""
    lines: list[str] = []
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as dump:
        for line in dump:
            lines.append(line)
            if line.rstrip().endswith(";") and sqlite3.complete_statement(text := "".join(lines)):
                yield text
                lines.clear()
    if "".join(lines).strip():
        yield "".join(lines)
