"""One row of the table ↔ one record of a Parquet part, exact to the byte and to the type. No file here.

A record has the table's own columns, each with one Parquet type (`Kind`, by the type the column declares), so that
analysts read text as strings and numbers as numbers. SQLite keeps any type of value in any column, and text that is no
UTF-8; Postgres has types Parquet would change. What does not fit its column's type is therefore null there, and the
last column, EXACT_COLUMN, lists it: the column's name, the kind of the value, its bytes (`_to_bytes`). So a null with
no entry there is NULL, and nothing else has two spellings.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from z_interact_assets.core.errors import TableUnusableError

EXACT_COLUMN = "__exact"


class Kind(StrEnum):
    """The type of one value, as a driver gives it."""

    TEXT = "text"
    INTEGER = "integer"
    REAL = "real"
    BLOB = "blob"
    BOOLEAN = "boolean"
    DECIMAL = "decimal"
    TIMESTAMP = "timestamp"
    DATE = "date"
    TIME = "time"
    UUID = "uuid"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table: its name, the type it declares, and the kind of value its Parquet column holds."""

    name: str
    type: str
    kind: Kind

    @classmethod
    def of(cls, name: str, declared: str) -> "Column":
        """Choose the kind most values of such a column have."""
        upper = declared.upper()
        return cls(name, declared, next((kind for part, kind in _BY_DECLARED_TYPE if part in upper), Kind.TEXT))


def columns_of(names: Sequence[str], types: Sequence[str]) -> tuple[Column, ...]:
    """Return the table's columns; TableUnusableError if one has our own column's name."""
    if EXACT_COLUMN in names:
        raise TableUnusableError(f"The table has a column `{EXACT_COLUMN}`: the name a backup needs for itself.")
    found = (Column.of(name, declared) for name, declared in zip(names, types, strict=True))
    # Rows are found by their id, which is a text whatever its column declares (see LegacyTable.heads).
    return tuple(replace(column, kind=Kind.TEXT) if column.name == "id" else column for column in found)


def to_record(values: Mapping[str, Any], columns: Sequence[Column]) -> dict[str, Any]:
    """Return the record of a row. TableUnusableError for a type of value that could not be given back exactly."""
    record: dict[str, Any] = {}
    exact: list[dict[str, Any]] = []
    for column in columns:
        value = values[column.name]
        fits = value is None or _fits(value, column.kind)
        record[column.name] = value if fits else None
        if not fits:
            kind = _kind_of(value, column)
            exact.append({"column": column.name, "kind": kind.value, "value": _to_bytes(value)})
    record[EXACT_COLUMN] = exact or None
    return record


def from_record(record: Mapping[str, Any], columns: Sequence[Column]) -> dict[str, Any]:
    """Return the row of a record; ValueError if it lists a value that none could have had."""
    values = {column.name: record[column.name] for column in columns}
    for entry in record[EXACT_COLUMN] or ():
        if entry["column"] not in values:
            raise ValueError("a value of no column")
        values[entry["column"]] = _exact(Kind(entry["kind"]), entry["value"])
    return values


def same_value(one: Any, other: Any) -> bool:
    """Tell whether two stored values are the same, type and all: 1 is neither 1.0 nor '1'."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float | Decimal):  # by their spelling: NaN equals itself, -0.0 is not 0.0
        return repr(one) == repr(other)
    return one == other


def _fits(value: Any, kind: Kind) -> bool:
    if type(value) is not _TYPES[kind]:
        return False
    if kind is Kind.TEXT:
        return _is_utf8(value)
    return kind in _IN_PARQUET


def _is_utf8(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _kind_of(value: Any, column: Column) -> Kind:
    found = next((kind for kind, known in _TYPES.items() if type(value) is known), None)
    if found is None:
        raise TableUnusableError(
            f"Column `{column.name}` holds values of type {type(value).__name__}, which a backup cannot keep exactly.",
            remedy="Back this table up with the database's own tool.",
        )
    return found


def _to_bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if isinstance(value, datetime | date | time):
        return value.isoformat().encode()
    return (repr(value) if isinstance(value, float) else str(value)).encode()


def _exact(kind: Kind, raw: bytes | None) -> Any:
    if raw is None:
        raise ValueError("a value without bytes")
    try:
        return _FROM_BYTES[kind](raw)
    except ArithmeticError:  # what Decimal raises for a text that is no number
        raise ValueError("not a number") from None


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


_TYPES: Mapping[Kind, type] = {
    Kind.TEXT: str, Kind.INTEGER: int, Kind.REAL: float, Kind.BLOB: bytes, Kind.BOOLEAN: bool, Kind.DECIMAL: Decimal,
    Kind.TIMESTAMP: datetime, Kind.DATE: date, Kind.TIME: time, Kind.UUID: UUID,
}  # fmt: skip
_IN_PARQUET = frozenset({Kind.TEXT, Kind.INTEGER, Kind.REAL, Kind.BLOB, Kind.BOOLEAN})
_FROM_BYTES: Mapping[Kind, Callable[[bytes], Any]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: int,
    Kind.REAL: lambda raw: float(raw.decode()),
    Kind.BLOB: bytes,
    Kind.BOOLEAN: lambda raw: raw == b"True",
    Kind.DECIMAL: lambda raw: Decimal(raw.decode()),
    Kind.TIMESTAMP: lambda raw: datetime.fromisoformat(raw.decode()),
    Kind.DATE: lambda raw: date.fromisoformat(raw.decode()),
    Kind.TIME: lambda raw: time.fromisoformat(raw.decode()),
    Kind.UUID: lambda raw: UUID(raw.decode()),
}
# The first part of the declared type that is found decides, as SQLite does it: https://sqlite.org/datatype3.html#affname
_BY_DECLARED_TYPE = (
    ("INTERVAL", Kind.TEXT), ("INT", Kind.INTEGER), ("CHAR", Kind.TEXT), ("TEXT", Kind.TEXT), ("BLOB", Kind.BLOB),
    ("BYTEA", Kind.BLOB), ("REAL", Kind.REAL), ("FLOA", Kind.REAL), ("DOUB", Kind.REAL), ("BOOL", Kind.BOOLEAN),
)  # fmt: skip
