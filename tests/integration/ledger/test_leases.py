"""A batch has one holder, on SQLite and on Postgres, however many ask for it at once."""

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.postgres import find_binary, postgres
from z_interact_assets.core.records import LeaseHolder
from z_interact_assets.storage.ledger import Ledger, open_ledger

BATCHES = [f"b{number:06}" for number in range(1, 13)]
NOBODY_IS_OVER = lambda _: False  # noqa: E731 - a word for a case


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    if find_binary("initdb") is None:
        pytest.skip("no Postgres server here: apt-get install postgresql")
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def ledger(request: pytest.FixtureRequest, path: Path) -> Iterator[Ledger]:
    url = f"sqlite:///{path}"
    if request.param == "postgres":
        url = f"{request.getfixturevalue('server')}/ledger"
        engine = sa.create_engine(f"{url.removesuffix('/ledger')}/postgres", isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sa.text("DROP DATABASE IF EXISTS ledger"))
            connection.execute(sa.text("CREATE DATABASE ledger"))
        engine.dispose()
    with closing(open_ledger(url)) as opened:
        opened.planning.add_batches([[key] for key in BATCHES], now_ms=1)
        yield opened


def enter(ledger: Ledger, name: str) -> str:
    ledger.leases.enter(
        LeaseHolder(
            holder_id=name,
            operation="migrate",
            run_id=name,
            host="here",
            pid=1,
            process_started_at=0.5,
            since=1,
            expires_at=2,
        )
    )
    return name


def holders(ledger: Ledger) -> list[str]:
    return sorted(holder.holder_id for holder in ledger.leases.holders())


def test_what_one_holds_another_does_not_get_before_it_is_let_go(ledger: Ledger) -> None:
    one, other = enter(ledger, "one"), enter(ledger, "other")
    assert ledger.leases.claim(one, BATCHES[:3], is_over=NOBODY_IS_OVER) == BATCHES[:3]
    assert ledger.leases.claim(other, BATCHES[:4], is_over=NOBODY_IS_OVER) == BATCHES[3:4]
    assert ledger.leases.claim(one, BATCHES[:4], is_over=NOBODY_IS_OVER) == BATCHES[:3]
    ledger.leases.release(one, BATCHES[:2])
    assert ledger.leases.claim(other, BATCHES[:4], is_over=NOBODY_IS_OVER) == [*BATCHES[:2], BATCHES[3]]
    assert holders(ledger) == ["one", "other"]


def test_whoever_is_over_loses_what_is_asked_for_and_can_neither_keep_nor_release_it(ledger: Ledger) -> None:
    one, other = enter(ledger, "one"), enter(ledger, "other")
    ledger.leases.claim(one, BATCHES[:3], is_over=NOBODY_IS_OVER)
    asked_about: list[LeaseHolder] = []
    taken = ledger.leases.claim(other, BATCHES[:2], is_over=lambda holder: asked_about.append(holder) or True)
    assert taken == BATCHES[:2]
    assert [(holder.holder_id, holder.pid, holder.process_started_at) for holder in asked_about] == [("one", 1, 0.5)]
    ledger.leases.release(one, BATCHES[:2])
    assert not ledger.leases.renew(one, BATCHES[:3], expires_at=3)
    assert ledger.leases.renew(other, BATCHES[:2], expires_at=3)
    assert holders(ledger) == ["one", "other"]


def test_leaving_gives_all_back_and_forgets_the_holder(ledger: Ledger) -> None:
    one = enter(ledger, "one")
    ledger.leases.claim(one, BATCHES, is_over=NOBODY_IS_OVER)
    ledger.leases.leave(one)
    assert holders(ledger) == []
    assert ledger.leases.claim(enter(ledger, "other"), BATCHES, is_over=NOBODY_IS_OVER) == BATCHES
    enter(ledger, "one")  # no second row was left of it


def test_a_heartbeat_prolongs_the_holders_own_lease_only(ledger: Ledger) -> None:
    for name, keys in (("one", BATCHES[:1]), ("other", BATCHES[1:2])):
        ledger.leases.claim(enter(ledger, name), keys, is_over=NOBODY_IS_OVER)
    ledger.leases.beat("one", expires_at=99)
    assert {holder.holder_id: holder.expires_at for holder in ledger.leases.holders()} == {"one": 99, "other": 2}


def test_of_many_that_ask_at_once_each_batch_goes_to_one(ledger: Ledger) -> None:
    names = [enter(ledger, f"run-{number}") for number in range(8)]
    together = threading.Barrier(len(names), timeout=30)
    got: dict[str, list[str]] = {}

    def ask(name: str) -> None:
        together.wait()
        got[name] = ledger.leases.claim(name, BATCHES, is_over=NOBODY_IS_OVER)

    threads = [threading.Thread(target=ask, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # On Postgres a batch that several look at in the same instant may go to none of them yet: they ask again.
    given = [key for keys in got.values() for key in keys]
    assert len(given) == len(set(given))
    left = [key for key in BATCHES if key not in given]
    assert ledger.leases.claim(names[0], left, is_over=NOBODY_IS_OVER) == left


def test_a_holder_that_was_killed_is_forgotten_when_the_next_one_enters(ledger):
    late = enter(ledger, "killed")
    ledger.leases.claim(late, BATCHES[:1], is_over=NOBODY_IS_OVER)
    ledger.leases.enter(
        LeaseHolder(
            holder_id="next", operation="migrate", run_id=None, host="here", pid=2, process_started_at=0.5, since=3,
            expires_at=9,
        )
    )  # fmt: skip
    assert ledger.leases.claim("next", BATCHES[:1], is_over=NOBODY_IS_OVER) == BATCHES[:1]
    assert holders(ledger) == ["next"]
