"""The three writes that end a group of images, in the one order that can be undone at any instant.

1. the ledger learns of the proved objects and of everything needed to undo the switch;
2. each row is switched by compare-and-swap;
3. the ledger learns how the switch ended.
A crash after 1 leaves rows as they were and objects the ledger knows; after 2, rows that the next run recognises.
"""

from collections.abc import Callable, Iterator, Sequence

from z_interact_assets.core.errors import TableUnavailableError
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.reasons import Reason
from z_interact_assets.core.records import OutcomeRecord
from z_interact_assets.core.rows import RowChange, spelt
from z_interact_assets.execution.groups import SWITCH_BYTES, SWITCH_ROWS, grouped
from z_interact_assets.migrate.outcomes import Outcome, final
from z_interact_assets.storage.ledger import Ledger
from z_interact_assets.storage.legacy import LegacyTable


class Settler:
    """Writes groups of outcomes."""

    def __init__(self, table: LegacyTable, ledger: Ledger, *, clock_ms: Callable[[], int], run_id: str | None) -> None:
        self._table = table
        self._ledger = ledger
        self._clock_ms = clock_ms
        self._run_id = run_id

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Write one group. `outcome.final` is changed where a switch did not take place."""
        work = self._ledger.work
        stored = [outcome.stored for outcome in outcomes if outcome.stored is not None]
        work.record_stored(stored, now_ms=self._clock_ms(), run_id=self._run_id)
        for group in _switch_groups(outcomes):
            self._switch(group)
        work.record_outcomes([outcome.final for outcome in outcomes], now_ms=self._clock_ms(), run_id=self._run_id)
        for outcome in outcomes:
            outcome.drop_payload()

    def _switch(self, group: list[Outcome]) -> None:
        changes = [outcome.change for outcome in group if outcome.change is not None]
        try:
            # A power loss may undo the switch: the next plan sees a row with its image, and does it again.
            switched = self._table.apply(changes, durable=False)
        except TableUnavailableError as error:
            # Whether the rows changed is unknown: the next run reads them again and recognises its own switch.
            for outcome in group:
                outcome.final = final(outcome.item, ItemState.FAILED, Reason.TABLE_UNAVAILABLE, str(error))
                outcome.error = error
            return
        for outcome, done in zip(group, switched, strict=True):
            if not done:
                outcome.final = self._not_switched(outcome)

    def _not_switched(self, outcome: Outcome) -> OutcomeRecord:
        """Say why a row no longer holds what was read: deleted, edited, or switched by another run of ours."""
        reason = Reason.ROW_CHANGED
        try:
            head = self._table.head(outcome.item.image_id)
            if head is None:
                reason = Reason.ROW_DELETED
            elif head.fingerprint == outcome.final.fingerprint and self._is_switched(outcome.change):
                return outcome.final  # the key is a pure function of row and bytes: it is the same object
        except TableUnavailableError:  # the next plan will see
            pass
        return final(outcome.item, ItemState.CONFLICT, reason)

    def _is_switched(self, change: RowChange | None) -> bool:
        """Tell whether the row is what the switch would have made of it; sizes alone do not show another image."""
        if change is None or "image_url" not in change.values:
            return False
        row = self._table.read(change.id)
        return row is not None and all(
            row.get(column) == change.values.get(column, spelt(read)) for column, read in change.as_read.items()
        )


def _switch_groups(outcomes: Sequence[Outcome]) -> Iterator[list[Outcome]]:
    changing = (outcome for outcome in outcomes if outcome.change is not None)
    return grouped(changing, weigh=_weight, max_items=SWITCH_ROWS, max_weight=SWITCH_BYTES)


def _weight(outcome: Outcome) -> int:
    return outcome.change.weight if outcome.change else 0
