"""What is to be proved: the images that are on R2 according to the ledger, streamed or sampled, with their objects."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random

from z_interact_assets.core.findings import ON_R2_STATES
from z_interact_assets.core.records import LedgerItem, ObjectRecord
from z_interact_assets.storage.ledger import Ledger

_GROUP_ITEMS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What the ledger says of one object; None where it says nothing."""

    key: str
    size: int | None
    md5: str | None
    sha256: str | None
    etag: str | None
    content_type: str | None
    proof: str | None

    @classmethod
    def of(cls, source: LedgerItem | ObjectRecord, key: str) -> "Claim":
        """Take the claim from an item's primary object, or from an alternate's record."""
        return cls(
            key=key, size=source.size, md5=source.md5, sha256=source.sha256, etag=source.etag,
            content_type=source.content_type, proof=source.proof,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One image with the claims about its objects, the primary one first."""

    item: LedgerItem
    claims: tuple[Claim, ...]

    @property
    def largest(self) -> int:
        """Bytes of its largest object: what reading it back holds in memory."""
        return max((claim.size or 0 for claim in self.claims), default=0)


def subjects(ledger: Ledger, *, sample: int | None, random: Random) -> Iterator[Subject]:
    """Yield the images in the order they were entered, all or a uniform sample; memory grows with the sample only."""
    items = ledger.ask.items(ON_R2_STATES)
    if sample is not None:
        items = iter(_sampled(items, sample, random))
    while group := list(islice(items, _GROUP_ITEMS)):
        alternates = ledger.ask.alternates([item.item_id for item in group])
        for item in group:
            primary = [Claim.of(item, item.object_key)] if item.object_key else []
            others = [Claim.of(record, record.key) for record in alternates.get(item.item_id, ())]
            yield Subject(item=item, claims=(*primary, *others))


def count_subjects(ledger: Ledger, *, sample: int | None) -> int:
    """Return how many images `subjects` would yield."""
    states = ledger.ask.states()
    total = sum(states.get(state, 0) for state in ON_R2_STATES)
    return total if sample is None else min(sample, total)


def _sampled(items: Iterable[LedgerItem], size: int, random: Random) -> list[LedgerItem]:
    """Draw a reservoir of `size` items, each equally likely (Vitter's algorithm R)."""
    kept: list[LedgerItem] = []
    for seen, item in enumerate(items):
        if seen < size:
            kept.append(item)
        elif (place := random.randrange(seen + 1)) < size:
            kept[place] = item
    return sorted(kept, key=lambda item: item.item_id)
