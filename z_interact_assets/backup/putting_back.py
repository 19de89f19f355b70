"""Groups of rows back into the table: read, decide, compare-and-swap, read again and compare, tell the ledger."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from z_interact_assets.backup.decisions import Decision, Deed, decide, differences, state_to_record
from z_interact_assets.backup.report import Refusal, RestoreReport
from z_interact_assets.core.errors import TableUnusableError
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.records import OutcomeRecord, UndoRecord, UndoScope
from z_interact_assets.core.rows import LegacyRow
from z_interact_assets.core.urls import KnownBases
from z_interact_assets.storage.ledger import Ledger
from z_interact_assets.storage.legacy import LegacyTable

# Of these images the ledger has an undo record, and their rows may point at their objects.
_STATES = (
    ItemState.STORED, ItemState.FAILED, ItemState.PUBLISHED, ItemState.RECLAIMED, ItemState.ALREADY_IN_R2,
    ItemState.ROLLED_BACK,
)  # fmt: skip
_DETAIL_CHARACTERS = 200  # a database's own sentence may quote a value


@dataclass(slots=True, kw_only=True)
class _Step:
    """One row on its way back; `row` is as it was last read, `wrote` what the database answered."""

    backed_up: LegacyRow
    before: LegacyRow | None
    record: UndoRecord | None
    decision: Decision
    row: LegacyRow | None
    wrote: bool = False
    refusal: Refusal | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PuttingBack:
    """One restore's way with rows. `facts` goes into the audit trail of each image whose state changes."""

    table: LegacyTable
    ledger: Ledger
    bases: KnownBases
    report: RestoreReport
    clock_ms: Callable[[], int]
    run_id: str | None
    overwrite: bool
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def settle(self, group: Sequence[LegacyRow]) -> None:
        """Bring rows back, and count them. In a dry run they are only counted."""
        records = {record.image_id: record for record in self._records([row.id for row in group])}
        steps = [self._decided(row, records.get(row.id)) for row in group]
        if not self.report.dry_run:
            self._write(steps)
            self._tell(steps)
        for step in steps:
            self._count(step)

    def _records(self, image_ids: Sequence[str]) -> Iterator[UndoRecord]:
        scope = UndoScope(states=_STATES, image_ids=tuple(image_ids), with_object=True)
        for batch_key in self.ledger.undo.count(scope):
            yield from self.ledger.undo.records(scope, batch_key)

    def _decided(self, backed_up: LegacyRow, record: UndoRecord | None) -> _Step:
        row = self.table.read(backed_up.id)
        decision = decide(backed_up, row, record, self.bases, overwrite=self.overwrite)
        refusal = Refusal.ROW_CHANGED if decision.deed is Deed.REFUSE else None
        return _Step(backed_up=backed_up, before=row, row=row, record=record, decision=decision, refusal=refusal)

    def _write(self, steps: Sequence[_Step]) -> None:
        inserted = [step for step in steps if step.decision.deed is Deed.INSERT]
        self._attempt(inserted, lambda part: self.table.insert([step.backed_up.values for step in part]))
        changed = [step for step in steps if step.decision.change is not None]
        self._attempt(
            changed,
            lambda part: self.table.apply([step.decision.change for step in part if step.decision.change is not None]),
        )
        for step in (*inserted, *changed):
            self._confirm(step)

    def _attempt(self, steps: Sequence[_Step], write: Callable[[Sequence[_Step]], list[bool]]) -> None:
        """Write rows together; if the database does not take them, one by one, to learn which it refuses."""
        try:
            for step, wrote in zip(steps, write(steps), strict=True):
                step.wrote = wrote
        except TableUnusableError as error:
            if len(steps) == 1:
                steps[0].refusal, steps[0].detail = Refusal.ROW_REFUSED, error.message[:_DETAIL_CHARACTERS]
                return
            for step in steps:
                self._attempt([step], write)

    def _confirm(self, step: _Step) -> None:
        """Believe what is read back alone: another restore may have done the same, the app something else."""
        step.row = row = self.table.read(step.backed_up.id)
        if row is not None and not differences(step.backed_up, row):
            step.refusal = None
        elif step.refusal is None:
            step.refusal = self._why_not(step)

    @staticmethod
    def _why_not(step: _Step) -> Refusal:
        if step.wrote:
            return Refusal.NOT_AS_WRITTEN
        if step.row is None and step.decision.deed is Deed.INSERT:
            return Refusal.NOT_UNIQUE
        return Refusal.ROW_CHANGED

    def _tell(self, steps: Sequence[_Step]) -> None:
        ended: dict[ItemState, list[OutcomeRecord]] = {ItemState.ROLLED_BACK: [], ItemState.PUBLISHED: []}
        for step in steps:
            if step.refusal is not None or step.record is None or step.row is None:
                continue
            state = state_to_record(step.record, step.before, step.row, self.bases)
            if state is not None:
                ended[state].append(self._outcome(step.record, step.row, state))
        now_ms = self.clock_ms()
        self.ledger.undo.record_rolled_back(ended[ItemState.ROLLED_BACK], now_ms=now_ms, run_id=self.run_id)
        self.ledger.work.record_outcomes(ended[ItemState.PUBLISHED], now_ms=now_ms, run_id=self.run_id)

    def _outcome(self, record: UndoRecord, row: LegacyRow, state: ItemState) -> OutcomeRecord:
        return OutcomeRecord(
            item_id=record.item_id, state=state, fingerprint=row.head().fingerprint, event="restored",
            facts={**self.facts, "was": record.state.value, "state": state.value},
        )  # fmt: skip

    def _count(self, step: _Step) -> None:
        if step.refusal is not None:
            self.report.refuse(step.backed_up.id, step.refusal, step.detail)
        elif step.decision.deed is Deed.INSERT:
            self.report.inserted += 1
        elif step.decision.deed is Deed.PUT_BACK:
            self.report.restored += 1
        else:
            self.report.unchanged += 1
