"""The app's database is locked, or may only be read, while we work."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.support.images import base64_of, data_url_of, make_png
from tests.support.sites import PUBLIC_URL, Site
from z_interact_assets.core.errors import StorageRefusedError, TableUnavailableError
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.reasons import Reason
from z_interact_assets.migrate.migration import Scope

ROWS = 12


@pytest.fixture
def impatient(tmp_path, app) -> Iterator[Site]:
    app.add_many([{"id": f"{n:02}", "image_url": data_url_of(make_png(n))} for n in range(ROWS)])
    with closing(Site(tmp_path, app, busy_timeout=0.01, concurrency=2)) as made:
        made.plan()
        yield made


def test_a_table_locked_in_the_middle_fails_the_rest_and_the_next_run_finishes_it(impatient, app, tmp_path):
    with closing(sqlite3.connect(app.path, isolation_level=None, check_same_thread=False)) as other:

        def lock(_: str) -> None:
            impatient.memory.before_upload = None
            other.execute("PRAGMA locking_mode = EXCLUSIVE")
            other.execute("BEGIN EXCLUSIVE")

        impatient.memory.before_upload = lock
        migration = impatient.migration()
        batches = []
        with pytest.raises(TableUnavailableError, match="locked"):
            batches.extend(migration.run(Scope()))
        assert migration.totals.failed == ROWS
        assert {error["reason"] for error in migration.totals.errors} == {"table_unavailable"}
        assert sum(batch.pending for batch in batches) == ROWS
        assert set(impatient.ended().values()) == {(ItemState.FAILED, Reason.TABLE_UNAVAILABLE)}
        other.execute("ROLLBACK")
    memory = impatient.memory
    with closing(Site(tmp_path, app, memory)) as later:  # as patient as a real one
        report = later.report()
        assert report["migrated"] + report["already_stored"] == ROWS
        assert len(memory.keys()) == ROWS == memory.requests["put"]
        assert set(later.ended().values()) == {(ItemState.PUBLISHED, None)}


def test_a_table_locked_from_the_start_is_told_before_anything_is_tried(impatient, app):
    states = impatient.ended()
    with closing(sqlite3.connect(app.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TableUnavailableError, match="locked") as caught:
            list(impatient.migration().run(Scope()))
    assert "lock" in caught.value.remedy
    assert (impatient.ended(), impatient.memory.requests["put"]) == (states, 0)


def test_a_row_that_was_on_r2_gets_its_columns_by_the_next_run_where_the_switch_was_refused(tmp_path, app):
    """The undo record is in the ledger then, as after a switch of our own that was never recorded."""
    png, key = make_png(1), "images/old/1757400000000-b.png"
    app.add("a", image_data=base64_of(make_png(0)))
    app.add("b", image_data=base64_of(png), image_url=f"{PUBLIC_URL}/{key}")
    with (
        closing(Site(tmp_path, app, busy_timeout=0.01, concurrency=1)) as site,
        closing(sqlite3.connect(app.path, isolation_level=None, check_same_thread=False)) as other,
    ):
        site.memory.upload(key, png)

        def lock(_: str) -> None:
            site.memory.before_upload = None
            other.execute("BEGIN IMMEDIATE")

        site.memory.before_upload = lock
        site.plan()
        with pytest.raises(TableUnavailableError, match="locked"):
            list(site.migration().run(Scope()))
        assert set(site.ended().values()) == {(ItemState.FAILED, Reason.TABLE_UNAVAILABLE)}
        other.execute("ROLLBACK")
        assert site.report()["failed"] == 0
        assert site.ended()["b"] == (ItemState.PUBLISHED, None)
    row = app.row("b")
    assert (row["r2_key"], row["migration_status"]) == (key, "completed")
    assert row["image_data"] == base64_of(png)


def test_a_reader_beside_us_does_not_stop_the_run(impatient, app):
    app.sql("PRAGMA journal_mode = WAL")
    with closing(sqlite3.connect(app.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM images WHERE image_url LIKE 'data:%'").fetchone() == (ROWS,)
        assert impatient.report()["migrated"] == ROWS
        assert reader.execute("SELECT count(*) FROM images WHERE image_url LIKE 'data:%'").fetchone() == (ROWS,)


def test_batches_that_ended_are_told_before_the_error_that_ends_the_run(impatient):
    """They are told once a second: those of the last one must not be lost with it."""
    uploads = []

    def refuse_the_last(_: str) -> None:
        uploads.append(None)
        if len(uploads) == ROWS:
            raise StorageRefusedError("The bucket is gone.", code="NoSuchBucket")

    impatient.memory.before_upload = refuse_the_last
    told = []
    with pytest.raises(StorageRefusedError, match="gone"):
        told.extend(impatient.migration().run(Scope()))
    assert [(batch.items, batch.pending) for batch in told] == [(10, 0)]
