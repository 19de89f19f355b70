"""One pass over the heads of the table's rows: which rows are there, and which of them need a second look.

No payload is read. A row that points at its own object, as the ledger says, leaves one byte behind; all others go into
the scratch file.
"""

from z_interact_assets.core.findings import ON_R2_STATES, Placement, points_at
from z_interact_assets.core.rows import RowHead
from z_interact_assets.core.urls import KnownBases
from z_interact_assets.storage.ledger import Ledger
from z_interact_assets.storage.legacy import LegacyTable
from z_interact_assets.storage.scratch import Scratch

CLAIM = "claim"  # (key, row): a row names an object that is not, or not only, its own
MISDIRECTED = "misdirected"  # (row): the ledger has it on R2, it does not point at its object


class SeenItems:
    """Which items of the ledger still have their row: a byte each, by item id."""

    def __init__(self) -> None:
        self._seen = bytearray()

    def __contains__(self, item_id: int) -> bool:
        return item_id < len(self._seen) and bool(self._seen[item_id])

    def add(self, item_id: int) -> None:
        """Note that its row is there."""
        if item_id >= len(self._seen):
            self._seen.extend(bytes(item_id + 1 - len(self._seen) + len(self._seen) // 8))
        self._seen[item_id] = 1


def read_claims(table: LegacyTable, ledger: Ledger, bases: KnownBases, scratch: Scratch) -> SeenItems:
    """Compare every row with what the ledger has of it, one question to the ledger a page."""
    seen = SeenItems()
    for page in table.heads():
        placements = ledger.ask.placements([head.id for head in page])
        for head in page:
            placement = placements.get(head.id)
            if placement is not None:
                seen.add(placement.item_id)
            _compare(head, placement, bases, scratch)
    return seen


def _compare(head: RowHead, placement: Placement | None, bases: KnownBases, scratch: Scratch) -> None:
    key = bases.key_of(head.url_head) if head.url_head else None
    if key is not None and (placement is None or not placement.is_regular(key)):
        scratch.note(CLAIM, key, head.id)
    if placement is None or placement.state not in ON_R2_STATES:
        return
    if not points_at(head.url_head, placement.object_key, placement.state, bases):
        scratch.note(MISDIRECTED, head.id)
