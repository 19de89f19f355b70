"""Rows of the app's `images` table as values. What a row means is decided in core.planning and core.preparation.

Facts about the table (shapes, units, faulty rebuilds) come from the app's own history: any column but `id` and
`image_url` may be absent, and a faulty rebuild left rows whose values are the names of their columns.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

# Enough of image_url to tell what it is and to compare a whole public URL (key <= 1,024 bytes); never a payload.
URL_HEAD_BYTES = 2048

# Every column the app's migrations ever made. Others are reported as unknown and never touched.
KNOWN_COLUMNS = frozenset({
    "id", "session_id", "participant_id", "persona_id", "persona_title", "table_id", "image_url", "image_data",
    "image_mime_type", "prompt", "provider", "status", "r2_key", "migration_status", "migrated_at", "created_at",
    "updated_at", "r2_uploaded_at", "migration_attempted_at", "migration_completed_at", "original_size_bytes",
    "r2_size_bytes", "size", "quality",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TableShape:
    """The columns a table has, in its own order, and the types it declares for them."""

    table: str
    columns: tuple[str, ...]
    types: tuple[str, ...] = ()

    def has(self, column: str) -> bool:
        """Tell whether the table has the column."""
        return column in self.columns

    @property
    def unknown_columns(self) -> tuple[str, ...]:
        """Columns none of the app's migrations ever made."""
        return tuple(name for name in self.columns if name not in KNOWN_COLUMNS)


@dataclass(slots=True, kw_only=True)
class RowHead:
    """What can be known of a row without reading a payload. Not frozen: that is made eight times as fast.

    `data_bytes` and `url_bytes` are octets as stored, None where the column is NULL or absent; `url_head` is the
    first URL_HEAD_BYTES of image_url. `status` is filled only where the row holds neither.
    """

    id: str
    data_bytes: int | None
    url_bytes: int | None
    url_head: str | None
    status: str | None = None

    @property
    def text_bytes(self) -> int:
        """Octets of both texts."""
        return (self.data_bytes or 0) + (self.url_bytes or 0)

    @property
    def fingerprint(self) -> str:
        """32 hex digits that change when the app changes the row's image or its URL (sizes stand for payloads)."""
        text = f"{self.data_bytes}\n{self.url_bytes}\n{self.url_head}"
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyRow:
    """One whole row, payload included. `values` holds the columns that are there, as the database gave them."""

    id: str
    values: Mapping[str, Any] = field(repr=False)

    def get(self, column: str) -> Any:
        """Return the stored value, None where the column is NULL or absent."""
        return self.values.get(column)

    def text(self, column: str) -> str | None:
        """Return the value as text; None for NULL, for an empty text and for a column's own name (a faulty rebuild)."""
        value = self.values.get(column)
        if value is None or value in ("", column):
            return None
        if isinstance(value, bytes | memoryview):
            return bytes(value).decode("utf-8", "replace")
        return str(value)

    def head(self) -> RowHead:
        """Return the head this row has in the table."""
        url = self.values.get("image_url")
        return RowHead(
            id=self.id,
            data_bytes=octets(self.values.get("image_data")),
            url_bytes=octets(url),
            url_head=None if url is None else head_text(url),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeltText:
    """A stored text that is not held: `spell` makes it again, exactly. `octets` is its size as stored."""

    octets: int
    head: str = field(repr=False)
    spell: Callable[[], str | bytes] = field(repr=False)


def spelt(value: Any) -> Any:
    """Return a stored value itself, spelling it if it is not held."""
    return value.spell() if isinstance(value, SpeltText) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """A compare-and-swap of one row: `values` are written only while the row still holds what was read.

    Columns in `rising` are never set lower than they are: the app may have set its own time since the row was read.
    A text of `as_read` may be a SpeltText.
    """

    id: str
    values: Mapping[str, Any]
    as_read: Mapping[str, Any] = field(repr=False)
    rising: tuple[str, ...] = ()

    @property
    def weight(self) -> int:
        """Octets a database has to compare and rewrite, for bounding a transaction."""
        return sum(octets(value) or 0 for value in self.as_read.values())


def octets(value: Any) -> int | None:
    """Return a stored value's size in bytes (UTF-8 for text), None for NULL."""
    if value is None:
        return None
    if isinstance(value, bytes | memoryview):
        return len(value)
    if isinstance(value, SpeltText):
        return value.octets
    text = str(value)
    return len(text) if text.isascii() else len(stored_bytes(text))


def stored_bytes(text: str) -> bytes:
    """Return the bytes of a text as the database holds them; what is no UTF-8 there comes as surrogate escapes."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a lone surrogate of another origin
        return text.encode("utf-8", "surrogatepass")


def head_text(value: Any) -> str:
    """Return the start of a stored image_url, as RowHead carries it: at most URL_HEAD_BYTES of UTF-8.

    A data: URL is cut at its comma, so that its payload never travels with the head.
    """
    if isinstance(value, SpeltText):
        return value.head
    if isinstance(value, bytes | memoryview):
        start = bytes(value[:URL_HEAD_BYTES])
    else:
        start = stored_bytes(str(value)[:URL_HEAD_BYTES])[:URL_HEAD_BYTES]
    text = start.decode("utf-8", "replace")
    if text.startswith(("http", "/")):  # nearly all
        return text
    if text[:16].lstrip()[:5].lower() == "data:":
        return text[:64].partition(",")[0]
    return text
