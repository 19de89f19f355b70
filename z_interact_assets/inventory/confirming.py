"""Each suspect is asked about again before it counts: ledger and table first, then the bucket.

While the streams were read, a run beside us may have stored, switched or rolled back, and the app may have edited or
deleted. Only what is still wrong at the end is told. Trouble raises: unknown is not empty.
"""

from collections.abc import Iterator

from z_interact_assets.core.findings import ON_R2_STATES, Problem, ProblemKind, RecordedObject, points_at
from z_interact_assets.core.keys import is_migrated_key
from z_interact_assets.core.models import PENDING_STATES, ItemState
from z_interact_assets.core.planning import Rules, decide
from z_interact_assets.core.ports import ObjectReader
from z_interact_assets.core.urls import KnownBases
from z_interact_assets.inventory.claims import CLAIM, MISDIRECTED
from z_interact_assets.inventory.inventory import Inventory
from z_interact_assets.inventory.matching import CORRUPTED, MISSING, ORPHAN, SHARED
from z_interact_assets.storage.ledger import Ledger
from z_interact_assets.storage.legacy import LegacyTable
from z_interact_assets.storage.scratch import Scratch

# A HEAD each. Races make a handful of suspects; past this many it is the bucket that is wrong, not our view of it.
MAX_LOOKS = 1_000


class Confirmation:
    """Turns suspects into findings of the inventory."""

    def __init__(
        self, store: ObjectReader, table: LegacyTable, ledger: Ledger, bases: KnownBases, scratch: Scratch
    ) -> None:
        self._store = store
        self._table = table
        self._ask = ledger.ask
        self._planning = ledger.planning
        self._bases = bases
        self._scratch = scratch
        self._looks = 0

    def settle(self, inventory: Inventory) -> None:
        """Add what is still wrong."""
        for topic in (MISSING, CORRUPTED):
            for key, _ in self._scratch.notes(topic):
                if (problem := self._object_problem(key, ProblemKind(topic))) is not None:
                    inventory.add_problem(problem)
        for key, _ in self._scratch.notes(SHARED):
            if self._is_shared(key):
                inventory.add_shared(key)
        for image_id, _ in self._scratch.notes(MISDIRECTED):
            self._settle_misdirected(image_id, inventory)
        for key, _ in self._scratch.notes(ORPHAN):
            if not self._belongs_to_a_row(key):
                inventory.add_orphan(key)

    def _belongs_to_a_row(self, key: str) -> bool:
        record = self._ask.recorded_object(key)
        if record is None:
            return self._is_awaited(key)
        return record.in_use and self._table.head(record.image_id) is not None

    def _is_awaited(self, key: str) -> bool:
        """Tell whether a run has stored it and not recorded it yet: it will, or the next run finds it under this key.

        An object that is gone by now belongs to nobody any more either.
        """
        if self._looks >= MAX_LOOKS:
            return False
        self._looks += 1
        found = self._store.head(key)
        if found is None:
            return True
        image_id, sha256 = found.metadata.original_id, found.metadata.sha256
        if not image_id or not sha256 or not is_migrated_key(key, row_id=image_id, sha256=sha256):
            return False
        item = self._ask.item(image_id)
        return item is not None and item.state in PENDING_STATES and self._table.head(image_id) is not None

    def _object_problem(self, key: str, kind: ProblemKind) -> Problem | None:
        record = self._ask.recorded_object(key)
        image_id = self._image_in_need(key, record)
        if image_id is None:  # nobody misses an object whose row is gone: the app deletes it with the row
            return None
        detail = "R2 has no such object." if kind is ProblemKind.MISSING else "It is not as it was recorded."
        if self._looks < MAX_LOOKS:
            self._looks += 1
            found = self._store.head(key)
            if found is None:
                kind, detail = ProblemKind.MISSING, "R2 has no such object."
            elif record is not None and (difference := record.difference(found.size, found.etag)):
                kind, detail = ProblemKind.CORRUPTED, difference
            else:
                return None
        return Problem(image_id=image_id, kind=kind, key=key, detail=detail)

    def _image_in_need(self, key: str, record: RecordedObject | None) -> str | None:
        """Return an image that needs the object: the ledger promised it, or its row names it.

        A quarantined row is not in need: what it names was not there when it was set aside, and is told with its
        reason.
        """
        if record is not None and record.is_promised and self._table.head(record.image_id) is not None:
            return record.image_id
        for image_id in self._claimants(key):
            item = self._ask.item(image_id)
            if item is None or item.state is not ItemState.QUARANTINED:
                return image_id
        return None

    def _is_shared(self, key: str) -> bool:
        record = self._ask.recorded_object(key)
        rows = {record.image_id} if record is not None and self._names(record.image_id, key) else set[str]()
        for image_id in self._claimants(key):
            rows.add(image_id)
            if len(rows) > 1:
                return True
        return False

    def _claimants(self, key: str) -> Iterator[str]:
        return (image_id for image_id in self._scratch.whom(CLAIM, key) if self._names(image_id, key))

    def _names(self, image_id: str, key: str) -> bool:
        head = self._table.head(image_id)
        return head is not None and bool(head.url_head) and self._bases.key_of(head.url_head or "") == key

    def _settle_misdirected(self, image_id: str, inventory: Inventory) -> None:
        item, head = self._ask.item(image_id), self._table.head(image_id)
        if item is None or head is None or item.state not in ON_R2_STATES:
            return
        if points_at(head.url_head, item.object_key, item.state, self._bases):
            return
        known = self._planning.known([image_id]).get(image_id)
        edited = decide(head, known, Rules(self._bases)).is_work
        detail = (
            "The app changed the row; the next plan takes it again."
            if edited
            else "image_url does not point at the image's object."
        )
        inventory.edited_count += edited
        inventory.add_problem(
            Problem(image_id=image_id, kind=ProblemKind.MISDIRECTED, key=item.object_key, detail=detail)
        )
