"""Rollback: rows as they were before their migration, byte for byte, by compare-and-swap. Objects are kept.

For each image: read the row and see that it is as the migration left it; rebuild from its object the texts the row does
not hold any more, and compare their SHA-256; write; read the row again and compare; then tell the ledger. Killed
anywhere, the same command finishes: a row that is back already is recognised and recorded. Deleting objects is another
pass (`deletion`), after all of this.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from z_interact_assets.core.errors import ObjectDiffersError, ObjectNotFoundError
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.ports import ObjectStore
from z_interact_assets.core.reasons import Reason
from z_interact_assets.core.records import ObjectRecord, UndoRecord, UndoScope
from z_interact_assets.core.rows import LegacyRow
from z_interact_assets.core.undoing import Standing, is_restored_by, restoration, standing, texts_to_rebuild
from z_interact_assets.core.urls import KnownBases
from z_interact_assets.reverse.carrying_out import CarryingOut, Means
from z_interact_assets.reverse.deletion import Deletion
from z_interact_assets.reverse.reading import read_images
from z_interact_assets.reverse.report import RollbackReport
from z_interact_assets.reverse.steps import Ended, Step

# Of these the row may point at our object: also where a run broke off before the ledger heard of the switch.
STATES = (
    ItemState.STORED, ItemState.FAILED, ItemState.PUBLISHED, ItemState.RECLAIMED, ItemState.ALREADY_IN_R2,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which images to roll back: those of batches, or by id, or, where both are None, all."""

    batch_keys: tuple[str, ...] | None = None
    image_ids: tuple[str, ...] | None = None


class Rollback:
    """One rollback. `report` is whole when `run` has ended, also by an error."""

    def __init__(self, means: Means, store: ObjectStore, bases: KnownBases, *, delete_objects: bool = False) -> None:
        self._means = means
        self._store = store
        self._bases = bases
        self._delete_objects = delete_objects
        self.report = RollbackReport(dry_run=means.dry_run)

    def run(self, chosen: Chosen) -> Iterator[str]:
        """Yield each batch once its rows are back; then, if asked to, delete the objects of the chosen images.

        Raises StorageUnavailableError, TableUnavailableError or LedgerUnavailableError when one of them stays away.
        """
        if self._delete_objects:
            self._store.check()
        undertaking = _Restoring(self._means, self._store, self._bases, chosen)
        carrying = CarryingOut(undertaking, self._means, self.report.add)
        yield from carrying.run()
        if carrying.unanswered:  # so few that it was no outage to the run: is R2 there?
            self._store.check()
        if self._delete_objects and not carrying.interrupted:
            deletion = Deletion(self._means, self._store, self._bases, foretold=STATES)
            self.report.objects_deleted, self.report.objects_kept = deletion.run(chosen.batch_keys, chosen.image_ids)
        self.report.complete = not carrying.interrupted and not self._means.stop.is_set()


class _Restoring:
    """The undertaking."""

    operation = "rollback"

    def __init__(self, means: Means, store: ObjectStore, bases: KnownBases, chosen: Chosen) -> None:
        self._means = means
        self._store = store
        self._bases = bases
        self.scope = UndoScope(
            states=STATES, batch_keys=chosen.batch_keys, image_ids=chosen.image_ids, with_object=True
        )

    def prepare(self, record: UndoRecord) -> Step:
        """Decide, and rebuild what the row does not hold any more."""
        step = Step(record=record)
        row = self._means.table.read(record.image_id)
        if row is None:
            return step.skip(Reason.ROW_DELETED)
        match standing(row, record, self._bases):
            case Standing.RESTORED:
                return self._found_restored(step, row)
            case Standing.CHANGED:
                return step.fail(Reason.ROW_CHANGED)
            case Standing.AS_LEFT:
                return self._rebuild(step, row)

    def before_writing(self, steps: Sequence[Step]) -> None:
        """Nothing: the row is written from what the ledger and the bucket hold already, and both stay."""

    def confirm(self, step: Step) -> None:
        """Compare the row that is read back with what was written."""
        if step.change is None:
            return
        row = self._means.table.read(step.record.image_id)
        if row is None:
            step.skip(Reason.ROW_DELETED)
        elif is_restored_by(step.change, row):
            step.ended, step.fingerprint = Ended.DONE, row.head().fingerprint
        else:
            step.fail(Reason.NOT_AS_WRITTEN)

    def record(self, steps: Sequence[Step]) -> None:
        """Tell the ledger."""
        records = [step.outcome(ItemState.ROLLED_BACK, "rolled_back") for step in steps]
        means = self._means
        means.ledger.undo.record_rolled_back(records, now_ms=means.clock_ms(), run_id=means.run_id)

    def _found_restored(self, step: Step, row: LegacyRow) -> Step:
        if step.record.state not in (ItemState.PUBLISHED, ItemState.RECLAIMED):
            # It was on R2 before us and nothing of it is ours, or it was never switched: a run still has it to do.
            return step.skip()
        step.ended, step.fingerprint = Ended.DONE, row.head().fingerprint
        step.facts = {"found": "The row was as before its migration already."}
        return step

    def _rebuild(self, step: Step, row: LegacyRow) -> Step:
        texts = texts_to_rebuild(row, step.record)
        needed = {text.image_sha256 for text in texts.values() if text.needs_image}
        try:
            images = read_images(self._store, _holding(step.record, needed))
        except ObjectNotFoundError as error:
            return step.fail(Reason.OBJECT_MISSING, str(error))
        except ObjectDiffersError as error:
            return step.fail(Reason.OBJECT_DIFFERS, str(error))
        rebuilt: dict[str, str | bytes] = {}
        for column, text in texts.items():
            found = text.rebuilt(images.get(text.image_sha256, b""))
            if found is None:
                return step.fail(Reason.UNDO_RECORD_UNFIT, column)
            rebuilt[column] = found
        change = restoration(row, step.record, rebuilt, now_ms=self._means.clock_ms())
        if not change.values:
            return step.skip()  # it was on R2 before us, and the app has changed what we filled in
        step.change = change
        step.facts = {
            "key": step.record.object_key, "columns": sorted(change.values),
            "text_sha256": {column: text.text_sha256 for column, text in texts.items()},
        }  # fmt: skip
        return step


def _holding(record: UndoRecord, needed: set[str]) -> Sequence[ObjectRecord]:
    return [stored for stored in record.objects if stored.sha256 in needed]
