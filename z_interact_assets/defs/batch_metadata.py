"""What a batch shows of itself in the UI: numbers to plot, its images as a table, one of them to look at."""

from collections.abc import Iterable, Sequence

import dagster as dg

from z_interact_assets.core.errors import InvalidKeyError
from z_interact_assets.core.findings import ON_R2_STATES
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.ports import ObjectStore
from z_interact_assets.core.records import BatchSummary, LedgerItem
from z_interact_assets.core.showing import shortened
from z_interact_assets.defs import data_versions
from z_interact_assets.defs.metadata import number_column, numbers, table, text_column

TROUBLE = frozenset({ItemState.QUARANTINED, ItemState.CONFLICT, ItemState.FAILED})

_COLUMNS = [
    text_column("state", "What became of the image; those in trouble come first"),
    text_column("image_id", "The row's id"),
    number_column("bytes", "Size of the object"),
    text_column("dimensions", "Pixels, width x height"),
    text_column("object", "Where the image is served; the object's key where it is not"),
    text_column("reason", "Why it was set aside, if it was"),
]


def batch_metadata(
    summary: BatchSummary, items: Sequence[LedgerItem], store: ObjectStore
) -> dict[str, dg.MetadataValue]:
    """Describe the batch: numbers the UI plots, its images with those in trouble first, one of them to look at."""
    ordered = sorted(items, key=lambda item: item.state not in TROUBLE)
    return {
        **numbers({"dagster/row_count": summary.items, "bytes": summary.bytes}),
        **numbers({f"images_{state.value}": count for state, count in sorted(summary.states.items())}),
        "images": table(_COLUMNS, (_record(item, store) for item in ordered)),
        **_picture(url for item in items if (url := _public_url(item, store))),
    }


def batch_tags(items: Sequence[LedgerItem], *, run_id: str) -> dict[str, str]:
    """Return the provenance of the batch, so that the UI calls it out of date when it is and at no other time."""
    return data_versions.materialized(
        data_versions.batch_version(items), run_id=run_id, inputs={"migration_batches": (data_versions.BATCHES, None)}
    )


def _record(item: LedgerItem, store: ObjectStore) -> tuple[str | int, ...]:
    return (
        item.state.value,
        shortened(item.image_id),
        item.size or 0,
        f"{item.width}x{item.height}" if item.width and item.height else "",
        _public_url(item, store) or shortened(item.object_key or "", 200),
        item.reason.sentence if item.reason else "",
    )


def _public_url(item: LedgerItem, store: ObjectStore) -> str | None:
    """Return where the image is served; None for one that is not, or whose key somebody else made."""
    if item.object_key is None or item.state not in ON_R2_STATES:
        return None
    try:
        return store.public_url(item.object_key)
    except InvalidKeyError:
        return None


def _picture(urls: Iterable[str]) -> dict[str, dg.MetadataValue]:
    """Return one image to look at, and its URL; the reader's browser fetches it.

    One: the UI shows Markdown of up to 1,000 characters at once, and each picture of it in its full size.
    """
    url = next(iter(urls), None)
    if url is None:
        return {}
    return {"example_url": dg.MetadataValue.url(url), "example": dg.MetadataValue.md(f"![example]({_escaped(url)})")}


def _escaped(url: str) -> str:
    """Return a URL that ends no link of Markdown's: a public base may hold what a key may not."""
    return "".join(f"%{ord(character):02X}" if character in '()<>[]\\|"` ' else character for character in url)
