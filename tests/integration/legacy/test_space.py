"""How much room a table takes, and when it may be given back: never without a look at the disk."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.images import base64_of
from tests.support.tables import AppTable
from z_interact_assets.core.errors import TableUnavailableError, TableUnusableError
from z_interact_assets.storage.legacy import open_table
from z_interact_assets.storage.legacy.space import TableSpace


@pytest.fixture(params=["delete", "wal"])
def app(tmp_path, request) -> AppTable:
    """Forty rows of 100 KB, their payload cleared."""
    app = AppTable(tmp_path / "local.db")
    with closing(sqlite3.connect(app.path)) as connection:
        connection.execute(f"PRAGMA journal_mode = {request.param}")
    app.add_many([{"id": str(n), "image_data": base64_of(bytes(75_000))} for n in range(40)])
    app.sql("UPDATE images SET image_data = NULL")
    return app


def test_cleared_text_frees_pages_and_only_vacuum_makes_the_file_smaller(app):
    with closing(open_table(app.url)) as table:
        before = table.space.measure()
        assert before is not None
        assert before.bytes == app.path.stat().st_size > 4_000_000
        assert before.free_bytes is not None
        assert before.free_bytes > 3_900_000
        rows = app.as_stored()
        table.space.vacuum()
        after = table.space.measure()
    assert after is not None
    assert (after.bytes, after.free_bytes) == (app.path.stat().st_size, 0)
    assert after.bytes < 100_000
    assert app.as_stored() == rows


@pytest.mark.parametrize(("free", "fits"), [(1.9, False), (2.1, True)])
def test_vacuum_needs_twice_the_size_of_free_disk(app, tmp_path, free, fits, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # on the same disk as the table
    size = app.path.stat().st_size
    with closing(open_table(app.url)) as table:
        asked: list[Path] = []
        space = TableSpace(
            "images", table._maintaining, free_disk=lambda folder: asked.append(folder) or int(size * free)
        )
        if fits:
            space.vacuum()
            assert app.path.stat().st_size < size
        else:
            with pytest.raises(TableUnavailableError, match=r"VACUUM needs .* MB of free disk in"):
                space.vacuum()
            assert app.path.stat().st_size == size
    assert asked == [app.path.parent]


def test_a_table_that_is_locked_is_not_vacuumed(app):
    with (
        closing(open_table(app.url, busy_timeout=0.05)) as table,
        closing(app.lock()),
        pytest.raises(TableUnavailableError, match="locked"),
    ):
        table.space.vacuum()


def test_a_dump_cannot_be_vacuumed(tmp_path):
    app = AppTable(tmp_path / "local.db")
    with closing(sqlite3.connect(app.path)) as connection:
        (tmp_path / "dump.sql").write_text("\n".join(connection.iterdump()))
    with closing(open_table(f"dump:{tmp_path / 'dump.sql'}")) as table, pytest.raises(TableUnusableError):
        table.space.vacuum()
