"""Storage statistics: one pass over the row heads, the ledger's states, one listing of the bucket."""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from z_interact_assets.core.models import ItemState
from z_interact_assets.core.records import LedgerItem
from z_interact_assets.core.stats import BucketCounts, TableCounts, stats_document
from z_interact_assets.core.times import iso_utc
from z_interact_assets.core.urls import KnownBases
from z_interact_assets.storage.ledger import Ledger
from z_interact_assets.storage.legacy import LegacyTable

if TYPE_CHECKING:
    import pandas as pd

_CHUNK_ITEMS = 10_000


def count_table(table: LegacyTable, bases: KnownBases) -> TableCounts:
    """Count the rows by class, reading no payload."""
    counts = TableCounts()
    for page in table.heads():
        for head in page:
            counts.add(head, bases)
    return counts


def collect_stats(
    table: LegacyTable, ledger: Ledger, bases: KnownBases, bucket: BucketCounts | None, *, now_ms: int
) -> dict[str, Any]:
    """Return the document of `stats --json`; `bucket` is None if it could not be listed."""
    generated_at = iso_utc(now_ms, timespec="seconds")
    return stats_document(count_table(table, bases), bucket, ledger.ask.states(), generated_at=generated_at)


def breakdown(ledger: Ledger) -> "pd.DataFrame":
    """Return images and bytes of what is on R2 by content type: columns content_type, images, bytes.

    The ledger is streamed in chunks; only their sums are held.
    """
    import pandas as pd  # noqa: PLC0415 - half a second of import that no other command needs

    items = ledger.ask.items([ItemState.PUBLISHED, ItemState.RECLAIMED, ItemState.ALREADY_IN_R2])
    sums = pd.DataFrame({"images": pd.Series(dtype="int64"), "bytes": pd.Series(dtype="int64")})
    while chunk := list(islice(_measures(items), _CHUNK_ITEMS)):
        frame = pd.DataFrame(chunk, columns=["content_type", "bytes"])
        found = frame.groupby("content_type")["bytes"].agg(images="size", bytes="sum")
        sums = sums.add(found, fill_value=0)
    sums.index.name = "content_type"
    return sums.astype("int64").sort_values("bytes", ascending=False).reset_index()


def _measures(items: Iterator[LedgerItem]) -> Iterator[tuple[str, int]]:
    return ((item.content_type or "unknown", item.size or 0) for item in items)
