"""Two migrations in two processes on one ledger share the batches; what a killed one had the other finishes."""

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.crash.places import KEY, TABLE
from tests.crash.runs import AT_ONCE, LEDGER, Run, Runner
from tests.support.images import data_url_of, make_png
from tests.support.postgres import find_binary, postgres
from tests.support.sites import PUBLIC_URL
from tests.support.tables import AppTable
from z_interact_assets.demo.standin import StandIn
from z_interact_assets.demo.standin_app import IncomingRequest

pytestmark = pytest.mark.slow

# More batches of three than one process takes at once.
IMAGES = {f"{number:03}": make_png(number) for number in range(90)}


class Together:
    """Holds PUTs back until there are more than one process has under way: then both are at work."""

    def __init__(self) -> None:
        self.puts: Counter[str] = Counter()
        self.met = threading.Event()
        self.go_on = threading.Event()
        self._lock = threading.Lock()

    def __call__(self, request: IncomingRequest) -> None:
        if (request.method, request.kind) != ("PUT", "object"):
            return
        with self._lock:
            self.puts[request.key] += 1
            if self.puts.total() > AT_ONCE:
                self.met.set()
        assert self.go_on.wait(60)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    if find_binary("initdb") is None:
        pytest.skip("no Postgres server here: apt-get install postgresql")
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / LEDGER}"
    server = request.getfixturevalue("server")
    engine = sa.create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text("DROP DATABASE IF EXISTS ledger"))
        connection.execute(sa.text("CREATE DATABASE ledger"))
    engine.dispose()
    return f"{server}/ledger"


@pytest.fixture
def app(tmp_path: Path) -> AppTable:
    app = AppTable(tmp_path / TABLE)
    app.add_many([{"id": name, "image_url": data_url_of(image)} for name, image in IMAGES.items()])
    return app


@contextmanager
def two_at_once(runner: Runner, folder: Path, ledger_url: str) -> Iterator[tuple[Together, Run, Run]]:
    """Two migrations, each of which has a PUT under way that is not answered before the block says so."""
    together = Together()
    with StandIn(folder / "r2", faults=together, access_key_id=KEY, secret_access_key=KEY) as standin:
        runner.start("plan", folder, standin.endpoint_url, ledger_url=ledger_url).finish()
        one, other = (runner.start("migrate", folder, standin.endpoint_url, ledger_url=ledger_url) for _ in range(2))
        try:
            assert together.met.wait(60)
            yield together, one, other
        finally:
            together.go_on.set()


def assert_done_once(app: AppTable, folder: Path, ledger_url: str, together: Together) -> None:
    """Each image is stored and switched once, and told as published."""
    urls = [row["image_url"] for row in app.rows().values()]
    assert all(url.startswith(PUBLIC_URL) for url in urls)
    assert {url.removeprefix(f"{PUBLIC_URL}/") for url in urls} == together.puts.keys()
    engine = sa.create_engine(ledger_url)
    with engine.connect() as connection:
        states = connection.execute(sa.text("SELECT state, count(*) FROM items GROUP BY state")).all()
        published = connection.execute(sa.text("SELECT count(*) FROM events WHERE event = 'published'")).scalar_one()
        held = connection.execute(sa.text("SELECT count(*) FROM batches WHERE leased_by IS NOT NULL")).scalar_one()
    engine.dispose()
    assert [tuple(row) for row in states] == [("published", len(IMAGES))]
    assert published == len(IMAGES)
    assert held == 0


def test_two_processes_share_the_batches_and_do_nothing_twice(
    runner: Runner, app: AppTable, tmp_path: Path, ledger_url: str
) -> None:
    with two_at_once(runner, tmp_path, ledger_url) as (together, one, other):
        together.go_on.set()
        one.finish()
        other.finish()
    assert set(together.puts.values()) == {1}
    assert_done_once(app, tmp_path, ledger_url, together)


def test_what_a_killed_process_had_in_hand_the_other_one_finishes_in_the_same_run(
    runner: Runner, app: AppTable, tmp_path: Path, ledger_url: str
) -> None:
    with two_at_once(runner, tmp_path, ledger_url) as (together, one, other):
        os.kill(one.pid, signal.SIGKILL)  # a zombie until it is waited for, and known as gone all the same
        together.go_on.set()
        other.finish()
        one.die()
    # The killed one's PUTs under way took place: the other found its objects there, or was refused a second one.
    assert sum(together.puts.values()) <= len(IMAGES) + AT_ONCE
    assert_done_once(app, tmp_path, ledger_url, together)
