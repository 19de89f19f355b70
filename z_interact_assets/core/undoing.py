"""How a row stands to what a migration left of it, and what takes the migration back. Pure: rows and records in.

The undo record (core.preparation.describe_text) holds each text's exact form, its size and SHA-256; form and image give
the text back. Nothing is believed that was not compared: a rebuilt text counts only if it has the recorded SHA-256.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pybase64

from z_interact_assets.core.base64_text import TextForm, rebuild_text
from z_interact_assets.core.findings import points_at
from z_interact_assets.core.keys import in_row_unit
from z_interact_assets.core.preparation import raw_text
from z_interact_assets.core.records import ObjectRecord, UndoRecord
from z_interact_assets.core.rows import LegacyRow, RowChange
from z_interact_assets.core.urls import KnownBases

_DATA, _URL, _UPDATED_AT = "image_data", "image_url", "updated_at"


class Standing(StrEnum):
    """How a row stands to its undo record."""

    AS_LEFT = "as_left"  # the migration's work: it points at its object
    RESTORED = "restored"  # what it was before the migration
    CHANGED = "changed"  # the app wrote something else


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginalText:
    """One text as the migration found it. `image_sha256` is of the image it spells; sizes in bytes.

    `form` is None where the column held the image's own bytes.
    """

    form: TextForm | None
    text_bytes: int
    text_sha256: str
    image_sha256: str

    @property
    def needs_image(self) -> bool:
        """Tell whether the text can only be had from its image; a literal form holds all of it."""
        return self.form is None or self.form.literal is None

    def is_held_by(self, value: Any) -> bool:
        """Tell whether a stored value is this text, to the byte and to the type."""
        if value is None or isinstance(value, bytes) is not (self.form is None or self.form.as_bytes):
            return False
        raw = raw_text(value)
        return len(raw) == self.text_bytes and hashlib.sha256(raw).hexdigest() == self.text_sha256

    def rebuilt(self, image: bytes) -> str | bytes | None:
        """Return the text, or None if image and form do not give it back exactly."""
        try:
            text = image if self.form is None else rebuild_text(image, self.form)
        except ValueError:  # a damaged literal form
            return None
        return text if self.is_held_by(text) else None


def original_texts(record: UndoRecord) -> dict[str, OriginalText]:
    """Return the texts the migration made superfluous, by column; none for a row that was on R2 before us."""
    return {column: _original(entry) for column, entry in record.originals.items()}


def objects_of_texts(record: UndoRecord) -> tuple[ObjectRecord, ...]:
    """Return the objects the texts can be rebuilt from, the primary first.

    The ledger may have others of the image: second images of what its row held before the app changed it.
    """
    needed = {text.image_sha256 for text in original_texts(record).values()}
    return tuple(stored for stored in record.objects if stored.sha256 in needed)


def standing(row: LegacyRow, record: UndoRecord, bases: KnownBases) -> Standing:
    """Tell how the row stands. It is as we left it while it points at its object, whatever base it says it under.

    A text that is gone from image_data while the URL is ours is our own reclaim, perhaps one the ledger was not told
    of. Where the ledger knows the fingerprint of what we left, nothing else may have changed.
    """
    texts = original_texts(record)
    if _is_restored(row, record, texts, bases):
        return Standing.RESTORED
    url = row.get(_URL)
    if not isinstance(url, str) or not points_at(url, record.object_key, record.state, bases):
        return Standing.CHANGED
    data = texts.get(_DATA)
    if data is not None:
        known = row.get(_DATA) is None or data.is_held_by(row.get(_DATA))
    else:
        known = record.fingerprint is None or record.fingerprint == row.head().fingerprint
    return Standing.AS_LEFT if known else Standing.CHANGED


def texts_to_rebuild(row: LegacyRow, record: UndoRecord) -> dict[str, OriginalText]:
    """Return the texts the row does not hold any more, by column."""
    return {
        column: text for column, text in original_texts(record).items()
        if column in row.values and not text.is_held_by(row.get(column))
    }  # fmt: skip


def restoration(row: LegacyRow, record: UndoRecord, rebuilt: Mapping[str, str | bytes], *, now_ms: int) -> RowChange:
    """Return the compare-and-swap that takes the migration back.

    Of the columns beside the texts those are set back that still hold what the switch wrote; `updated_at` becomes the
    present time in the row's unit, since galleries poll it.
    """
    values: dict[str, Any] = dict(rebuilt)
    for column, before in record.before.items():
        if column != _UPDATED_AT and column in row.values and _is_ours(column, row, record):
            values[column] = _stored(before)
    values = {column: value for column, value in values.items() if not _same(row.get(column), value)}
    as_read = {column: row.get(column) for column in (_DATA, _URL, *values) if column in row.values}
    rising: tuple[str, ...] = ()
    if _URL in values and _UPDATED_AT in row.values:
        values[_UPDATED_AT] = in_row_unit(now_ms, row.get("created_at"))
        rising = (_UPDATED_AT,)
    return RowChange(id=row.id, values=values, as_read=as_read, rising=rising)


def is_restored_by(change: RowChange, row: LegacyRow) -> bool:
    """Tell whether a row that was read back holds what the change wrote, but for what the app may touch by the way."""
    return all(_same(row.get(column), value) for column, value in change.values.items() if column in (_DATA, _URL))


def _original(entry: Mapping[str, Any]) -> OriginalText:
    form = entry["form"]
    return OriginalText(
        form=None if form.get("raw") else TextForm.from_json(form),
        text_bytes=entry["text_bytes"], text_sha256=entry["text_sha256"], image_sha256=entry["sha256"],
    )  # fmt: skip


def _is_restored(row: LegacyRow, record: UndoRecord, texts: Mapping[str, OriginalText], bases: KnownBases) -> bool:
    if not all(text.is_held_by(row.get(column)) for column, text in texts.items()):
        return False
    # One that pointed at R2 before us keeps its URL: only the columns we filled in tell.
    url = record.before.get(_URL)
    pointed = isinstance(url, str) and bases.key_of(url) == record.object_key
    columns = record.before.keys() - {_UPDATED_AT} if pointed else record.before.keys() & {_URL}
    return all(_same(row.get(column), _stored(record.before[column])) for column in columns if column in row.values)


def _is_ours(column: str, row: LegacyRow, record: UndoRecord) -> bool:
    written = {"r2_key": record.object_key, "migration_status": "completed"}
    return column not in written or row.get(column) == written[column]


def _stored(value: Any) -> Any:
    """Return what `before` keeps of a column as the database held it (see core.preparation)."""
    if isinstance(value, Mapping):
        return pybase64.b64decode(value["bytes"]) if "bytes" in value else value["text"]
    return value


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other
