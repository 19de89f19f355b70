"""The bucket against ledger and rows: three streams in the order of their keys, merged. What looks wrong is a suspect.

Nothing is decided here: a run may be at work beside us, so each suspect is asked about again (see `confirming`).
"""

from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any

from z_interact_assets.core.findings import RecordedObject
from z_interact_assets.core.keys import IMAGE_PREFIX
from z_interact_assets.core.models import ObjectSummary
from z_interact_assets.inventory.claims import CLAIM, SeenItems
from z_interact_assets.inventory.inventory import Inventory
from z_interact_assets.storage.scratch import Scratch

ORPHAN = "orphan"
MISSING = "missing"
CORRUPTED = "corrupted"
SHARED = "shared"

_LISTED, _RECORDED, _CLAIMED = range(3)


def match(
    listing: Iterable[ObjectSummary],
    recorded: Iterable[RecordedObject],
    seen: SeenItems,
    scratch: Scratch,
    inventory: Inventory,
) -> None:
    """Count what is listed and note the suspects. All streams come in UTF-8 byte order of their keys."""
    merged = merge(
        ((entry.key.encode(), _LISTED, entry) for entry in listing),
        ((entry.key.encode(), _RECORDED, entry) for entry in recorded),
        ((key.encode(), _CLAIMED, row) for key, row in scratch.notes(CLAIM)),
        key=itemgetter(0),
    )
    for key, entries in groupby(merged, key=itemgetter(0)):
        listed, record, claims = _sides(entries)
        if listed is not None:
            inventory.objects += 1
            inventory.bytes += listed.size
        for topic in _suspicions(listed, record, claims, seen):
            # Beyond `images/` nothing was listed: what is not there is for a validation to find.
            if topic is not MISSING or key.startswith(IMAGE_PREFIX.encode()):
                scratch.note(topic, key.decode())


def _sides(entries: Iterator[tuple[bytes, int, Any]]) -> tuple[ObjectSummary | None, RecordedObject | None, list[str]]:
    listed: ObjectSummary | None = None
    record: RecordedObject | None = None
    claims: list[str] = []
    for _, side, entry in entries:
        if side == _LISTED:
            listed = entry
        elif side == _RECORDED:
            record = entry
        elif len(claims) < 2:  # noqa: PLR2004 - two make it shared; a placeholder may be named by every row
            claims.append(entry)
    return listed, record, claims


def _suspicions(
    listed: ObjectSummary | None, record: RecordedObject | None, claims: list[str], seen: SeenItems
) -> Iterator[str]:
    owned = record is not None and record.item_id in seen
    if claims and (len(claims) > 1 or (owned and record is not None and record.image_id not in claims)):
        yield SHARED
    needed = bool(claims) or (owned and record is not None and record.is_promised)
    if listed is None:
        if needed:
            yield MISSING
    elif not (claims or (owned and record is not None and record.in_use)):
        yield ORPHAN
    elif needed and record is not None and record.difference(listed.size, listed.etag):
        yield CORRUPTED
