"""Columns of a report's tables: one description serves Parquet, CSV and the data package. No file is written here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumn:
    """A column: its name, how Parquet holds it, what it means, and what is always true of it (Table Schema's terms)."""

    name: str
    type: pa.DataType
    description: str
    constraints: Mapping[str, Any] = field(default_factory=dict[str, Any])


def arrow_schema(columns: tuple[TableColumn, ...]) -> pa.Schema:
    """Return the schema of the Parquet file, each field with its description."""
    return pa.schema([
        pa.field(column.name, column.type, metadata={"description": column.description}) for column in columns
    ])  # fmt: skip


def table_schema(columns: tuple[TableColumn, ...]) -> dict[str, Any]:
    """Return the Table Schema of the CSV file."""
    return {"fields": [_field(column) for column in columns], "missingValues": [""]}


def _field(column: TableColumn) -> dict[str, Any]:
    kind = _kind(column.type)
    described: dict[str, Any] = {"name": column.name, "type": kind, "description": column.description}
    if kind == "datetime":
        described["format"] = "%Y-%m-%dT%H:%M:%S.%fZ"
    if column.constraints:
        described["constraints"] = dict(column.constraints)
    return described


def _kind(of: pa.DataType) -> str:
    if pa.types.is_integer(of):
        return "integer"
    if pa.types.is_floating(of):
        return "number"
    if pa.types.is_boolean(of):
        return "boolean"
    return "datetime" if pa.types.is_timestamp(of) else "string"
