"""The ledger's file: made, upgraded, refused."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier, Timer

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import IntegrityError

from tests.support.privileges import reachable_folder, without_privileges
from tests.support.tables import contents
from z_interact_assets.core.errors import LedgerUnavailableError, LedgerUnusableError
from z_interact_assets.storage.ledger import ledger_exists, open_ledger, schema

ROOT = Path(__file__).parents[3]


def test_the_migrations_make_the_schema_this_version_expects(ledger, path):
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
        assert context.get_current_revision() == schema.REVISION
    engine.dispose()
    folder = Path(schema.__file__).with_name("migrations")
    assert ScriptDirectory(str(folder)).get_heads() == [schema.REVISION]


def test_what_the_comparison_compares_is_everything(ledger, path):
    """The test above can fail: one column less is seen."""
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE items DROP COLUMN detail"))
        connection.execute(sa.text("DROP INDEX ix_events_item_id"))
        differences = compare_metadata(MigrationContext.configure(connection), schema.metadata)
    engine.dispose()
    assert {difference[0] for difference in differences} == {"add_column", "add_index"}


def test_opening_again_changes_nothing(ledger, path):
    ledger.close()
    before = contents(path)
    for _ in range(2):
        open_ledger(f"sqlite:///{path}").close()
    assert contents(path) == before


def test_foreign_keys_are_enforced(ledger):
    with ledger._engine.begin() as connection, pytest.raises(IntegrityError):
        connection.execute(sa.insert(schema.events).values(item_id=99, at=0, event="stored"))


def test_a_record_is_on_disk_before_the_next_step(ledger):
    with ledger._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2  # FULL
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"


def test_many_threads_opening_one_new_ledger_make_it_once(path):
    together = Barrier(6)

    def open_and_count(_: int) -> int:
        together.wait()
        with closing(open_ledger(f"sqlite:///{path}")) as opened:
            return opened.planning.batch_count()

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(open_and_count, range(6))) == [0] * 6


def test_a_new_ledger_waits_for_who_holds_its_file(path):
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE theirs (x)")
        later = Timer(0.2, other.execute, ["COMMIT"])
        later.start()
        with closing(open_ledger(f"sqlite:///{path}")) as opened:
            assert opened.planning.batch_count() == 0
        later.join()


@pytest.mark.slow
def test_many_processes_opening_one_new_ledger_make_it_once(path):
    program = f"from z_interact_assets.storage.ledger import open_ledger; open_ledger('sqlite:///{path}').ask.states()"
    running = [
        subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]
    assert [process.communicate()[1] for process in running] == [""] * 3
    assert [process.returncode for process in running] == [0] * 3


def test_threads_may_open_different_ledgers_at_once(tmp_path):
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda n: open_ledger(f"sqlite:///{tmp_path / str(n)}.db"), range(4)))
    assert [ledger.ask.states() for ledger in opened] == [{}] * 4
    for ledger in opened:
        ledger.close()


def test_a_ledger_of_a_newer_version_is_refused_and_left_alone(ledger, path):
    ledger.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = contents(path)
    with pytest.raises(LedgerUnusableError, match="newer") as caught:
        open_ledger(f"sqlite:///{path}")
    assert "Upgrade" in caught.value.remedy
    assert contents(path) == before


def test_the_folder_is_made_with_the_ledger(tmp_path):
    path = tmp_path / "home" / "of" / "ledger.db"
    assert not ledger_exists(f"sqlite:///{path}")
    open_ledger(f"sqlite:///{path}").close()
    assert ledger_exists(f"sqlite:///{path}")


def test_who_only_reads_makes_no_ledger(path):
    with pytest.raises(LedgerUnusableError, match="no ledger") as caught:
        open_ledger(f"sqlite:///{path}", create=False)
    assert "plan" in caught.value.remedy
    assert not path.exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(LedgerUnusableError, match="folder"):
        open_ledger(f"sqlite:///{tmp_path}/file/ledger.db")


def test_a_folder_without_permission_is_an_error_with_a_remedy():
    with reachable_folder() as folder:
        folder.chmod(0o555)
        with without_privileges(), pytest.raises(LedgerUnusableError) as caught:
            open_ledger(f"sqlite:///{folder}/ledger.db")
        with without_privileges(), pytest.raises(LedgerUnusableError):
            open_ledger(f"sqlite:///{folder}/new/ledger.db")
        folder.chmod(0o777)
    assert caught.value.remedy


def test_a_directory_or_another_file_is_no_ledger(tmp_path):
    notes = tmp_path / "notes.db"
    notes.write_text("no database " * 1_000)
    for path in (tmp_path, notes):
        with pytest.raises(LedgerUnusableError):
            open_ledger(f"sqlite:///{path}")


@pytest.mark.parametrize("url", ["nonsense://x", "postgresql+pg8000://user:s3cret@localhost/x", "what is this s3cret"])
def test_a_url_that_cannot_be_used_is_told_without_its_secret(url):
    with pytest.raises(LedgerUnusableError) as caught:
        open_ledger(url)
    assert "s3cret" not in str(caught.value)


def test_a_server_out_of_reach_is_transient_and_told_without_its_secret():
    with pytest.raises(LedgerUnavailableError) as caught:
        open_ledger("postgresql+psycopg://user:s3cret@127.0.0.1:1/x?connect_timeout=2")
    assert "s3cret" not in str(caught.value)


FILLS_THE_DISK = """
import resource, sys
from z_interact_assets.core.errors import LedgerUnavailableError
from z_interact_assets.storage.ledger import open_ledger
ledger = open_ledger(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
written = 0
try:
    for _ in range(500):
        ledger.planning.add_batches([[f"{written + n:06}" for n in range(100)]], now_ms=1)
        written += 100
except LedgerUnavailableError as error:
    print(written, error)
"""


def test_a_full_disk_is_transient_and_what_was_answered_for_is_there(path):
    done = subprocess.run(
        [sys.executable, "-c", FILLS_THE_DISK, f"sqlite:///{path}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    written, _, message = done.stdout.partition(" ")
    assert "The ledger is not available" in message
    assert "free" in message
    assert "disk" in message
    with closing(open_ledger(f"sqlite:///{path}")) as ledger:
        assert int(written) > 0
        assert sum(sum(states.values()) for states in ledger.ask.batch_states().values()) == int(written)
        ledger.planning.add_batches([["and on it goes"]], now_ms=2)
