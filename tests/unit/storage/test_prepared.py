"""Statements past SQLAlchemy do what SQLAlchemy does with them."""

import sqlite3
from typing import Any

import pytest
import sqlalchemy as sa

from z_interact_assets.core.models import ItemState
from z_interact_assets.storage.prepared import Prepared, driver_connection

things = sa.Table(
    "things",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("state", sa.String),
    sa.Column("facts", sa.JSON),
    sa.Column("at", sa.DateTime),
)
ROWS = [
    {"id": 1, "state": ItemState.STORED, "facts": {"keys": ["a", "ü"], "n": 1.5}, "at": None},
    {"id": 2, "state": None, "facts": None, "at": None},
    {"id": 3, "state": "x", "facts": [], "at": None},
]


def lenient(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


@pytest.fixture
def engine():
    engine = sa.create_engine("sqlite://")
    things.metadata.create_all(engine)
    with engine.begin() as connection:
        driver_connection(connection).text_factory = lenient
    yield engine
    engine.dispose()


def stored(engine: sa.Engine) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT id, state, facts, typeof(facts), at FROM things ORDER BY id").all()
    return [tuple(row) for row in found]


def test_many_rows_are_written_as_sqlalchemy_writes_them(engine):
    with engine.begin() as connection:
        connection.execute(sa.insert(things), ROWS)
        expected = stored(engine)
        connection.execute(sa.delete(things))
        Prepared(sa.insert(things), engine.dialect, names=list(ROWS[0])).many(connection, ROWS)
    assert stored(engine) == expected
    assert len(expected) == 3


def test_no_rows_are_no_statement(engine):
    with engine.begin() as connection:
        Prepared(sa.insert(things), engine.dialect, names=["id"]).many(connection, [])
    assert stored(engine) == []


def test_constants_of_a_statement_and_its_repeated_parameters_keep_their_places(engine):
    update = (
        sa.update(things)
        .where(things.c.id == sa.bindparam("of"), things.c.state == "x")
        .values(
            facts=sa.bindparam("new", type_=sa.JSON), state=sa.func.upper(things.c.state).concat(sa.bindparam("more"))
        )
    )
    with engine.begin() as connection:
        connection.execute(sa.insert(things), ROWS)
        prepared = Prepared(update, engine.dialect)
        assert prepared.run(connection, {"of": 3, "new": {"a": 1}, "more": "!"}) == 1
        assert prepared.run(connection, {"of": 1, "new": {"a": 1}, "more": "!"}) == 0
    assert stored(engine)[2][:3] == (3, "X!", '{"a": 1}')


def test_text_that_is_no_utf_8_is_read_as_the_connection_reads_it(engine):
    one = Prepared(sa.select(things.c.state).where(things.c.id == sa.bindparam("of")), engine.dialect)
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO things (id, state) VALUES (1, CAST(x'61ff62' AS TEXT)), (2, 'ü')")
        assert one.one(connection, {"of": 1}) == ("a\udcffb",)
        assert one.one(connection, {"of": 2}) == ("ü",)
        assert one.one(connection, {"of": 9}) is None
        assert driver_connection(connection).text_factory is lenient


def test_an_error_of_sqlite_s_is_raised_and_the_connection_reads_as_before(engine):
    gone = sa.table("gone", sa.column("id"))
    with engine.begin() as connection:
        with pytest.raises(sqlite3.OperationalError, match="no such table: gone"):
            Prepared(sa.select(gone.c.id), engine.dialect).one(connection, {})
        assert driver_connection(connection).text_factory is lenient
