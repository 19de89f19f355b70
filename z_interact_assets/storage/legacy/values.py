"""Values as parameters of statements, so that each arrives in the table as it was read from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa


def is_utf8(text: str) -> bool:
    """Tell whether a text was UTF-8 in the database; bytes that are not stand in it as lone surrogates."""
    return text.isascii() or not any("\udc80" <= character <= "\udcff" for character in text)


def all_bound(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row's values as parts of a statement of its own."""
    return {name: bound(value) for name, value in values.items()}


@dataclass(frozen=True, slots=True)
class Bound:
    """A value as a parameter; text that is not UTF-8 can only travel as bytes, a time keeps its zone."""

    value: Any
    type: str

    @classmethod
    def of(cls, value: Any) -> "Bound":
        """Return how the value travels."""
        if isinstance(value, str) and not is_utf8(value):
            return cls(value.encode("utf-8", "surrogateescape"), "raw text")
        zoned = isinstance(value, datetime) and value.tzinfo is not None
        return cls(value, "zoned" if zoned else type(value).__name__)

    def parameter(self, name: str) -> sa.ColumnElement[Any]:
        """Return what stands for it in a statement for all values of its type."""
        if self.value is None:
            return sa.null()
        # Not the type of this very number: the statement is kept for others, which may need eight bytes.
        wide = {"zoned": sa.DateTime(timezone=True), "int": sa.BigInteger()}
        kind = wide.get(self.type) or sa.literal(self.value).type
        parameter = sa.bindparam(name, type_=kind)
        return sa.cast(parameter, sa.Text) if self.type == "raw text" else parameter


def bound(value: Any) -> Any:
    """Return a value as a part of a statement of its own."""
    as_bound = Bound.of(value)
    if as_bound.type == "raw text":
        return sa.cast(sa.literal(as_bound.value), sa.Text)
    return sa.literal(value, sa.DateTime(timezone=True)) if as_bound.type == "zoned" else value
