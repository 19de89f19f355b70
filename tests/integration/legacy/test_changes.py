"""Signs of writes to the table: each commit shows, whoever made it; looking leaves none."""

import sqlite3
from contextlib import closing
from pathlib import Path
from time import sleep

import pytest
import sqlalchemy as sa

from tests.support.postgres import find_binary, postgres
from tests.support.tables import AppTable
from z_interact_assets.storage.legacy import LegacyTable, open_table


def look(table: LegacyTable) -> None:
    for _ in table.heads():
        pass


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_every_commit_to_a_sqlite_file_shows(tmp_path: Path, journal: str):
    app = AppTable(tmp_path / "local.db")
    with closing(sqlite3.connect(app.path)) as theirs, closing(open_table(app.url)) as table:
        theirs.execute(f"PRAGMA journal_mode = {journal}")
        app.add_many([{"id": "a", "image_data": "AAAA"}])
        look(table)
        signs = [table.changes.sign()]
        for statement in (
            "INSERT INTO images (id, persona_id, prompt, created_at) VALUES ('b', 'p', 'p', 1)",
            "UPDATE images SET image_data = 'BBBB' WHERE id = 'a'",
            "DELETE FROM images WHERE id = 'b'",
        ):
            sleep(0.01)  # a file's time goes on in steps of some milliseconds
            theirs.execute(statement)
            theirs.commit()
            signs.append(table.changes.sign())

    assert len(set(signs)) == len(signs)


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_looking_leaves_no_sign(tmp_path: Path, journal: str):
    app = AppTable(tmp_path / "local.db")
    with closing(sqlite3.connect(app.path)) as theirs:
        theirs.execute(f"PRAGMA journal_mode = {journal}")
        app.add_many([{"id": "a", "image_data": "AAAA"}])
        with closing(open_table(app.url)) as table:
            before = table.changes.sign()
            look(table)
            assert table.changes.sign() == before
        with closing(open_table(app.url)) as table:
            assert table.changes.sign() == before


@pytest.mark.slow
@pytest.mark.skipif(find_binary("initdb") is None, reason="no Postgres server here: apt-get install postgresql")
def test_every_commit_to_a_postgres_table_shows_and_of_a_view_nothing_can_be_told():
    with postgres() as server:
        engine = sa.create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
        with engine.connect() as theirs, closing(open_table(f"{server}/postgres")) as table:
            theirs.execute(sa.text("CREATE TABLE images (id text PRIMARY KEY, image_url text, image_data text)"))
            signs = [table.changes.sign()]
            for statement in (
                "INSERT INTO images VALUES ('a', '', 'AAAA'), ('b', '', 'AAAA')",
                "UPDATE images SET image_data = 'BBBB' WHERE id = 'a'",
                "DELETE FROM images WHERE id = 'b'",
            ):
                theirs.execute(sa.text(statement))
                theirs.execute(sa.text("SELECT pg_stat_force_next_flush()"))
                signs.append(table.changes.sign())
            assert len(set(signs)) == len(signs)

            look(table)
            assert table.changes.sign() == signs[-1]
            theirs.execute(sa.text("CREATE TABLE beneath AS SELECT * FROM images"))
            theirs.execute(sa.text("DROP TABLE images"))
            theirs.execute(sa.text("CREATE VIEW images AS SELECT * FROM beneath"))
            assert table.changes.sign() is None
        engine.dispose()
