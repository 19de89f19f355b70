"""Two runs share batches: what one has in hand the other waits for, and takes over when the first is certainly over."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.ledgers import put_new_ledger
from z_interact_assets.core.errors import LedgerUnavailableError
from z_interact_assets.core.records import LeaseHolder
from z_interact_assets.execution import leases
from z_interact_assets.execution.leases import LEASE_S, Leases
from z_interact_assets.execution.processes import this_process
from z_interact_assets.storage.ledger import Ledger, open_ledger

NOW_MS = 1_760_000_000_000
LEASE_MS = int(LEASE_S * 1000)
BATCHES = [f"b{number:06}" for number in range(1, 21)]


class Clock:
    def __init__(self) -> None:
        self.now_ms = NOW_MS

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    put_new_ledger(tmp_path / "ledger.db")
    with closing(open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")) as opened:
        opened.planning.add_batches([[key] for key in BATCHES], now_ms=NOW_MS)
        yield opened


@pytest.fixture
def leases_of(ledger: Ledger, clock: Clock):
    return lambda operation="migrate": Leases(ledger, operation, run_id="run", clock_ms=clock)


def another(ledger: Ledger, keys: list[str], **changes) -> LeaseHolder:
    """A run that has batches in hand, entered as it would itself."""
    process = this_process()
    holder = LeaseHolder(
        holder_id="another", operation="reclaim", run_id=None, host=process.host, pid=process.pid,
        process_started_at=process.started_at, since=NOW_MS, expires_at=NOW_MS + LEASE_MS,
    )  # fmt: skip
    holder = replace(holder, **changes)
    ledger.leases.enter(holder)
    assert ledger.leases.claim(holder.holder_id, keys, is_over=lambda _: False) == keys
    return holder


@contextmanager
def patient(ours: Leases, keys: list[str]) -> Iterator[tuple[Iterator[list[str]], list[str]]]:
    """The groups that are shared out, and for whom is waited."""
    waited_for: list[str] = []
    with ours:
        yield ours.shared_out(keys, waiting=lambda holders: waited_for.extend(map(str, holders))), waited_for


def test_all_batches_come_in_order_and_not_all_at_once(leases_of):
    with leases_of() as ours:
        groups = list(ours.shared_out(BATCHES))
    assert [key for group in groups for key in group] == BATCHES
    assert len(groups) == 2


def test_whoever_is_done_has_nothing_left(ledger, leases_of):
    with leases_of() as ours:
        list(ours.shared_out(BATCHES))
        assert [holder.operation for holder in ledger.leases.holders()] == ["migrate"]
    assert ledger.leases.holders() == []


def test_what_another_has_comes_last_and_when_it_lets_go(ledger, leases_of, monkeypatch):
    monkeypatch.setattr(leases, "POLL_S", 0)
    holder = another(ledger, BATCHES[:2])
    with patient(leases_of(), BATCHES[:4]) as (groups, waited_for):
        assert next(groups) == BATCHES[2:4]
        assert next(groups) == []
        assert waited_for == [f"reclaim (process {holder.pid} on {holder.host.partition(' ')[0]})"]
        ledger.leases.release(holder.holder_id, BATCHES[1:2])
        assert next(groups) == BATCHES[1:2]
        assert next(groups) == []
        ledger.leases.leave(holder.holder_id)
        assert list(groups) == [BATCHES[:1]]


# Of a process of this machine the process itself tells; of another's only its silence.
@pytest.mark.parametrize(("changes", "after_ms", "is_over"), [
    ({}, 0, False),
    ({}, LEASE_MS - 1, False),
    ({}, LEASE_MS, True),
    ({"host": "another"}, LEASE_MS - 1, False),
    ({"host": "another"}, LEASE_MS, True),
    ({"pid": 2**22 + 1}, 0, True),
    ({"host": "another", "pid": 2**22 + 1}, 0, False),
    ({"process_started_at": 1.0}, 0, True),
])  # fmt: skip
def test_a_lease_is_taken_over_when_its_holder_is_over(
    ledger, leases_of, clock, monkeypatch, changes, after_ms, is_over
):
    monkeypatch.setattr(leases, "POLL_S", 0)
    another(ledger, BATCHES[:1], **changes)
    clock.now_ms += after_ms
    with leases_of() as ours:
        groups = [next(ours.shared_out(BATCHES[:1])) for _ in range(3)]
        assert BATCHES[:1] in groups if is_over else groups == [[], [], []]


def test_a_run_that_lives_stays_the_holder_however_long_it_takes(ledger, leases_of, clock, monkeypatch):
    monkeypatch.setattr(leases, "BEAT_S", 0.001)
    beaten = threading.Event()
    beat = ledger.leases.beat

    def heard(holder_id: str, *, expires_at: int) -> None:
        beat(holder_id, expires_at=expires_at)
        if expires_at == clock.now_ms + LEASE_MS:
            beaten.set()

    monkeypatch.setattr(ledger.leases, "beat", heard)
    with leases_of() as ours:
        list(ours.shared_out(BATCHES[:1]))
        clock.now_ms += 10 * LEASE_MS
        beaten.clear()
        assert beaten.wait(10)
        (holder,) = ledger.leases.holders()
    assert holder.expires_at == clock.now_ms + LEASE_MS


def test_a_busy_ledger_ends_neither_the_heartbeat_nor_the_run(ledger, leases_of, monkeypatch):
    monkeypatch.setattr(leases, "BEAT_S", 0.001)
    tries = threading.Semaphore(0)

    def refuse(*_: object, **__: object) -> None:
        tries.release()
        raise LedgerUnavailableError("The ledger is not available: database is locked.")

    monkeypatch.setattr(ledger.leases, "beat", refuse)
    monkeypatch.setattr(ledger.leases, "leave", refuse)
    with leases_of() as ours:
        assert tries.acquire(timeout=10)
        assert tries.acquire(timeout=10)
        assert list(ours.shared_out(BATCHES[:1])) == [BATCHES[:1]]


def test_batches_that_were_taken_over_are_not_let_go_by_their_former_holder(ledger, leases_of, clock):
    with leases_of() as former:
        list(former.shared_out(BATCHES[:2]))
        clock.now_ms += LEASE_MS
        with leases_of() as ours:
            assert list(ours.shared_out(BATCHES[:1])) == [BATCHES[:1]]
            former.release(BATCHES[:2])
            assert {holder.holder_id for holder in ledger.leases.holders()} == {ours._id}
