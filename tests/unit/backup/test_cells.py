"""Values into records and back: each comes back in its bytes and in its type."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest

from z_interact_assets.backup.cells import (
    EXACT_COLUMN,
    Column,
    Kind,
    columns_of,
    from_record,
    same_value,
    to_record,
)
from z_interact_assets.core.errors import TableUnusableError

VALUES = {
    "null": None,
    "text": "un café 🎨",
    "an empty text": "",
    "text with NUL": "a\0b",
    "text that is not UTF-8": "caf\udce9",
    "text of a number": "12",
    "integer": 12,
    "the largest integer": 2**63 - 1,
    "the smallest integer": -(2**63),
    "real": 12.0,
    "negative zero": -0.0,
    "infinity": float("inf"),
    "no number": float("nan"),
    "a real that needs all its digits": 0.1 + 0.2,
    "blob": b"12",
    "an empty blob": b"",
    "true": True,
    "false": False,
    "decimal": Decimal("12.50"),
    "a decimal that is no number": Decimal("NaN"),
    "time of day with a zone": time(1, 2, 3, 4, tzinfo=UTC),
    "moment": datetime(2025, 9, 8, 1, 2, 3, 4),  # noqa: DTZ001 - a TIMESTAMP without a zone
    "moment with a zone": datetime(2025, 9, 8, 1, 2, 3, tzinfo=timezone(timedelta(hours=-7))),
    "date": date(2025, 9, 8),
    "uuid": UUID(int=7),
}
DECLARED = ("TEXT", "INTEGER", "BLOB", "REAL", "BOOLEAN", "NUMERIC", "TIMESTAMP", "BYTEA", "VARCHAR(9)", "BIGINT", "")


@pytest.mark.parametrize("declared", DECLARED)
@pytest.mark.parametrize("name", VALUES)
def test_a_value_comes_back_from_a_column_of_any_type(name: str, declared: str):
    columns = columns_of(("id", "value"), ("TEXT", declared))
    values = {"id": "1", "value": VALUES[name]}
    back = from_record(to_record(values, columns), columns)
    assert same_value(back["value"], VALUES[name])
    assert repr(back["value"]) == repr(VALUES[name])


@pytest.mark.parametrize(
    ("declared", "kind"),
    [
        ("TEXT", Kind.TEXT), ("CHARACTER VARYING", Kind.TEXT), ("INTERVAL", Kind.TEXT), ("UUID", Kind.TEXT),
        ("INTEGER", Kind.INTEGER), ("BIGINT", Kind.INTEGER), ("BLOB", Kind.BLOB), ("BYTEA", Kind.BLOB),
        ("DOUBLE PRECISION", Kind.REAL), ("BOOLEAN", Kind.BOOLEAN), ("NULL", Kind.TEXT),
    ],
)  # fmt: skip
def test_most_values_of_a_column_are_kept_in_a_type_analysts_know(declared: str, kind: Kind):
    assert Column.of("value", declared).kind is kind


def test_what_fits_its_column_is_not_spelt_twice():
    columns = columns_of(("id", "n", "t"), ("TEXT", "INTEGER", "TEXT"))
    record = to_record({"id": "1", "n": 5, "t": None}, columns)
    assert record == {"id": "1", "n": 5, "t": None, EXACT_COLUMN: None}


def test_an_id_is_a_text_whatever_its_column_declares():
    assert [column.kind for column in columns_of(("id", "n"), ("BLOB", "BLOB"))] == [Kind.TEXT, Kind.BLOB]


def test_a_type_that_could_not_be_given_back_is_refused():
    columns = columns_of(("id", "tags"), ("TEXT", "JSON"))
    with pytest.raises(TableUnusableError, match="tags"):
        to_record({"id": "1", "tags": ["a"]}, columns)


def test_a_table_with_our_own_column_is_refused():
    with pytest.raises(TableUnusableError, match=EXACT_COLUMN):
        columns_of(("id", EXACT_COLUMN), ("TEXT", "TEXT"))


@pytest.mark.parametrize(
    "entry",
    [
        {"column": "other", "kind": "text", "value": b"a"},
        {"column": "n", "kind": "pickle", "value": b"a"},
        {"column": "n", "kind": "integer", "value": b"one"},
        {"column": "n", "kind": "decimal", "value": b"one"},
        {"column": "n", "kind": "real", "value": b""},
        {"column": "n", "kind": "uuid", "value": b"1"},
        {"column": "n", "kind": "date", "value": b"1"},
        {"column": "n", "kind": "text", "value": None},
        {"column": None, "kind": None, "value": None},
    ],
    ids=str,
)
def test_a_value_that_none_could_have_had_is_refused(entry: dict[str, object]):
    columns = columns_of(("id", "n"), ("TEXT", "INTEGER"))
    with pytest.raises(ValueError):
        from_record({"id": "1", "n": None, EXACT_COLUMN: [entry]}, columns)


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 1.0), (1, "1"), (1, True), ("1", b"1"), (0.0, -0.0), (None, ""), (Decimal("1.0"), Decimal("1.00"))],
)
def test_values_of_other_types_or_spellings_are_not_the_same(one: object, other: object):
    assert not same_value(one, other)
    assert same_value(one, one)
