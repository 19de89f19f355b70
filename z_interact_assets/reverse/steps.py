"""One image's part of a rollback or a reclaim, and what a run of them needs to be told. Values and Protocols only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from z_interact_assets.core.models import ItemState
from z_interact_assets.core.reasons import Reason
from z_interact_assets.core.records import OutcomeRecord, UndoRecord, UndoScope
from z_interact_assets.core.rows import RowChange, octets


class Ended(StrEnum):
    """How one image's part ended."""

    DONE = "done"
    SKIPPED = "skipped"  # there is nothing to do for it
    FAILED = "failed"


@dataclass(slots=True, kw_only=True)
class Step:
    """What is to be written into one row; `ended` is None until it is over.

    `change` is None where the row is as it should be already. `edited` says that the app put another image beside our
    URL: it is to be planned again. `fingerprint` is the row's as it was left, `bytes` the text that was cleared,
    `facts` what the audit trail tells of it.
    """

    record: UndoRecord
    change: RowChange | None = None
    ended: Ended | None = None
    reason: Reason | None = None
    detail: str = ""
    error: Exception | None = None
    fingerprint: str | None = None
    bytes: int = 0
    edited: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def weight(self) -> int:
        """Octets a database has to compare and to write."""
        if self.change is None:
            return 0
        return self.change.weight + sum(octets(value) or 0 for value in self.change.values.values())

    def fail(self, reason: Reason, detail: str = "", *, error: Exception | None = None) -> "Step":
        """End it without having done anything."""
        self.ended, self.reason, self.detail, self.error = Ended.FAILED, reason, detail, error
        self.change = None
        return self

    def skip(self, reason: Reason | None = None) -> "Step":
        """End it, since there is nothing to do."""
        self.ended, self.reason = Ended.SKIPPED, reason
        self.change = None
        return self

    def outcome(self, state: ItemState, event: str) -> OutcomeRecord:
        """Return the ledger's record of it."""
        facts = {**({"detail": self.detail} if self.detail else {}), **self.facts}
        return OutcomeRecord(
            item_id=self.record.item_id, state=state, reason=self.reason, fingerprint=self.fingerprint, event=event,
            facts=facts,
        )  # fmt: skip


class Undertaking(Protocol):
    """What is done to each image. `prepare` is called by many threads at once, the rest by one, group by group."""

    @property
    def operation(self) -> str:
        """Its name, for leases and events."""
        ...

    @property
    def scope(self) -> UndoScope:
        """Which images."""
        ...

    def prepare(self, record: UndoRecord) -> Step:
        """Read row and objects, and decide; write nothing. Raises what concerns every image."""
        ...

    def before_writing(self, steps: Sequence[Step]) -> None:
        """Do what must be durable before the rows are written; may end steps."""
        ...

    def confirm(self, step: Step) -> None:
        """Read the row again and end the step by what it holds."""
        ...

    def record(self, steps: Sequence[Step]) -> None:
        """Tell the ledger of steps that are DONE."""
        ...
