"""Backup and restore on a real Postgres server: table with text and bytea and types SQLite has not, and the ledger."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from tests.integration.backup.shelf import SMALL, counts, ledger_contents, reasons
from tests.support.images import base64_of, data_url_of, make_png
from tests.support.postgres import find_binary, postgres
from z_interact_assets.backup import Backup, LedgerFate, Restore, RestoreOptions, RestoreReport
from z_interact_assets.core.models import ItemState
from z_interact_assets.migrate.migration import Migration, Scope
from z_interact_assets.settings import load_settings
from z_interact_assets.storage.ledger import open_ledger
from z_interact_assets.storage.objects import MemoryStore
from z_interact_assets.workspace import Workspace

PUBLIC_URL = "https://images.example.com"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_binary("initdb") is None, reason="no Postgres server here: apt-get install postgresql"),
]

TABLE = """
CREATE TABLE images (
  id text PRIMARY KEY, persona_id text, session_id varchar(80), image_url text, image_data {data}, prompt text,
  status text DEFAULT 'generating', r2_key text, migration_status text, migrated_at bigint, created_at bigint,
  updated_at bigint, score numeric, rating double precision, is_public boolean, seen timestamptz, made timestamp,
  day date, token uuid
)
"""
ODD: dict[str, Any] = {
    "score": Decimal("12.50"), "rating": 0.1 + 0.2, "is_public": False, "seen": datetime(2025, 9, 8, 1, tzinfo=UTC),
    "made": datetime(2025, 9, 8, 1), "day": date(2025, 9, 8), "token": UUID(int=7),  # noqa: DTZ001 - a plain timestamp
}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


@contextmanager
def connected(url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


class Place:
    """A table of six images and odd values on the server, and a ledger beside it."""

    def __init__(self, server: str, folder: Path, *, data: str) -> None:
        self.app_url, self.store = f"{server}/app", MemoryStore(public_url=PUBLIC_URL)
        with connected(f"{server}/postgres") as connection:
            for name in ("app", "ledger", "other"):
                connection.execute(sa.text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
                connection.execute(sa.text(f"CREATE DATABASE {name}"))
        self.sql(TABLE.format(data=data))
        for number in range(6):
            text = base64_of(make_png(number))
            payload = text.encode() if data == "bytea" else text
            row = {"id": f"image-{number}", "persona_id": "gen-z", "prompt": "p 💃", "created_at": 1_757_400_000_123}
            row |= {"image_url": data_url_of(make_png(number))} if number % 2 else {"image_data": payload}
            row |= ODD if number < 3 else {}
            names = ", ".join(row)
            self.sql(f"INSERT INTO images ({names}) VALUES ({', '.join(f':{name}' for name in row)})", **row)
        environment = {
            "DATABASE_URL": self.app_url, "LEDGER_URL": f"{server}/ledger", "R2_PUBLIC_URL": PUBLIC_URL,
            "DAGSTER_HOME": str(folder),
        }  # fmt: skip
        self.workspace = Workspace(load_settings(environment, directory=folder))

    def close(self) -> None:
        self.workspace.close()

    def sql(self, statement: str, **values: Any) -> list[Any]:
        with connected(self.app_url) as connection:
            found = connection.execute(sa.text(statement), values)
            return [tuple(row) for row in found] if found.returns_rows else []

    def rows(self) -> list[Any]:
        return [tuple(map(repr, row)) for row in self.sql("SELECT * FROM images ORDER BY id")]

    def migrate(self) -> None:
        self.workspace.planner().plan()
        list(Migration(self.workspace.engine(), self.store, self.workspace.ledger).run(Scope()))

    def backup(self, out: Path) -> None:
        Backup(self.workspace.table, self.workspace.ledger, clock_ms=lambda: 1, limits=SMALL).run(out)

    def restore(self, source: Path, **options: Any) -> RestoreReport:
        workspace = self.workspace
        service = Restore(workspace.table, workspace.ledger, workspace.bases, clock_ms=lambda: 2)
        return service.run(source, RestoreOptions(**options))


@pytest.fixture(params=["text", "bytea"])
def place(request: pytest.FixtureRequest, server: str, tmp_path: Path) -> Iterator[Place]:
    with closing(Place(server, tmp_path, data=request.param)) as made:
        yield made


def test_rows_come_back_byte_for_byte_and_type_for_type(place: Place, shelf: Path):
    before = place.rows()
    place.backup(shelf)
    place.migrate()
    place.sql("UPDATE images SET image_data = NULL WHERE id = 'image-0'")
    place.sql("DELETE FROM images WHERE id IN ('image-1', 'image-2')")
    place.sql("UPDATE images SET prompt = 'edited' WHERE id = 'image-3'")
    report = place.restore(shelf)
    assert (counts(report), reasons(report)) == (
        {"restored": 3, "inserted": 2, "changed": 1}, {"image-3": "row_changed"},
    )  # fmt: skip
    assert [row for row in place.rows() if "image-3" not in row[0]] == [
        row for row in before if "image-3" not in row[0]
    ]
    assert counts(place.restore(shelf, overwrite=True)) == {"unchanged": 5, "restored": 1}
    assert place.rows() == before
    assert counts(place.restore(shelf)) == {"unchanged": 6}


def test_a_lost_table_comes_back_and_its_images_can_be_migrated_again(place: Place, shelf: Path):
    before = place.rows()
    place.backup(shelf)
    place.migrate()
    place.sql("TRUNCATE images")
    assert counts(place.restore(shelf)) == {"inserted": 6}
    assert place.rows() == before
    assert place.workspace.ledger.ask.states() == {ItemState.ROLLED_BACK: 6}


def test_a_row_postgres_refuses_does_not_keep_others_from_coming_back(place: Place, shelf: Path):
    place.sql("UPDATE images SET session_id = repeat('x', 80) WHERE id = 'image-4'")
    place.backup(shelf)
    place.sql("TRUNCATE images")
    place.sql("ALTER TABLE images ALTER session_id TYPE varchar(8)")
    report = place.restore(shelf)
    assert (counts(report), reasons(report)) == ({"inserted": 5, "failed": 1}, {"image-4": "row_refused"})


@pytest.mark.parametrize("there", ["postgres", "sqlite"])
def test_a_lost_ledger_comes_back_row_for_row(place: Place, server: str, tmp_path: Path, shelf: Path, there: str):
    """Its numbers go on after the highest one, too."""
    place.migrate()
    before = ledger_contents(place.workspace.ledger)
    place.backup(shelf)
    workspace = place.workspace
    url = f"{server}/other" if there == "postgres" else f"sqlite:///{tmp_path}/other.db"
    with closing(open_ledger(url)) as other:
        report = Restore(workspace.table, other, workspace.bases, clock_ms=lambda: 2).run(shelf)
        assert (report.ledger, counts(report)) == (LedgerFate.RESTORED, {"unchanged": 6})
        assert ledger_contents(other) == before
        other.planning.add_batches([["new"]], now_ms=3)
        item = other.ask.item("new")
        assert item is not None
        assert item.item_id == max(row["item_id"] for row in before["items"]) + 1
