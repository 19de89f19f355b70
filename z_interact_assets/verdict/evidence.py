"""What was found out for a verdict, as values. Times are UTC milliseconds since 1970."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from z_interact_assets.core.models import ItemState
from z_interact_assets.core.records import LeaseHolder, ProofSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class TableEvidence:
    """The app's table: its rows, those with anything in image_data (by what the ledger has of them), what waits.

    `holders` counts them under the ledger's state, or None for images the ledger does not know.
    """

    rows: int
    unaddressable: int
    unplanned: int
    holders: Mapping[ItemState | None, int] = field(default_factory=dict[ItemState | None, int])


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketEvidence:
    """The bucket, matched with table and ledger over all pages."""

    objects: int
    missing: int
    corrupted: int
    misdirected: int
    shared: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicEvidence:
    """A sample of public URLs: how many were fetched, how many served their image, how many did not answer."""

    checked: int
    served: int
    silent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All of it. `bucket` or `public` is None where R2 could not be asked: unknown is not fine."""

    at: int
    table: TableEvidence
    states: Mapping[ItemState, int]
    proofs: ProofSummary
    fresh_since: int
    reclaimed_without_undo: int
    at_work: tuple[LeaseHolder, ...]
    bucket: BucketEvidence | None
    public: PublicEvidence | None
