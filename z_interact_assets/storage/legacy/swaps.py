"""Compare-and-swap of a row as a statement, made once for all changes of a form."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from z_interact_assets.core.rows import RowChange, spelt
from z_interact_assets.storage.legacy.values import Bound
from z_interact_assets.storage.prepared import Prepared


class Swaps:
    """The statements for one table."""

    def __init__(self, table: sa.TableClause, dialect: sa.Dialect) -> None:
        self._table = table
        self._dialect = dialect
        self._made: dict[tuple[Any, ...], Prepared] = {}

    def of(self, change: RowChange) -> tuple[Prepared, dict[str, Any]]:
        """Return the statement, one for all changes of a form, and its values."""
        read = {name: Bound.of(spelt(value)) for name, value in change.as_read.items()}
        new = {name: Bound.of(value) for name, value in change.values.items()}
        form = (*((name, each.type) for name, each in read.items()), None, *((n, each.type) for n, each in new.items()),
                None, *change.rising)  # fmt: skip
        swap = self._made.get(form)
        if swap is None:
            swap = self._made[form] = Prepared(self._statement(read, new, change.rising), self._dialect)
        values = {f"read_{name}": each.value for name, each in read.items()}
        values.update((f"new_{name}", each.value) for name, each in new.items())
        return swap, values | {"row_id": change.id}

    def _statement(self, read: Mapping[str, Bound], new: Mapping[str, Bound], rising: Sequence[str]) -> sa.Update:
        same = [self._table.c[name].is_not_distinct_from(each.parameter(f"read_{name}")) for name, each in read.items()]
        values = {name: each.parameter(f"new_{name}") for name, each in new.items()}
        for name in rising:
            values[name] = self._not_lower(self._table.c[name], values[name])
        return sa.update(self._table).where(self._table.c["id"] == sa.bindparam("row_id"), *same).values(values)

    def _not_lower(self, column: sa.ColumnElement[Any], value: Any) -> sa.ColumnElement[Any]:
        later = column > value
        if self._dialect.name == "sqlite":  # where any text is higher than any number
            later = sa.and_(sa.func.typeof(column) == "integer", later)
        return sa.case((later, column), else_=value)
