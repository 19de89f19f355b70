"""Leases: which run has which batches in hand, so that two runs at once share the work instead of doing it twice.

A lease protects from waste, never from loss: that a row is switched by compare-and-swap and that a key is a pure
function of its row holds without any lease. A run lets go of each batch as it ends, and before it waits for another's,
so that no two can wait for each other. The lease of a process that was killed on this machine is taken over at once;
of one on another machine when its heartbeat has been silent for LEASE_S.
"""

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Self

from z_interact_assets.core.errors import LedgerUnavailableError
from z_interact_assets.core.records import LeaseHolder
from z_interact_assets.execution.processes import ProcessIdentity, is_gone, this_process
from z_interact_assets.storage.ledger import Ledger

LEASE_S = 60.0
BEAT_S = 15.0
POLL_S = 0.2
_CLAIMED_AT_ONCE = 16  # batches; more would leave a run that starts beside us with nothing to do

WaitListener = Callable[[Sequence[LeaseHolder]], None]


class Leases:
    """The leases of one run; a context manager that gives all of them back."""

    def __init__(self, ledger: Ledger, operation: str, *, run_id: str | None, clock_ms: Callable[[], int]) -> None:
        """`operation` tells people what the run does, e.g. `migrate`."""
        self._book = ledger.leases
        self._clock_ms = clock_ms
        self._operation = operation
        self._run_id = run_id
        self._id = uuid.uuid4().hex
        self._ended = threading.Event()
        self._beat = threading.Thread(target=self._keep, name="leases", daemon=True)

    def __enter__(self) -> Self:
        process = this_process()
        now = self._clock_ms()
        self._book.enter(
            LeaseHolder(
                holder_id=self._id, operation=self._operation, run_id=self._run_id, host=process.host, pid=process.pid,
                process_started_at=process.started_at, since=now, expires_at=now + int(LEASE_S * 1000),
            )
        )  # fmt: skip
        self._beat.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._beat.join()
        with suppress(LedgerUnavailableError):  # they expire
            self._book.leave(self._id)

    def shared_out(self, keys: Sequence[str], *, waiting: WaitListener = lambda _: None) -> Iterator[list[str]]:
        """Yield groups of batches as they can be had, in order; what other runs have in hand comes when they let go.

        An empty group means that there is none at the moment: the caller looks whether it is to stop, and goes on.
        """
        elsewhere: list[str] = []
        remaining = iter(keys)
        while group := list(islice(remaining, _CLAIMED_AT_ONCE)):
            claimed = self._claim(group)
            elsewhere += [key for key in group if key not in claimed]
            yield claimed
        while elsewhere:
            claimed = self._claim(elsewhere[:_CLAIMED_AT_ONCE])
            if not claimed:
                waiting([holder for holder in self._book.holders() if holder.holder_id != self._id])
                self._ended.wait(POLL_S)
                elsewhere = elsewhere[_CLAIMED_AT_ONCE:] + elsewhere[:_CLAIMED_AT_ONCE]
            yield claimed
            elsewhere = [key for key in elsewhere if key not in claimed]

    def still_holds(self, keys: Sequence[str]) -> bool:
        """Tell, and prolong the lease, whether all of these batches are ours yet: this process may have been asleep."""
        return self._book.renew(self._id, keys, expires_at=self._clock_ms() + int(LEASE_S * 1000))

    def release(self, keys: Sequence[str]) -> None:
        """Let go of batches that are done."""
        self._book.release(self._id, keys)

    def _claim(self, keys: Sequence[str]) -> list[str]:
        now = self._clock_ms()
        return self._book.claim(self._id, keys, is_over=lambda holder: holder.expires_at <= now or _is_dead(holder))

    def _keep(self) -> None:
        while not self._ended.wait(BEAT_S):
            with suppress(LedgerUnavailableError):  # busy: the next beat will do
                self._book.beat(self._id, expires_at=self._clock_ms() + int(LEASE_S * 1000))


def _is_dead(holder: LeaseHolder) -> bool:
    return is_gone(ProcessIdentity(host=holder.host, pid=holder.pid, started_at=holder.process_started_at))
