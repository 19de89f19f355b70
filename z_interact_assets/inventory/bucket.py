"""The bucket against the ledger, as a merge of two ordered streams; only keys the ledger does not know are held."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from z_interact_assets.core.keys import IMAGE_PREFIX
from z_interact_assets.core.models import ObjectSummary
from z_interact_assets.core.ports import ObjectReader
from z_interact_assets.core.stats import BucketCounts
from z_interact_assets.core.urls import KnownBases
from z_interact_assets.storage.ledger import Ledger
from z_interact_assets.storage.legacy import LegacyTable

MAX_LISTED_KEYS = 1_000


@dataclass(slots=True)
class Inventory:
    """What a whole listing of `images/` found; sizes in bytes.

    `known` objects are in the ledger or in a row of the table; `orphans` in neither; `missing` ones the ledger answers
    for but the bucket does not have, although their row is still there. Counts are whole, the key lists hold at most
    MAX_LISTED_KEYS.
    """

    objects: int = 0
    bytes: int = 0
    orphan_count: int = 0
    missing_count: int = 0
    orphans: list[str] = field(default_factory=list[str])
    missing: list[str] = field(default_factory=list[str])

    @property
    def known(self) -> int:
        """How many objects somebody answers for."""
        return self.objects - self.orphan_count

    def counts(self) -> BucketCounts:
        """Return the numbers alone."""
        return BucketCounts(
            objects=self.objects, bytes=self.bytes, known=self.known, orphans=self.orphan_count,
            missing=self.missing_count,
        )  # fmt: skip


def take_inventory(store: ObjectReader, table: LegacyTable, ledger: Ledger, bases: KnownBases) -> Inventory:
    """List every page and match. A page that cannot be listed raises: unknown is not empty."""
    inventory = Inventory()
    strangers: list[str] = []
    for key, listed in _merge(store.list(IMAGE_PREFIX), ledger.ask.object_keys()):
        if listed is None:
            owner = ledger.ask.owner(key)
            if owner is not None and table.head(owner) is None:
                continue  # the app deletes a row's object with the row: nobody misses it
            inventory.missing_count += 1
            if len(inventory.missing) < MAX_LISTED_KEYS:
                inventory.missing.append(key)
            continue
        inventory.objects += 1
        inventory.bytes += listed.size
        if not listed.in_ledger:
            strangers.append(key)
    orphans = _without_a_row(strangers, table, bases)
    # Uploads of a run beside us may have entered the ledger since it was read.
    orphans = [key for key in orphans if not ledger.ask.has_object(key)]
    inventory.orphan_count = len(orphans)
    inventory.orphans = orphans[:MAX_LISTED_KEYS]
    return inventory


@dataclass(frozen=True, slots=True)
class _Listed:
    size: int
    in_ledger: bool


def _merge(listing: Iterator[ObjectSummary], known: Iterator[tuple[str, int]]) -> Iterator[tuple[str, _Listed | None]]:
    """Yield each key of either side once; None for one that is not listed. Both sides come in UTF-8 byte order."""
    known_key = next(known, (None, 0))[0]
    for entry in listing:
        while known_key is not None and known_key.encode() < entry.key.encode():
            yield known_key, None
            known_key = next(known, (None, 0))[0]
        in_ledger = known_key == entry.key
        if in_ledger:
            known_key = next(known, (None, 0))[0]
        yield entry.key, _Listed(size=entry.size, in_ledger=in_ledger)
    while known_key is not None:
        yield known_key, None
        known_key = next(known, (None, 0))[0]


def _without_a_row(keys: list[str], table: LegacyTable, bases: KnownBases) -> list[str]:
    """Return those keys no row of the table points at. The table is only read if there are any."""
    if not keys:
        return []
    candidates = dict.fromkeys(keys)
    for page in table.heads():
        for head in page:
            if head.url_head and (key := bases.key_of(head.url_head)) is not None:
                candidates.pop(key, None)
    return list(candidates)
