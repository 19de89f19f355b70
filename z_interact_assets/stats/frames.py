"""The per-image frame: rows of the table joined with what the ledger has of them, page by page. No payload is read.

A page of heads, one of attributes and one of the ledger's facts are joined by id, since the app and a run may write
between them: a row is what its head said, and what is gone by the time of the second question is null.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from z_interact_assets.core.rows import URL_HEAD_BYTES, RowHead
from z_interact_assets.core.stats import RowClass, row_class
from z_interact_assets.core.urls import KnownBases, UrlKind, classify_url, without_access
from z_interact_assets.stats.columns import Column, image_columns
from z_interact_assets.stats.sources import Sources
from z_interact_assets.storage.ledger.figures import ImageFacts
from z_interact_assets.storage.legacy.attributes import RowAttributes

if TYPE_CHECKING:
    import pandas as pd

FRAME_ROWS = 20_000
_FRAME_TEXT = 32_000_000  # characters of the longest texts: hostile ids and prompts make smaller frames
_UNKNOWN_ROW = RowAttributes()
_UNKNOWN_IMAGE = ImageFacts(*[None] * len(ImageFacts._fields))  # pyright: ignore[reportArgumentType] - nothing is known


def image_frames(sources: Sources, *, prompts: bool = False) -> Iterator["pd.DataFrame"]:
    """Yield all rows as frames with IMAGE_COLUMNS, in order of id."""
    columns = image_columns(prompts=prompts)
    rows: list[tuple[Any, ...]] = []
    weight = 0
    for page in sources.table.heads():
        attributes = sources.table.attributes.of(page, prompts=prompts)
        facts = sources.ledger.figures.facts([head.id for head in page])
        for head in page:
            row = attributes.get(head.id, _UNKNOWN_ROW)
            rows.append(_row(head, row, facts.get(head.id, _UNKNOWN_IMAGE), sources.bases, prompts=prompts))
            weight += len(head.id) + len(row.prompt or "") + len(row.session_id or "") + len(head.url_head or "")
        if len(rows) >= FRAME_ROWS or weight >= _FRAME_TEXT:
            yield _frame(rows, columns)
            rows, weight = [], 0
    if rows:
        yield _frame(rows, columns)


def _row(head: RowHead, row: RowAttributes, facts: ImageFacts, bases: KnownBases, *, prompts: bool) -> tuple[Any, ...]:
    """Return one row's values in the order of the columns."""
    found = row_class(head, bases)
    return (
        head.id, row.session_id, row.persona_id, row.participant_id, row.provider, *([row.prompt] if prompts else ()),
        found.name, facts.state, facts.reason, facts.batch_key, facts.object_key, _url(head, found, bases),
        facts.content_type, facts.format, facts.size, _estimated_bytes(head, found), found.base64_bytes,
        facts.width, facts.height, facts.sha256, facts.md5, facts.proof, row.created_at, facts.planned_at,
        facts.stored_at, facts.published_at, facts.reclaimed_at, facts.updated_at,
    )  # fmt: skip


def _url(head: RowHead, found: RowClass, bases: KnownBases) -> str | None:
    url = head.url_head
    if not url or (head.url_bytes or 0) > URL_HEAD_BYTES:
        return None
    if found.name in ("r2", "mixed"):
        return without_access(url.strip()) if "?" in url else url.strip()
    return without_access(url.strip()) if classify_url(url, bases) is UrlKind.HTTP else None


def _estimated_bytes(head: RowHead, found: RowClass) -> int | None:
    """Return three bytes for four characters; of a data: URL without what comes before its payload."""
    if not found.base64_bytes:
        return None
    text = found.base64_bytes
    if head.data_bytes is None or not head.data_bytes:
        text -= len((head.url_head or "").encode()) + 1
    return max(0, text) * 3 // 4


def _frame(rows: Sequence[tuple[Any, ...]], columns: Sequence[Column]) -> "pd.DataFrame":
    import pandas as pd  # noqa: PLC0415 - half a second of import that no other command needs
    import pyarrow as pa  # noqa: PLC0415

    arrays = {}
    for column, values in zip(columns, zip(*rows, strict=True), strict=True):
        array = pa.array(values, type=column.arrow_type)
        if column.categorical:
            arrays[column.name] = array.dictionary_encode().to_pandas()
        else:
            arrays[column.name] = pd.Series(pd.arrays.ArrowExtensionArray(array)).astype(column.dtype)
    return pd.DataFrame(arrays)
