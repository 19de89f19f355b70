"""Texts that Postgres does not take, or takes as they are: one hostile row must not stop the others there either."""

from collections.abc import Iterator
from contextlib import closing
from types import SimpleNamespace
from typing import cast

import pytest
import sqlalchemy as sa

from tests.support.hostile import TEXTS
from tests.support.images import base64_of, make_png
from tests.support.postgres import find_binary, postgres
from tests.support.sites import Site
from tests.support.tables import AppTable
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.reasons import Reason
from z_interact_assets.core.records import UndoScope

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_binary("initdb") is None, reason="no Postgres server here: apt-get install postgresql"),
]
TEXT_COLUMNS = ("session_id", "participant_id", "persona_id", "prompt", "provider", "status", "r2_key")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture
def database(server: str) -> str:
    """The URL of an empty database."""
    engine = sa.create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text("DROP DATABASE IF EXISTS hostile"))
        connection.execute(sa.text("CREATE DATABASE hostile"))
    engine.dispose()
    return f"{server}/hostile"


def ended(text: str) -> tuple[ItemState, Reason | None]:
    return (ItemState.QUARANTINED, Reason.BAD_KEY_PART) if len(text) > 1_000 else (ItemState.PUBLISHED, None)


def test_a_ledger_on_postgres_takes_every_id_a_sqlite_table_can_hold(database, tmp_path):
    app = AppTable(tmp_path / "local.db")
    app.add_many([{"id": text, "image_data": base64_of(make_png(number + 1)), **dict.fromkeys(TEXT_COLUMNS, text)}
                  for number, text in enumerate(TEXTS.values())])  # fmt: skip
    app.add("infinite", image_data=base64_of(make_png(99)), updated_at=9e999, migrated_at=-9e999)
    with closing(Site(tmp_path, app, ledger_url=database)) as site:
        site.migrate()
        assert {text: site.state(text) for text in TEXTS.values()} == {text: ended(text) for text in TEXTS.values()}
        assert site.state("infinite") == (ItemState.PUBLISHED, None)
        assert set(site.ended()) == {*TEXTS.values(), "infinite"}
        assert (site.plan().planned, site.plan().planned_again) == (0, 0)


def test_what_a_ledger_on_postgres_was_told_of_a_row_it_tells_again(database, tmp_path):
    app = AppTable(tmp_path / "local.db")
    app.add("a\0b\ue0000", image_data=base64_of(make_png(1)), updated_at=9e999, r2_key="x\0y\ue000", migrated_at=b"\0")
    with closing(Site(tmp_path, app, ledger_url=database)) as site:
        site.migrate()
        (record,) = site.ledger.undo.records(UndoScope(states=(ItemState.PUBLISHED,)), "b000001")
        assert record.image_id == "a\0b\ue0000"
        assert record.before["updated_at"] == float("inf")
        assert record.before["r2_key"] == "x\0y\ue000"


def test_a_table_on_postgres_migrates_every_text_it_can_hold(database, tmp_path):
    texts = [text for text in TEXTS.values() if "\0" not in text]
    table = sa.Table("images", sa.MetaData(), sa.Column("id", sa.Text), *(
        sa.Column(name, sa.Text) for name in ("image_url", "image_data", *TEXT_COLUMNS)
    ))  # fmt: skip
    engine = sa.create_engine(database)
    with closing(engine.connect()) as connection, connection.begin():
        table.create(connection)
        connection.execute(sa.insert(table), [
            {"id": text, "image_data": base64_of(make_png(number + 1)), **dict.fromkeys(TEXT_COLUMNS, text)}
            for number, text in enumerate(texts)
        ])  # fmt: skip
    engine.dispose()
    with closing(Site(tmp_path, cast("AppTable", SimpleNamespace(url=database)))) as site:
        site.migrate()
        assert {text: site.state(text) for text in texts} == {text: ended(text) for text in texts}
        assert (site.plan().planned, site.plan().planned_again) == (0, 0)
