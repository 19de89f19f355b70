"""The app as a process of its own writes while everything of ours runs: nothing it wrote may be lost."""

from collections import Counter
from pathlib import Path

import pytest

from tests.live.oracle import Oracle
from tests.live.process import Journal, running_app
from tests.live.rounds import operations
from tests.support.sites import Site, r2_store
from z_interact_assets.demo.standin import StandIn


def test_whatever_the_app_writes_during_each_upload_is_there_afterwards(make_site, app, tmp_path):
    """Every single upload is overtaken by writes to whichever row the script takes; nothing is left to chance."""
    site = make_site(concurrency=1, batch_size=5)
    with running_app(tmp_path / "journal", path=str(app.path)) as process:
        process.write(30)
        site.memory.before_upload = lambda _: process.write(4)
        site.migrate()
        site.migrate()
        site.memory.before_upload = None
    site.migrate()
    oracle = Oracle(Journal(tmp_path / "journal"), app.rows(), site)
    oracle.assert_nothing_lost()
    oracle.assert_settled()
    assert oracle.raced()["conflict"] > 5
    assert oracle.raced()["planned_again"] >= oracle.raced()["conflict"] - 5


def race(site: Site, folder: Path, *, writes: int, path: str = "", url: str = "") -> tuple[Journal, Counter[str]]:
    """Let the app write beside everything of ours until it has made its writes and each operation ran at least once."""
    done: Counter[str] = Counter()
    with running_app(folder / "journal", pause_s=0.002, path=path, url=url) as process:
        process.write(60)
        with process.writing(writes) as ended:
            for name in operations(site, folder):
                done[name] += 1
                if ended.is_set() and name == "reclaim":
                    break
    site.migrate()
    return Journal(folder / "journal"), done


def judge(oracle: Oracle, journal: Journal, done: Counter[str]) -> None:
    """Nothing lost, and there were enough races to say so."""
    oracle.assert_nothing_lost()
    oracle.assert_settled()
    raced = oracle.raced()
    print(journal.summary(), dict(journal.kinds()), raced, dict(done))  # noqa: T201 - figures for whoever reads them
    assert raced["planned_again"] > 0
    assert done.keys() == {"migrate", "validate", "backup", "rollback", "reclaim"}


@pytest.mark.slow
@pytest.mark.parametrize("app", ["wal", pytest.param("delete", marks=pytest.mark.exhaustive)], indirect=True)
def test_an_app_that_never_pauses_loses_nothing(make_site, app, tmp_path):
    with StandIn(tmp_path / "standin") as standin:
        site = make_site(store=r2_store(standin), batch_size=7)
        journal, done = race(site, tmp_path, writes=600, path=str(app.path))
        judge(Oracle(journal, app.rows(), site), journal, done)
