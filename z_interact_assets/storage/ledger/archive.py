"""The whole ledger out and in, as plain rows, for backups. What the rows mean is unknown here.

Values come as they were given to the ledger, but JSON as its text: what is loaded is what was there, and a SQLite
ledger's rows may go into Postgres.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from z_interact_assets.core.errors import LedgerUnusableError
from z_interact_assets.storage.ledger.columns import AnyText
from z_interact_assets.storage.ledger.schema import REVISION, items, metadata
from z_interact_assets.storage.ledger.sessions import Sessions

PAGE_ROWS = 500

Row = Mapping[str, Any]
Columns = Mapping[str, type]
"""The Python type of each column's values: str, int, float or bool; any may be None."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The ledger at one instant, for as long as `Archive.snapshot` is open. Parents come before their children."""

    connection: sa.Connection
    revision: str = REVISION

    @property
    def tables(self) -> dict[str, Columns]:
        """Every table with its columns."""
        return {
            table.name: {column.name: _plain_type(column) for column in table.columns}
            for table in metadata.sorted_tables
        }

    def pages(self, table: str) -> Iterator[list[Row]]:
        """Yield the rows of a table in order of its primary key."""
        columns = [_as_held(column).label(column.name) for column in metadata.tables[table].columns]
        statement = sa.select(*columns).order_by(*metadata.tables[table].primary_key.columns)
        found = self.connection.execute(statement, execution_options={"yield_per": PAGE_ROWS})
        for page in found.mappings().partitions():
            yield [dict(row) for row in page]


class Archive(Sessions):
    """Reads the whole ledger at one instant; fills an empty one."""

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Open one read transaction over all tables. It blocks nobody: the ledger is in WAL mode, or on a server."""
        with self._errors.translated(), self._engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ")  # noqa: PLW2901 - the same one
            yield Snapshot(connection.execution_options(readonly=True))

    def is_empty(self) -> bool:
        """Tell whether the ledger has no item at all."""
        with self._reading() as connection:
            return connection.execute(sa.select(items.c.item_id).limit(1)).first() is None

    def load(self, tables: Iterable[tuple[str, Iterable[Sequence[Row]]]]) -> int:
        """Fill an empty ledger with pages of rows of tables, parents first, all in one transaction; return how many.

        One transaction, since an item in the ledger is what says that it was filled: a load that is killed leaves it
        empty. Returns 0, and loads nothing, if another process filled it meanwhile. Columns that are not named take
        their defaults, so that an older backup fits; unknown ones are refused with LedgerUnusableError.
        """
        loaded, offsets = 0, dict[str, int]()
        with self._writing() as connection:
            if connection.execute(sa.select(items.c.item_id).limit(1)).first() is not None:
                return 0
            for name, pages in tables:
                loaded += _load_table(connection, name, pages, offsets)
        return loaded


def _load_table(connection: sa.Connection, name: str, pages: Iterable[Sequence[Row]], offsets: dict[str, int]) -> int:
    """Load one table; `offsets` are by how much the ids of tables before it were raised, and gets its own."""
    table = metadata.tables.get(name)
    if table is None:
        raise _too_new(f"table {name}")
    offsets[name] = _highest_id(connection, table)
    raised = _raised(table, offsets)
    loaded = 0
    for page in pages:
        rows = [{**row, **{key: row[key] + by for key, by in raised.items() if key in row}} for row in page]
        if not rows:
            continue
        if unknown := rows[0].keys() - {column.name for column in table.columns}:
            raise _too_new(f"column {name}.{min(unknown)}")
        connection.execute(_insert(connection, table, rows[0].keys()), rows)
        loaded += len(rows)
    _advance_sequence(connection, table)
    return loaded


def _insert(connection: sa.Connection, table: sa.Table, names: Iterable[str]) -> sa.Insert:
    on_postgres = connection.dialect.name == "postgresql"
    # Without the table's own types: JSON is text already. Postgres wants to be told that it is JSON.
    plain = sa.table(table.name, *(sa.column(name) for name in names))
    values = {
        name: sa.cast(sa.bindparam(name, type_=sa.Text), sa.JSON)
        if on_postgres and _is_json(table.columns[name])
        else sa.bindparam(name, type_=AnyText() if isinstance(table.columns[name].type, AnyText) else None)
        for name in names
    }
    return sa.insert(plain).values(values)


def _highest_id(connection: sa.Connection, table: sa.Table) -> int:
    """Return the highest number of a table that has rows already (statistics of before the load), else 0."""
    key = list(table.primary_key.columns)
    if len(key) != 1 or not isinstance(key[0].type, sa.Integer):
        return 0
    return connection.execute(sa.select(sa.func.coalesce(sa.func.max(key[0]), 0))).scalar_one()


def _raised(table: sa.Table, offsets: Mapping[str, int]) -> dict[str, int]:
    """Return the columns of which loaded numbers are raised, each with by how much: its own ids, and its parents'."""
    raised = {foreign.parent.name: offsets.get(foreign.column.table.name, 0) for foreign in table.foreign_keys}
    raised |= {column.name: offsets[table.name] for column in table.primary_key.columns}
    return {name: by for name, by in raised.items() if by}


def _advance_sequence(connection: sa.Connection, table: sa.Table) -> None:
    """Let Postgres number on from the highest id that was loaded; SQLite does by itself."""
    column = table.autoincrement_column
    if column is None or connection.dialect.name != "postgresql":
        return
    sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
    highest = sa.select(sa.func.coalesce(sa.func.max(column), 0) + 1).scalar_subquery()
    connection.execute(sa.select(sa.func.setval(sequence, highest, sa.false())))


def _as_held(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    return sa.cast(column, sa.Text) if _is_json(column) else column


def _plain_type(column: sa.Column[Any]) -> type:
    return str if _is_json(column) else _database_type(column).python_type


def _is_json(column: sa.Column[Any]) -> bool:
    return isinstance(_database_type(column), sa.JSON)


def _database_type(column: sa.Column[Any]) -> sa.types.TypeEngine[Any]:
    return column.type.impl_instance if isinstance(column.type, sa.TypeDecorator) else column.type


def _too_new(what: str) -> LedgerUnusableError:
    return LedgerUnusableError(
        f"The backup's ledger has a {what} this version does not know.", remedy="Upgrade z-interact-assets."
    )
