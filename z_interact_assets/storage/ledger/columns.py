"""Column types for what strangers' rows hold and a database may not take. What goes in comes out.

A SQLite text may hold NUL, which no text of Postgres can; a REAL may be infinite, which JSON cannot say. One such row
would otherwise stop the planning or the batch of all others.
"""

import math
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

# A private-use character stands for NUL, and for itself when doubled by another digit.
_MARK = "\ue000"
_REAL = "real"


class AnyText(sa.TypeDecorator[str]):
    """Text with any character; where Postgres keeps it, NUL is spelt by a mark."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Spell NUL."""
        if value is None or dialect.name == "sqlite":
            return value
        return value.replace(_MARK, f"{_MARK}1").replace("\0", f"{_MARK}0")

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Read NUL."""
        if value is None or dialect.name == "sqlite":
            return value
        return value.replace(f"{_MARK}0", "\0").replace(f"{_MARK}1", _MARK)


class AnyValues(sa.TypeDecorator[Mapping[str, Any]]):
    """A JSON object of columns' values; a number that is not finite is kept by its name."""

    impl = sa.JSON
    cache_ok = True

    def process_bind_param(self, value: Mapping[str, Any] | None, dialect: sa.Dialect) -> Mapping[str, Any] | None:  # noqa: ARG002
        """Name what JSON cannot say."""
        if value is None:
            return None
        return {name: {_REAL: str(each)} if _is_endless(each) else each for name, each in value.items()}

    def process_result_value(self, value: Mapping[str, Any] | None, dialect: sa.Dialect) -> Mapping[str, Any] | None:  # noqa: ARG002
        """Return the numbers."""
        if value is None:
            return None
        return {
            name: float(each[_REAL]) if isinstance(each, Mapping) and _REAL in each else each
            for name, each in value.items()
        }


def _is_endless(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
