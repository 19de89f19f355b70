"""What a batch shows of itself in the UI: numbers to plot, its images as a table, some of them to look at."""

from collections.abc import Sequence

import dagster as dg

from z_interact_assets.core.models import ItemState
from z_interact_assets.core.ports import ObjectStore
from z_interact_assets.core.records import BatchSummary, LedgerItem
from z_interact_assets.core.showing import shortened

MAX_TABLE_ROWS = 50  # of a batch's images in the UI

TROUBLE = frozenset({ItemState.QUARANTINED, ItemState.CONFLICT, ItemState.FAILED})
_SHOWN = frozenset({ItemState.PUBLISHED, ItemState.ALREADY_IN_R2})


def batch_metadata(
    summary: BatchSummary, items: Sequence[LedgerItem], store: ObjectStore
) -> dict[str, dg.MetadataValue]:
    """Describe the batch: numbers the UI plots, its images with those in trouble first, one of them to look at."""
    states = {f"images_{state.value}": dg.MetadataValue.int(count) for state, count in sorted(summary.states.items())}
    ordered = sorted(items, key=lambda item: item.state not in TROUBLE)
    return {
        "dagster/row_count": dg.MetadataValue.int(summary.items),
        "bytes": dg.MetadataValue.int(summary.bytes),
        **states,
        "images": dg.MetadataValue.table(records=[_record(item) for item in ordered[:MAX_TABLE_ROWS]], schema=_SCHEMA),
        **_example(items, store),
    }


def _example(items: Sequence[LedgerItem], store: ObjectStore) -> dict[str, dg.MetadataValue]:
    """Return a link to one of the batch's images, and the image itself as the reader's browser fetches it."""
    key = next((item.object_key for item in items if item.object_key and item.state in _SHOWN), None)
    if key is None:
        return {}
    url = store.public_url(key)
    return {"example_url": dg.MetadataValue.url(url), "example": dg.MetadataValue.md(f"![{key}]({url})")}


_SCHEMA = dg.TableSchema(
    columns=[
        dg.TableColumn("state"),
        dg.TableColumn("reason", description="Why it was set aside, if it was"),
        dg.TableColumn("bytes", type="int", description="Size of the object"),
        dg.TableColumn("object_key"),
        dg.TableColumn("image_id", description="The row's id"),
    ]
)


def _record(item: LedgerItem) -> dg.TableRecord:
    return dg.TableRecord(
        {
            "state": item.state.value,
            "reason": item.reason.sentence if item.reason else "",
            "bytes": item.size or 0,
            "object_key": item.object_key or "",
            "image_id": shortened(item.image_id),
        }
    )
