"""LEDGER_URL → Ledger, its schema brought up to this version's with Alembic."""

import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from z_interact_assets.core.errors import LedgerUnavailableError, LedgerUnusableError
from z_interact_assets.storage.ledger import schema
from z_interact_assets.storage.ledger.ledger import Ledger
from z_interact_assets.storage.sql_errors import SQLErrors

_alembic = threading.Lock()  # its context is a global of the process
_BUSY_SECONDS = 30  # that another process may hold the lock of a SQLite ledger
_UPGRADE = 7_230_419  # a Postgres lock of our own: code server and workers start at once, one of them makes the tables
errors = SQLErrors("The ledger", unusable=LedgerUnusableError, unavailable=LedgerUnavailableError)


def open_ledger(ledger_url: str, *, create: bool = True) -> Ledger:
    """Open the ledger, creating or upgrading its schema. Raises LedgerUnusableError or LedgerUnavailableError.

    With `create=False` a ledger that is not there yet is an error: for commands that only read.
    """
    engine = _engine(ledger_url, create=create)
    with errors.translated():
        if _revision(engine) != schema.REVISION:
            _upgrade(engine)
    return Ledger(engine, errors)


def ledger_exists(ledger_url: str) -> bool:
    """Tell whether there is a ledger to read; one on a server is taken to be there."""
    try:
        url = make_url(ledger_url)
    except ArgumentError:
        return True  # opening it will say what is wrong
    return url.get_backend_name() != "sqlite" or Path(url.database or "").is_file()


def _engine(ledger_url: str, *, create: bool) -> sa.Engine:
    try:
        url = make_url(ledger_url)
        if url.get_backend_name() != "sqlite":
            return sa.create_engine(url, hide_parameters=True, pool_pre_ping=True)
    except (ArgumentError, ValueError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise LedgerUnusableError(
            f"LEDGER_URL cannot be used ({type(error).__name__}).",
            remedy="Use sqlite:///PATH or postgresql+psycopg://… (with the `postgres` extra installed).",
        ) from None
    path = Path(url.database or "")
    if not path.is_file() and not create:
        raise LedgerUnusableError(f"There is no ledger at {path} yet.", remedy="Run `z-interact-assets plan` first.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerUnusableError(
            f"The ledger's folder {path.parent} cannot be made: {error.strerror}.", remedy="Set LEDGER_URL."
        ) from None
    engine = sa.create_engine(url, hide_parameters=True, connect_args={"timeout": _BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    _write_ahead(connection)
    # A stored record must be on disk before the row it undoes is switched, power loss included.
    connection.execute("PRAGMA synchronous = FULL")


def _write_ahead(connection: sqlite3.Connection) -> None:
    # SQLite does not wait for a lock here, timeout or not, when that could be a deadlock: as between connections that
    # open one new file (https://sqlite.org/c3ref/busy_handler.html).
    until = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_immediate(connection: sa.Connection) -> None:
    # A deferred transaction that reads first and then writes fails at once when another one wrote in between.
    mode = "DEFERRED" if connection.get_execution_options().get("readonly") else "IMMEDIATE"
    connection.exec_driver_sql(f"BEGIN {mode}")


def _revision(engine: sa.Engine) -> str | None:
    with engine.connect().execution_options(readonly=True) as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _upgrade(engine: sa.Engine) -> None:
    """Run the missing migrations. Alembic is imported only here: it is not needed on any other path."""
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "z_interact_assets.storage.ledger:migrations")
    with _alembic, engine.begin() as connection:
        if engine.dialect.name == "postgresql":  # SQLite's transactions exclude each other anyway
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_UPGRADE)))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError:
            raise LedgerUnusableError(
                "The ledger was written by a newer version of this package.", remedy="Upgrade z-interact-assets."
            ) from None
