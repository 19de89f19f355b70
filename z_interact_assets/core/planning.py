"""Which rows are work, and in which batches. Decided from row heads alone: no payload is read to plan."""

from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from z_interact_assets.core.errors import PermanentError
from z_interact_assets.core.models import PENDING_STATES, ItemState
from z_interact_assets.core.reasons import Reason
from z_interact_assets.core.records import KnownItem
from z_interact_assets.core.rows import RowHead
from z_interact_assets.core.urls import KnownBases, UrlKind, classify_url

# Dagster writes two events a partition, about 20 ms in all: past these numbers the bookkeeping is what one waits for.
WARN_BATCHES = 5_000
MAX_BATCHES = 50_000
COMFORTABLE_BATCHES = 2_000

ASKED_FOR = "asked for by the operator"  # why an image is planned again, where its row is as it was

# The app writes these before it has an image; such rows are nobody's problem.
_UNFINISHED = frozenset({"failed", "generating"})


class HeadKind(StrEnum):
    """What a row is, as far as its head tells."""

    EMBEDDED = "embedded"  # image_data is set
    DATA_URL = "data_url"  # the image is in image_url
    ON_R2 = "on_r2"
    LOCAL = "local"
    EXTERNAL = "external"
    IMAGELESS = "imageless"
    UNFINISHED = "unfinished"
    UNRECOGNISED = "unrecognised"


# What the ledger remembers of rows that are not batched.
ASIDE_STATES = {
    HeadKind.LOCAL: ItemState.LOCAL_ONLY,
    HeadKind.EXTERNAL: ItemState.EXTERNAL,
    HeadKind.IMAGELESS: ItemState.IMAGELESS,
}


class TooManyBatchesError(PermanentError):
    """MIGRATION_BATCH_SIZE is too small for this many rows. `batch_size` would do."""

    def __init__(self, batches: int, batch_size: int) -> None:
        self.batches = batches
        self.batch_size = batch_size
        super().__init__(
            f"Planning would make {batches:,} batches; at most {MAX_BATCHES:,} partitions are manageable.",
            remedy=f"Set MIGRATION_BATCH_SIZE={batch_size} (or --batch-size {batch_size}).",
        )


@dataclass(frozen=True, slots=True)
class Rules:
    """What planning depends on besides the rows: the known R2 bases, and whether a static folder is configured."""

    bases: KnownBases
    static_files: bool = False


def classify_head(head: RowHead, bases: KnownBases) -> HeadKind:
    """Tell what a row is. A column that holds its own name (a faulty rebuild) counts as an empty one."""
    if head.data_bytes is not None and not (head.data_bytes == 0 and head.url_bytes):
        return HeadKind.EMBEDDED
    url = None if head.url_head == "image_url" else head.url_head
    kind = _KINDS[classify_url(url, bases)]
    if kind is HeadKind.IMAGELESS and (head.status or "").strip().lower() in _UNFINISHED:
        return HeadKind.UNFINISHED
    return kind


_KINDS = {
    UrlKind.DATA: HeadKind.DATA_URL,
    UrlKind.R2: HeadKind.ON_R2,
    UrlKind.LOCAL: HeadKind.LOCAL,
    UrlKind.HTTP: HeadKind.EXTERNAL,
    UrlKind.EMPTY: HeadKind.IMAGELESS,
    UrlKind.UNRECOGNISED: HeadKind.UNRECOGNISED,
}


def needs_batch(kind: HeadKind, rules: Rules) -> bool:
    """Tell whether a run has something to do for such a row: read it, ask R2 about it, or say why it cannot."""
    if kind is HeadKind.LOCAL:
        return rules.static_files
    return kind in (HeadKind.EMBEDDED, HeadKind.DATA_URL, HeadKind.ON_R2, HeadKind.UNRECOGNISED)


class Decision(StrEnum):
    """What planning does with one row."""

    LEAVE = "leave"
    BATCH = "batch"  # enter it into a new batch
    PLAN_AGAIN = "plan_again"  # it has a batch; do it again there
    SET_ASIDE = "set_aside"
    FORGET = "forget"  # not in the ledger, and nothing to remember

    @property
    def is_work(self) -> bool:
        """Tell whether a run will have to do something."""
        return self in (Decision.BATCH, Decision.PLAN_AGAIN)


# A run that names such an image asks for another try of it; what stood in its way may lie outside the row.
# A rolled-back one stays as it is until somebody asks for it, or the app writes another image into its row.
RETRIED_WHEN_NAMED = frozenset({
    ItemState.QUARANTINED, ItemState.CONFLICT, ItemState.LOCAL_ONLY, ItemState.ROLLED_BACK,
})  # fmt: skip


def decide(head: RowHead, known: KnownItem | None, rules: Rules, kind: HeadKind | None = None) -> Decision:
    """Decide about one row from its head (of this `kind`, if it is known) and what the ledger knows of it."""
    if known is not None:
        if known.state in PENDING_STATES:  # a run has it in hand, or will have
            return Decision.LEAVE
        if known.fingerprint == head.fingerprint and not _static_folder_is_new(known, rules):
            return Decision.LEAVE
    kind = kind or classify_head(head, rules.bases)
    if needs_batch(kind, rules):
        return Decision.PLAN_AGAIN if known is not None and known.batch_key else Decision.BATCH
    return Decision.SET_ASIDE if kind in ASIDE_STATES else Decision.FORGET


def _static_folder_is_new(known: KnownItem, rules: Rules) -> bool:
    # One with a batch was looked for in the folder already, and not found.
    return known.state is ItemState.LOCAL_ONLY and rules.static_files and known.batch_key is None


def aside_reason(kind: HeadKind) -> Reason | None:
    """Return the reason to record for a row that is set aside without a batch."""
    return Reason.COMPLETED_WITHOUT_IMAGE if kind is HeadKind.IMAGELESS else None


def batch_key(number: int) -> str:
    """Return the key of the batch with this number: `b000001` is the first."""
    return f"b{number:06d}"


def batch_count(rows: int, batch_size: int) -> int:
    """Return how many batches hold this many rows."""
    return ceil(rows / batch_size)


def advised_batch_size(rows: int) -> int:
    """Return the MIGRATION_BATCH_SIZE that makes about COMFORTABLE_BATCHES of these rows."""
    return max(1, ceil(rows / COMFORTABLE_BATCHES))
