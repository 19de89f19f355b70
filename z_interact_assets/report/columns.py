"""Columns of a report's tables: one description serves Parquet, CSV and the data package. No file is written here.

pyarrow is imported only by who asks for its types: it takes a while, and every command loads this.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from z_interact_assets.stats.columns import TIME, arrow_type

if TYPE_CHECKING:
    import pyarrow as pa

_KINDS = {"string": "string", "int64": "integer", "int32": "integer", "double": "number", TIME: "datetime"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumn:
    """A column: its name, how Parquet holds it, what it means, and what is always true of it (Table Schema's terms).

    `type` is string, int64, int32, double or timestamp[ms, UTC].
    """

    name: str
    type: str
    description: str
    constraints: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def arrow_type(self) -> "pa.DataType":
        """The type it has in Parquet."""
        return arrow_type(self.type)


def table_schema(columns: tuple[TableColumn, ...]) -> dict[str, Any]:
    """Return the Table Schema of the CSV file."""
    return {"fields": [_field(column) for column in columns], "missingValues": [""]}


def _field(column: TableColumn) -> dict[str, Any]:
    kind = _KINDS[column.type]
    described: dict[str, Any] = {"name": column.name, "type": kind, "description": column.description}
    if kind == "datetime":
        described["format"] = "%Y-%m-%dT%H:%M:%S.%fZ"
    if column.constraints:
        described["constraints"] = dict(column.constraints)
    return described
