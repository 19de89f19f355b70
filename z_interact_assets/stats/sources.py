"""What statistics are made from: the table, the ledger, and the terms by which they are judged."""

from dataclasses import dataclass, field

from z_interact_assets.core.costs import Prices
from z_interact_assets.core.urls import KnownBases
from z_interact_assets.storage.ledger import Ledger
from z_interact_assets.storage.legacy import LegacyTable

D1_LIMIT_BYTES = 10_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is judged by.

    `soak_ms` is how long base64 is kept after its row was switched, `limit_bytes` when the database is full (None:
    never), `reads_a_month` the reads of the bucket (None: unknown).
    """

    prices: Prices = field(default_factory=Prices)
    soak_ms: int = 7 * 24 * 60 * 60 * 1000
    limit_bytes: int | None = D1_LIMIT_BYTES
    reads_a_month: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Everything that is read, apart from the bucket, whose numbers come from an inventory."""

    table: LegacyTable
    ledger: Ledger
    bases: KnownBases
    terms: Terms = field(default_factory=Terms)
