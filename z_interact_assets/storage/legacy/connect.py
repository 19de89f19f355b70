"""DATABASE_URL → LegacyTable: which database, which driver, which connection options."""

import sqlite3
from pathlib import Path
from urllib.parse import unquote

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from z_interact_assets.core.errors import TableUnusableError
from z_interact_assets.storage.legacy.dump import load_dump
from z_interact_assets.storage.legacy.peek import retire_worn
from z_interact_assets.storage.legacy.table import DURABLE, LegacyTable

BUSY_TIMEOUT_S = 10.0  # the app holds its write locks for milliseconds; 5 s or more is advised for SQLite

_FORMS = "file:local.db, sqlite:///local.db, postgresql+psycopg://…, dump:export.sql"


def open_table(
    database_url: str, *, directory: Path = Path(), table: str = "images", busy_timeout: float = BUSY_TIMEOUT_S
) -> LegacyTable:
    """Open the app's table behind a DATABASE_URL. Nothing is created: a missing file is an error.

    Forms: `file:PATH` and `sqlite:///PATH` (SQLite and libSQL files), `postgresql+psycopg://…`, and `dump:PATH`, a
    `wrangler d1 export` loaded into a temporary file and opened read-only. Relative paths start at `directory`. A
    locked SQLite database is waited for `busy_timeout` seconds. Raises TableUnusableError.
    """
    scheme = database_url.partition(":")[0].lower()
    if scheme == "dump":
        path = load_dump(directory / database_url.partition(":")[2])
        return _sqlite_table(path, table=table, busy_timeout=busy_timeout, read_only=True)
    if scheme in ("file", "sqlite"):
        return _sqlite_table(directory / _sqlite_path(database_url), table=table, busy_timeout=busy_timeout)
    if scheme == "cloudflare_d1":
        raise TableUnusableError(
            "DATABASE_URL names Cloudflare D1 over HTTP, which this version does not open.",
            remedy="Rehearse on `wrangler d1 export` with dump:export.sql, or on a SQLite file.",
        )
    return LegacyTable(_server_engine(database_url), table=table)


def _sqlite_path(database_url: str) -> Path:
    text = database_url.partition(":")[2]
    if database_url.lower().startswith("sqlite:"):
        text = text.removeprefix("///")
    elif text.startswith("//"):
        text = text.removeprefix("//")
    path = unquote(text.partition("?")[0])
    if not path or path == ":memory:":
        raise TableUnusableError("DATABASE_URL names no file.", remedy=f"Forms: {_FORMS}.")
    return Path(path)


def _sqlite_table(path: Path, *, table: str, busy_timeout: float, read_only: bool = False) -> LegacyTable:
    if not path.is_file():
        raise TableUnusableError(
            f"There is no database file at {path}.", remedy="Set DATABASE_URL to the app's database (file:PATH)."
        )
    if read_only:
        return LegacyTable(_sqlite_engine(path, mode="ro", busy_timeout=busy_timeout), table=table, read_only=True)
    reader = _sqlite_engine(path, mode="rw", busy_timeout=busy_timeout, query_only=True)
    writer = _sqlite_engine(path, mode="rw", busy_timeout=busy_timeout)
    return LegacyTable(reader, writer=writer, table=table)


# A reader's cache would only fill up with payloads, each read once. A writer's must hold a whole transaction: what
# does not fit in SQLite's usual 2 MB is spilled to the database in its midst, each time after an fsync of the journal.
_READER_KIB, _WRITER_KIB = 256, 12 * 1024


def _sqlite_engine(path: Path, *, mode: str, busy_timeout: float, query_only: bool = False) -> sa.Engine:
    """Connect by a file: URI, so that `mode` can forbid SQLite to create the file or to write it.

    A reader of a live file is `query_only` instead of mode=ro: in a rollback-journal database a commit's last moment
    looks like a crash's journal to it, and a connection that may not roll back gives up (SQLITE_READONLY_ROLLBACK).
    """
    uri = f"{path.resolve().as_uri()}?mode={mode}"

    def connect() -> sqlite3.Connection:
        # isolation_level=None: every statement is its own transaction unless we say BEGIN IMMEDIATE ourselves.
        connection = sqlite3.connect(uri, uri=True, timeout=busy_timeout, isolation_level=None, check_same_thread=False)
        connection.text_factory = _decode
        connection.execute(f"PRAGMA synchronous = {DURABLE}")
        connection.execute(f"PRAGMA query_only = {query_only:d}")
        connection.execute(f"PRAGMA cache_size = -{_READER_KIB if query_only or mode == 'ro' else _WRITER_KIB}")
        return connection

    # Kept open, a connection costs its page cache; opened anew for each of a crowd of threads, 0.3 ms of CPU a row.
    engine = sa.create_engine(
        URL.create("sqlite", database=str(path)), creator=connect, hide_parameters=True, poolclass=sa.QueuePool,
        pool_size=32, max_overflow=256, pool_use_lifo=True,
    )  # fmt: skip
    event.listen(engine, "checkin", retire_worn)
    return engine


def _decode(raw: bytes) -> str:
    # A TEXT value may hold bytes that are not UTF-8; they must neither stop a scan nor pass as something else.
    return raw.decode("utf-8", "surrogateescape")


def _server_engine(database_url: str) -> sa.Engine:
    try:
        url = make_url(database_url)
        # What psycopg has prepared fails once the app alters the table: a plan must not change its result.
        unprepared = {"prepare_threshold": None} if url.drivername == "postgresql+psycopg" else {}
        return sa.create_engine(
            url, hide_parameters=True, pool_size=8, max_overflow=256, pool_pre_ping=True, connect_args=unprepared
        )
    except (ArgumentError, ValueError) as error:
        raise TableUnusableError(f"DATABASE_URL is not a database URL ({type(error).__name__}).",
                                 remedy=f"Forms: {_FORMS}.") from None  # fmt: skip
    except ModuleNotFoundError as error:
        raise TableUnusableError(
            f"DATABASE_URL needs a driver that is not installed ({error}).",
            remedy='For Postgres: pip install "z-interact-assets[postgres]" and postgresql+psycopg://…',
        ) from None
