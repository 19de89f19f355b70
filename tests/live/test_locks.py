"""The app's busy timeout is 0: whatever lock of ours it meets is an error for it. What we hold, and when."""

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from tests.live.rounds import validate
from tests.support.images import base64_of, data_url_of, make_png, with_comment
from tests.support.sites import NOW_MS, Site
from tests.support.tables import AppTable
from z_interact_assets.backup import Backup
from z_interact_assets.execution.groups import SWITCH_BYTES, SWITCH_ROWS
from z_interact_assets.storage.legacy import open_table

ROWS = 60


class Watch:
    """Hears of every statement on the table and on the ledger, and of every object written; counts what it saw."""

    def __init__(self, site: Site) -> None:
        self._held = threading.local()
        self.probes = 0
        self.groups: list[list[int]] = []
        self.outside: Callable[[], object] = lambda: None
        table = site.table
        self._path = str(table._reader.url.database)
        assert table._writer is not None
        for engine in (table._reader, table._writer):
            event.listen(engine, "checkout", lambda *_: self._hold(1))
            event.listen(engine, "checkin", self._given_back)
        # Each statement as SQLite runs it, whoever gave it to the driver.
        event.listen(table._writer, "checkout", lambda connection, *_: connection.set_trace_callback(self._on_write))
        event.listen(site.ledger.ask._engine, "before_cursor_execute", lambda *_: self._elsewhere())
        site.memory.before_upload = lambda _: self._elsewhere()

    def _hold(self, by: int) -> None:
        self._held.connections = getattr(self._held, "connections", 0) + by

    def _given_back(self, connection: sqlite3.Connection, _: object) -> None:
        assert not connection.in_transaction
        self._hold(-1)

    def _elsewhere(self) -> None:
        """Whoever asks ledger or bucket holds no lock of the table, and so no connection, or one without any."""
        if getattr(self._held, "connections", 0):
            with closing(sqlite3.connect(self._path, timeout=0, isolation_level=None)) as other:
                other.execute("BEGIN EXCLUSIVE")
                other.execute("ROLLBACK")
                busy, *_ = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                assert not busy
        self.probes += 1
        self.outside()

    def _on_write(self, statement: str) -> None:
        """Note the size of each row's statement, which has its values in it."""
        if statement.startswith("BEGIN"):
            self.groups.append([])
        elif statement.startswith("UPDATE") and "'" in statement:  # not the one that only asks whether it may
            self.groups[-1].append(len(statement))


@pytest.fixture
def site(make_site, app) -> Site:
    png = with_comment(make_png(3), b"x" * 300_000)
    app.add_many([{"id": f"{n:03}", "image_data": base64_of(make_png(n))} for n in range(ROWS)])
    app.add_many([{"id": f"large{n}", "image_url": data_url_of(png)} for n in range(16)])
    return make_site(batch_size=200)


def everything(site: Site, folder) -> None:
    site.migrate()
    validate(site)
    Backup(site.table, site.ledger, clock_ms=lambda: NOW_MS).run(folder)
    site.rollback()
    site.inventory()


def test_no_lock_of_the_table_is_held_while_anything_else_is_done(site, tmp_path):
    watch = Watch(site)
    everything(site, tmp_path / "backup")
    assert watch.probes > 100


def test_an_app_that_waits_for_nothing_writes_between_any_two_of_our_steps(site, app, tmp_path):
    """Where one thread does all the work, no lock is left by whoever gives the ledger the next question."""
    watch = Watch(site)
    with closing(sqlite3.connect(app.path, timeout=0, isolation_level=None, check_same_thread=False)) as other:
        watch.outside = lambda: other.execute("UPDATE images SET prompt = prompt || '.' WHERE id = '000'")
        site.plan()
        site.inventory()
        Backup(site.table, site.ledger, clock_ms=lambda: NOW_MS).run(tmp_path / "backup")
    assert app.row("000")["prompt"].count(".") == watch.probes > 5


def test_no_transaction_has_more_rows_or_bytes_than_it_may(site):
    watch = Watch(site)
    site.migrate()
    site.rollback()
    groups = [group for group in watch.groups if sum(group)]
    assert max(map(len, groups)) == SWITCH_ROWS
    # What is compared and what is written, of the one that filled the group and no other.
    bound = SWITCH_BYTES
    assert all(sum(group) <= bound + 100_000 or len(group) == 1 for group in groups)
    assert sum(map(len, groups)) == 2 * (ROWS + 16)


@contextmanager
def a_crashed_app(path, target) -> Iterator[AppTable]:
    """A copy of the app's files as a power loss in the middle of its write leaves them."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA cache_size = 1")  # so that it writes into the file before it commits
        other.execute("BEGIN")
        other.execute("UPDATE images SET prompt = 'half written'")
        for suffix in ("", "-journal"):
            shutil.copy(f"{path}{suffix}", f"{target}{suffix}")
    yield AppTable(target)


def test_a_journal_that_the_app_left_behind_is_rolled_back_by_whoever_reads(tmp_path):
    """A commit's last moment looks the same to a reader; one that may not roll back gave up there."""
    app = AppTable(tmp_path / "local.db")
    app.add_many(
        [{"id": f"{n:03}", "image_url": data_url_of(make_png(n)), "persona_title": "x" * 3_000} for n in range(99)]
    )
    with a_crashed_app(app.path, tmp_path / "crashed.db") as crashed, closing(open_table(crashed.url)) as table:
        assert (tmp_path / "crashed.db-journal").stat().st_size > 0
        row = table.read("007")
        assert row is not None
        assert row.get("prompt") == "a prompt"
        assert sum(map(len, table.heads())) == 99


def test_a_reader_of_ours_cannot_write(tmp_path):
    app = AppTable(tmp_path / "local.db")
    with closing(open_table(app.url)) as table, table._reading() as connection, pytest.raises(OperationalError):
        connection.execute(sa.text("DELETE FROM images"))
