"""Asking for the evidence: one pass over the rows' heads, one matching of the bucket, a sample of public URLs."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from z_interact_assets.core.errors import StorageUnavailableError
from z_interact_assets.core.findings import ProblemKind
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.planning import Rules, decide
from z_interact_assets.core.ports import ObjectStore
from z_interact_assets.inventory import take_inventory
from z_interact_assets.storage.ledger import Ledger
from z_interact_assets.storage.legacy import LegacyTable
from z_interact_assets.storage.public import PublicReader
from z_interact_assets.validate import Validation
from z_interact_assets.verdict.evidence import BucketEvidence, Evidence, PublicEvidence, TableEvidence

SAMPLE = 20
FRESH_DAYS = 7
_DAY_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnesses:
    """Whom to ask. `cache_control` is the setting; `random` draws the sample."""

    table: LegacyTable
    ledger: Ledger
    store: ObjectStore
    public: PublicReader
    rules: Rules
    clock_ms: Callable[[], int]
    random: Random
    cache_control: str | None = None


def gather(witnesses: Witnesses) -> Evidence:
    """Ask all of them; what R2 does not answer is None. Raises what table and ledger raise, and refusals of R2."""
    now = witnesses.clock_ms()
    fresh_since = now - FRESH_DAYS * _DAY_MS
    ask = witnesses.ledger.ask
    return Evidence(
        at=now,
        table=_read_table(witnesses),
        states=ask.states(),
        proofs=ask.proofs(since=fresh_since),
        fresh_since=fresh_since,
        reclaimed_without_undo=ask.reclaimed_without_undo(),
        at_work=tuple(holder for holder in witnesses.ledger.leases.holders() if holder.expires_at > now),
        bucket=_match_bucket(witnesses),
        public=_sample_public_urls(witnesses),
    )


def _read_table(witnesses: Witnesses) -> TableEvidence:
    rows = unplanned = 0
    holders: Counter[ItemState | None] = Counter()
    for page in witnesses.table.heads():
        known = witnesses.ledger.planning.known([head.id for head in page])
        for head in page:
            item = known.get(head.id)
            rows += 1
            unplanned += decide(head, item, witnesses.rules).is_work
            if head.data_bytes is not None:
                holders[item.state if item else None] += 1
    return TableEvidence(
        rows=rows, unaddressable=witnesses.table.unaddressable(), unplanned=unplanned, holders=dict(holders)
    )


def _match_bucket(witnesses: Witnesses) -> BucketEvidence | None:
    try:
        found = take_inventory(witnesses.store, witnesses.table, witnesses.ledger, witnesses.rules.bases)
    except StorageUnavailableError:
        return None
    return BucketEvidence(
        objects=found.objects,
        missing=found.count(ProblemKind.MISSING),
        corrupted=found.count(ProblemKind.CORRUPTED),
        misdirected=found.count(ProblemKind.MISDIRECTED),
        shared=found.shared_count,
    )


def _sample_public_urls(witnesses: Witnesses) -> PublicEvidence | None:
    validation = Validation(
        witnesses.table,
        witnesses.ledger,
        witnesses.store,
        witnesses.rules.bases,
        public=witnesses.public,
        clock_ms=witnesses.clock_ms,
        cache_control=witnesses.cache_control,
    )
    try:
        report = validation.run("public", inventory=None, random=witnesses.random, sample=SAMPLE)
    except StorageUnavailableError:
        return None
    return PublicEvidence(checked=report.checked, served=report.valid, silent=len(report.unreachable))
