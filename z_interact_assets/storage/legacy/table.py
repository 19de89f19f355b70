"""LegacyTable: the app's table by reflection. SELECT and UPDATE are built from the columns that are there."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from z_interact_assets.core.errors import TableUnavailableError, TableUnusableError
from z_interact_assets.core.rows import LegacyRow, RowChange, RowHead, TableShape
from z_interact_assets.storage.legacy.attributes import TableAttributes
from z_interact_assets.storage.legacy.changes import TableChanges
from z_interact_assets.storage.legacy.heads import HeadPages
from z_interact_assets.storage.legacy.peek import SQLitePeek
from z_interact_assets.storage.legacy.reader import RowReader, Rows, RowsAhead
from z_interact_assets.storage.legacy.space import TableSpace
from z_interact_assets.storage.legacy.strict import StrictPages
from z_interact_assets.storage.legacy.swaps import Swaps
from z_interact_assets.storage.legacy.values import all_bound, bound, is_utf8
from z_interact_assets.storage.prepared import Prepared, driver_connection
from z_interact_assets.storage.sql_errors import SQLErrors

# A page is read under one short read transaction (about 3 ms on SQLite): in a rollback-journal database a reader
# keeps the app, whose busy timeout is 0, from committing.
PAGE_ROWS = 500
PAGE_IDS = 10_000

# A row given back must be on disk before its object may go. FULL, the usual default, is too little with a rollback
# journal: a power loss may bring the journal back, and with it the row as it was.
DURABLE = "EXTRA"

_errors = SQLErrors("The app's database", unusable=TableUnusableError, unavailable=TableUnavailableError)


class LegacyTable:
    """One table of one database. Thread-safe: every call takes a connection of its own from the pool."""

    def __init__(
        self, reader: sa.Engine, *, writer: sa.Engine | None = None, table: str = "images", read_only: bool = False
    ) -> None:
        """Wrap engines; `writer` defaults to `reader` unless `read_only`."""
        self._reader = reader
        self._writer = None if read_only else (writer or reader)
        self._name = table

    def __repr__(self) -> str:
        return f"LegacyTable({self._reader.url.render_as_string(hide_password=True)!r}, table={self._name!r})"

    @cached_property
    def shape(self) -> TableShape:
        """The columns, reflected once. TableUnusableError if the table or a column we cannot do without is absent."""
        with self._reading() as connection:
            inspector = sa.inspect(connection)
            if not inspector.has_table(self._name):
                raise TableUnusableError(
                    f"The database has no table `{self._name}`.",
                    remedy="DATABASE_URL must name the app's own database; run its migrations first.",
                )
            found = inspector.get_columns(self._name)
            columns = tuple(column["name"] for column in found)
            types = tuple(str(column["type"]) for column in found)
            self._id_is_unique = _is_unique(inspector, self._name, "id")
        missing = {"id", "image_url"} - set(columns)
        if missing:
            raise TableUnusableError(
                f"Table `{self._name}` has no column {' and no '.join(sorted(missing))}.",
                remedy="Without it rows can be neither addressed nor pointed at R2; check DATABASE_URL.",
            )
        if not self._id_is_unique:
            self._refuse_repeated_ids()
        return TableShape(table=self._name, columns=columns, types=types)

    @property
    def read_only(self) -> bool:
        """Tell whether this table was opened without a way to write (a dump)."""
        return self._writer is None

    @property
    def is_file(self) -> bool:
        """Tell whether it is a file of this machine: reading it takes CPU, not waiting for a server."""
        return self._on_sqlite

    @property
    def space(self) -> TableSpace:
        """The room its database takes."""
        return TableSpace(self._name, self._maintaining)

    @property
    def attributes(self) -> TableAttributes:
        """What else its rows say, without their images."""
        return TableAttributes(self._name, self.shape.columns, self._reading)

    @property
    def changes(self) -> TableChanges:
        """Cheap signs of writes to it."""
        return TableChanges(
            self._name, Path(self._reader.url.database or "") if self._on_sqlite else None, self._reading
        )

    def count(self) -> int:
        """Return the number of rows."""
        with self._reading() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(self._table)).scalar_one()

    def heads(self, *, page_rows: int = PAGE_ROWS, after: str | None = None) -> Iterator[list[RowHead]]:
        """Yield pages of row heads in order of id, each page one statement, no payload read.

        Rows whose id is NULL, a number, a blob or no UTF-8 cannot be addressed and are left out (see `unaddressable`);
        so are those up to and with the id `after`.
        """
        last = after
        while True:
            page = self._heads.read(last, page_rows)
            if page.heads:
                yield page.heads
            if page.found < page_rows:
                return
            last = page.last

    def unaddressable(self) -> int:
        """Return how many rows have no id to address them by: none, no text, or a text that is not UTF-8."""
        statement = sa.select(sa.func.count()).select_from(self._table).where(sa.not_(self._heads.has_text_id))
        with self._reading() as connection:
            without_text = connection.execute(statement).scalar_one()
        if not self._on_sqlite:  # others refuse such a text
            return without_text
        return without_text + self._not_utf8()

    def head(self, row_id: str) -> RowHead | None:
        """Return one row's head (sizes without the payload), or None if the row is gone."""
        return self._rows.heads([row_id]).get(row_id)

    def read(self, row_id: str) -> LegacyRow | None:
        """Return the whole row, payload included, or None if it is gone."""
        return self._rows.read(row_id)

    @contextmanager
    def reader(self) -> Iterator[Rows]:
        """Give a reader for some rows in a row. A file's keeps its connection, which saves half; a server's reads on.

        Not to be read by another thread at the same time.
        """
        if not self._on_sqlite:  # whose connection may break: each call takes another
            heads, rows = self._statements_ahead
            yield RowsAhead(self._rows, heads=heads, rows=rows)
            return
        with self._reading() as connection:
            yield replace(
                self._rows,
                reading=lambda: _translated(connection),
                snapshot=lambda: _in_transaction(connection),
            )

    def apply(self, changes: Sequence[RowChange], *, durable: bool = True) -> list[bool]:
        """Compare-and-swap each row; True where it still held what was read and now holds the new values.

        On SQLite the given changes commit together under one short BEGIN IMMEDIATE, elsewhere each by itself. An
        error means that none of those not yet answered for may be assumed either way: read the row again.

        What is not `durable` may be undone by a power loss, never half done. That is enough where a row that is as it
        was will be done again, and keeps the app out for less long: the disk is waited for inside the lock (4 ms a
        time).
        """
        if not changes:
            return []
        swaps = [self._swaps.of(change) for change in changes]  # before the lock is taken
        with self._writing(durable=durable) as connection:
            return [swap.run(connection, values) == 1 for swap, values in swaps]

    def insert(self, rows: Sequence[Mapping[str, Any]]) -> list[bool]:
        """Insert whole rows as `read` gave them; False where there is a row with that id, or another unique value.

        On SQLite the given rows commit together under one short BEGIN IMMEDIATE, elsewhere each by itself. As with
        `apply`, what an error leaves behind has to be read.
        """
        if not rows:
            return []
        with self._writing() as connection:
            return [self._insert_absent(connection, row) for row in rows]

    def check_writable(self) -> None:
        """Take and give back a write lock; TableUnusableError if the database can only be read."""
        with self._writing() as connection:
            if connection.dialect.name == "sqlite":
                # BEGIN IMMEDIATE passes on a read-only file; a write that changes no row does not.
                connection.execute(
                    sa.update(self._table).where(sa.false()).values({"image_url": self._column("image_url")})
                )

    def close(self) -> None:
        """Give back all connections."""
        self._reader.dispose()
        if self._writer is not None:
            self._writer.dispose()

    @cached_property
    def _table(self) -> sa.TableClause:
        # Columns without types: values must arrive as stored, also where a faulty rebuild put text into INTEGER.
        return sa.table(self._name, *(sa.column(name) for name in self.shape.columns))

    @cached_property
    def _swaps(self) -> Swaps:
        return Swaps(self._table, self._reader.dialect)

    def _column(self, name: str) -> sa.ColumnElement[Any]:
        return self._table.c[name]

    @cached_property
    def _heads(self) -> HeadPages:
        return HeadPages(
            self._table, self.shape, self._reader.dialect, self._snapshot, has_rowid=self._has_rowid,
            sorts=not self._id_is_unique,
        )  # fmt: skip

    @cached_property
    def _rows(self) -> RowReader:
        same = self._column("id") == sa.bindparam("row_id")
        head = self._heads.select().limit(1)
        return RowReader(
            table=self._name, columns=self.shape.columns, has_rowid=self._has_rowid, reading=self._reading,
            snapshot=self._snapshot, head_statement=Prepared(head.where(same), self._reader.dialect),
            row_statement=Prepared(self._whole_row().where(same), self._reader.dialect),
        )  # fmt: skip

    @cached_property
    def _statements_ahead(self) -> tuple[sa.Select[Any], sa.Select[Any]]:
        among = self._column("id").in_(sa.bindparam("row_ids", expanding=True))
        return self._heads.select().where(among), self._whole_row().where(among)

    def _whole_row(self) -> sa.Select[Any]:
        return sa.select(*(self._column(name) for name in self.shape.columns))

    @cached_property
    def _has_rowid(self) -> bool:
        with self._reading() as connection:
            return SQLitePeek.works(connection, self._name)

    def _not_utf8(self) -> int:
        """Return how many ids are texts, but no UTF-8."""
        id_ = self._column("id")
        statement = sa.select(id_).where(self._heads.has_text_id)
        strict, lenient = StrictPages(statement, id_, self._reader.dialect), statement.order_by(id_).limit(PAGE_IDS)
        found, last = 0, None
        while True:
            with self._reading() as connection:
                page = strict.read(connection, last, PAGE_IDS)
                if page is None:
                    later = lenient if last is None else lenient.where(id_ > bound(last))
                    page = connection.execute(later).all()
                    found += sum(1 for (row_id,) in page if not is_utf8(row_id))
            if len(page) < PAGE_IDS:
                return found
            last = page[-1][0]

    @property
    def _on_sqlite(self) -> bool:
        return self._reader.dialect.name == "sqlite"

    def _refuse_repeated_ids(self) -> None:
        """Raise if an id names more than one row: a compare-and-swap by id could then switch the wrong one."""
        id_ = sa.column("id")
        repeated = sa.select(id_).select_from(sa.table(self._name)).where(id_.is_not(None)).group_by(id_)
        with self._reading() as connection:
            found = connection.execute(repeated.having(sa.func.count() > 1).limit(1)).first()
        if found is not None:
            raise TableUnusableError(
                f"Table `{self._name}` has no unique id: some ids name more than one row.",
                remedy="Give each row an id of its own, best with a primary key on it.",
            )

    def _insert_absent(self, connection: sa.Connection, row: Mapping[str, Any]) -> bool:
        # Asked first, since not every shape has a unique key on the id.
        present = sa.select(self._column("id")).where(self._column("id") == row["id"])
        if connection.execute(present).first() is not None:
            return False
        if self._on_sqlite:
            insert = sqlite.insert(self._table).values(all_bound(row)).on_conflict_do_nothing()
        else:
            from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - 30 ms that a table in SQLite need not pay for

            insert = postgresql.insert(self._table).values(all_bound(row)).on_conflict_do_nothing()
        return connection.execute(insert).rowcount == 1

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with _errors.translated(), self._reader.connect() as connection:
            # Our sqlite3 connections are in autocommit mode by themselves.
            yield connection if _is_sqlite(connection) else connection.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def _maintaining(self) -> Iterator[sa.Connection]:
        """Yield a connection outside any transaction; one that can only read where the table can only be read."""
        with _errors.translated(), (self._writer or self._reader).connect() as connection:
            yield connection if _is_sqlite(connection) else connection.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def _snapshot(self) -> Iterator[sa.Connection]:
        """Keep rowids valid between a statement and the blob handles opened on its rows."""
        with self._reading() as connection, _in_transaction(connection):
            yield connection

    @contextmanager
    def _writing(self, *, durable: bool = True) -> Iterator[sa.Connection]:
        if self._writer is None:
            raise TableUnusableError(
                "The database is open read-only (a dump).", remedy="Set DATABASE_URL to the app's live database."
            )
        with _errors.translated(), self._writer.connect() as connection:
            if not _is_sqlite(connection):
                yield connection.execution_options(isolation_level="AUTOCOMMIT")
                return
            with nullcontext() if durable else _hasty(driver_connection(connection)):
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                try:
                    yield connection
                    connection.exec_driver_sql("COMMIT")
                except BaseException:
                    if driver_connection(connection).in_transaction:  # a full disk makes SQLite roll back by itself
                        connection.exec_driver_sql("ROLLBACK")
                    raise


@contextmanager
def _translated(connection: sa.Connection) -> Iterator[sa.Connection]:
    with _errors.translated():
        yield connection


@contextmanager
def _in_transaction(connection: sa.Connection) -> Iterator[sa.Connection]:
    if not _is_sqlite(connection):
        yield connection
        return
    driver = driver_connection(connection)
    with _errors.translated():
        driver.execute("BEGIN")
        try:
            yield connection
        finally:
            driver.execute("ROLLBACK")


def _is_unique(inspector: sa.Inspector, table: str, column: str) -> bool:
    keys = [inspector.get_pk_constraint(table)["constrained_columns"]]
    keys += [constraint["column_names"] for constraint in inspector.get_unique_constraints(table)]
    keys += [index["column_names"] for index in inspector.get_indexes(table) if index["unique"]]
    return [column] in keys


@contextmanager
def _hasty(connection: sqlite3.Connection) -> Iterator[None]:
    """Wait for the disk no more than the file's consistency takes: not at all with a write-ahead log.

    Nor are the pages zeroed that a rewritten row leaves: where SQLite is built to do that (Debian's is), it is a third
    of the work, and for nothing while the row itself has the image still. The next row takes those pages.
    """
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    (zeroed,) = connection.execute("PRAGMA secure_delete").fetchone()
    connection.execute(f"PRAGMA synchronous = {'NORMAL' if mode == 'wal' else 'FULL'}")
    if zeroed == 1:  # 2 is FAST already
        connection.execute("PRAGMA secure_delete = FAST")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA synchronous = {DURABLE}")
        if zeroed == 1:
            connection.execute("PRAGMA secure_delete = ON")


def _is_sqlite(connection: sa.Connection) -> bool:
    return connection.dialect.name == "sqlite"
