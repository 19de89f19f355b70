"""Deleting the objects of images that were rolled back, each only after its row was read and proved to hold the image.

An object goes if its key was made for this row and these bytes, no row of the table names it, no other image of the
ledger does, and the row holds, to the byte, the text it had before its migration. Whatever cannot be shown is kept.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from z_interact_assets.core.keys import is_migrated_key
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.ports import ObjectStore
from z_interact_assets.core.records import UndoRecord, UndoScope
from z_interact_assets.core.undoing import Standing, objects_of_texts, original_texts, standing
from z_interact_assets.core.urls import KnownBases
from z_interact_assets.execution.groups import grouped
from z_interact_assets.execution.leases import Leases
from z_interact_assets.reverse.carrying_out import Means
from z_interact_assets.storage.scratch import Scratch

_NAMED = "named"
_AT_ONCE = 100  # images between the last look at their rows and the delete: few, so that it is short


@dataclass(frozen=True, slots=True)
class _Objects:
    """The objects of one image: what may go, and how many stay."""

    record: UndoRecord
    keys: tuple[str, ...]
    kept: int


class Deletion:
    """One pass over rolled-back images. A dry run foretells it, for images that are yet to be rolled back too."""

    def __init__(
        self, means: Means, store: ObjectStore, bases: KnownBases, *, foretold: tuple[ItemState, ...] = ()
    ) -> None:
        """`foretold` are the states a dry run takes for rolled back."""
        self._means = means
        self._store = store
        self._bases = bases
        self._states = (ItemState.ROLLED_BACK, *(foretold if means.dry_run else ()))
        self._deleted = self._kept = 0

    def run(
        self, batch_keys: tuple[str, ...] | None = None, image_ids: tuple[str, ...] | None = None
    ) -> tuple[int, int]:
        """Return how many objects were deleted and how many were kept."""
        scope = UndoScope(states=self._states, batch_keys=batch_keys, image_ids=image_ids, with_object=True)
        keys = list(self._means.ledger.undo.count(scope))
        if keys:
            with Scratch() as named:
                self._note_named(named)
                self._go_through(scope, keys, named)
        return self._deleted, self._kept

    def _note_named(self, named: Scratch) -> None:
        """Note which objects the table's rows name: one pass over their heads."""
        for page in self._means.table.heads():
            for head in page:
                key = self._bases.key_of(head.url_head) if head.url_head else None
                if key is not None:
                    named.note(_NAMED, key, head.id)

    def _go_through(self, scope: UndoScope, keys: Sequence[str], named: Scratch) -> None:
        means = self._means
        if means.dry_run:
            for found in self._judged(scope, keys, named):
                self._count(found)
            return
        with Leases(means.ledger, "rollback", run_id=means.run_id, clock_ms=means.clock_ms) as leases:
            for claimed in leases.shared_out(keys):
                judged = self._judged(scope, claimed, named)
                for group in grouped(judged, weigh=lambda _: 1, max_items=_AT_ONCE, max_weight=_AT_ONCE):
                    self._delete(group, leases, claimed)
                leases.release(claimed)
                if means.stop.is_set():
                    return

    def _judged(self, scope: UndoScope, keys: Sequence[str], named: Scratch) -> Iterator[_Objects]:
        for record in self._means.ledger.undo.records(scope, *keys):
            yield self._judge(record, named)

    def _judge(self, record: UndoRecord, named: Scratch) -> _Objects:
        # What has no text to be compared with stays, but it is told.
        concerned = objects_of_texts(record) or record.objects[:1]
        made_here = [
            stored.key for stored in concerned
            if stored.sha256 and is_migrated_key(stored.key, row_id=record.image_id, sha256=stored.sha256)
        ]  # fmt: skip
        others = self._means.ledger.undo.answered_for_elsewhere(dict.fromkeys(made_here, record.item_id))
        free = [key for key in made_here if key not in others and not self._is_named(key, record, named)]
        keys = tuple(free) if free and self._is_given_back(record) else ()
        return _Objects(record, keys, kept=len(concerned) - len(keys))

    def _is_named(self, key: str, record: UndoRecord, named: Scratch) -> bool:
        rows = set(named.whom(_NAMED, key))
        # The image's own row still names it when this is foretold.
        return bool(rows - {record.image_id} if self._means.dry_run else rows)

    def _is_given_back(self, record: UndoRecord) -> bool:
        """Read the row once more. One without any text to compare (a static file's) proves nothing."""
        row = self._means.table.read(record.image_id)
        if row is None or not original_texts(record):
            return False
        found = standing(row, record, self._bases)
        return found is Standing.RESTORED or (self._means.dry_run and found is Standing.AS_LEFT)

    def _delete(self, group: Sequence[_Objects], leases: Leases, claimed: Sequence[str]) -> None:
        doomed = {found.record.item_id: found.keys for found in group if found.keys}
        # A run beside us may migrate these images again only once it has their batches.
        if doomed and leases.still_holds(claimed):
            self._store.delete_many([key for keys in doomed.values() for key in keys])
            means = self._means
            means.ledger.undo.record_deleted(doomed, now_ms=means.clock_ms(), run_id=means.run_id)
            for found in group:
                self._count(found)
        else:
            self._kept += sum(found.kept + len(found.keys) for found in group)

    def _count(self, found: _Objects) -> None:
        self._deleted += len(found.keys)
        self._kept += found.kept
