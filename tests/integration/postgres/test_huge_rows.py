"""Rows of 200 MB are refused by their length: not read, not held, on SQLite as on Postgres."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.images import base64_of, make_png
from tests.support.postgres import find_binary, postgres
from tests.support.tables import AppTable

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
MIB = 1024 * 1024
HUGE = 200 * MIB
FLAT = 16 * MIB  # of memory; a single copy of one payload would be twelve times that
ENDED = {
    "good": ["published", None],
    "huge-data": ["quarantined", "too_large"],
    "huge-url": ["quarantined", "too_large"],
}


@pytest.fixture
def small(tmp_path: Path) -> str:
    app = AppTable(tmp_path / "small.db")
    app.add("good", image_data=base64_of(make_png(1)))
    return app.url


def measure(tmp_path: Path, small: str, huge: str) -> dict:
    """Migrate in a process of its own, which has held nothing else."""
    command = [sys.executable, "-m", "tests.integration.migrate.refuse_huge_rows", str(tmp_path), small, huge]
    done = subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_refused_unread(found: dict) -> None:
    assert found["ended"] == ENDED
    assert found["peak_growth"] < FLAT, found
    assert found["bytes_read"] < FLAT, found


def test_sqlite_is_asked_for_the_length_and_never_for_the_bytes(tmp_path: Path, small: str) -> None:
    app = AppTable(tmp_path / "huge.db")
    app.add_many([{"id": row_id} for row_id in ENDED])
    app.set("good", image_data=base64_of(make_png(1)))
    with closing(sqlite3.connect(app.path)) as connection, connection:
        for row_id, column, head in (
            ("huge-data", "image_data", ""), ("huge-url", "image_url", "data:image/png;base64,"),
        ):  # fmt: skip
            # SQLite makes it itself: 100 MB of zeros as 200 MB of hex digits.
            connection.execute(
                f"UPDATE images SET {column} = ? || hex(zeroblob({HUGE // 2})) WHERE id = ?", (head, row_id)
            )
    assert app.path.stat().st_size > 2 * HUGE
    assert_refused_unread(measure(tmp_path, small, app.url))


@pytest.fixture
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.mark.skipif(find_binary("initdb") is None, reason="no Postgres server here: apt-get install postgresql")
@pytest.mark.exhaustive
def test_postgres_is_asked_for_the_length_and_sends_no_payload(tmp_path: Path, small: str, server: str) -> None:
    database = f"{server}/postgres"
    engine = sa.create_engine(database, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in (
            "CREATE TABLE images (id text PRIMARY KEY, persona_id text, image_url text, image_data bytea)",
            # Compressing it would be most of the time.
            "ALTER TABLE images ALTER image_url SET STORAGE EXTERNAL, ALTER image_data SET STORAGE EXTERNAL",
            f"INSERT INTO images VALUES ('huge-data', 'p', NULL, convert_to(repeat('A', {HUGE}), 'UTF8'))",
            f"INSERT INTO images VALUES ('huge-url', 'p', 'data:image/png;base64,' || repeat('A', {HUGE}), NULL)",
            f"INSERT INTO images VALUES ('good', 'p', NULL, '{base64_of(make_png(1))}')",
        ):
            connection.exec_driver_sql(statement)
    engine.dispose()
    assert_refused_unread(measure(tmp_path, small, database))
