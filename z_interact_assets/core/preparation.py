"""One row → what migrating it means: the image, its key and metadata, the undo record; or why it is set aside.

This is the whole specification of the row states (the app's history made them), as a pure function: the dry run, the
plan and the migration all call it, so that the one foretells what the other does.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import pybase64

from z_interact_assets.core import keys
from z_interact_assets.core.base64_text import DecodedText, TextForm, decode_text, rebuild_text
from z_interact_assets.core.errors import ImageRejectedError
from z_interact_assets.core.images import prove_image, sniff
from z_interact_assets.core.images.digests import md5_of, sha256_of
from z_interact_assets.core.models import Digests, ImageLimits, ImageMetadata, ImageProof, ItemState
from z_interact_assets.core.planning import ASIDE_STATES, HeadKind, aside_reason, classify_head
from z_interact_assets.core.reasons import Reason
from z_interact_assets.core.rows import LegacyRow, RowHead, SpeltText, head_text, octets
from z_interact_assets.core.times import iso_utc
from z_interact_assets.core.urls import KnownBases, without_access

# Columns the switch writes besides image_url; their values before it go into the undo record.
SWITCHED_COLUMNS = ("image_url", "r2_key", "migration_status", "migrated_at", "updated_at")

# Base64 of n bytes takes 4/3 n; line breaks and a data: head may add 10 % before a payload counts as too large.
_TEXT_PER_BYTE = 4 / 3 * 1.1


@dataclass(frozen=True, kw_only=True)
class PreparedImage:
    """An image ready to be stored: proved bytes, their hash, key, metadata."""

    key: str
    proof: ImageProof
    sha256: str
    metadata: ImageMetadata
    data: bytes = field(repr=False)

    @cached_property
    def digests(self) -> Digests:
        """Both hashes. MD5, the slowest, is left to whoever sends the image: a thread, and so a core, of its own."""
        return Digests(md5=md5_of(self.data), sha256=self.sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A row that is to be migrated.

    `alternate` is a second, different image in image_url, which the switch would overwrite. `only_copy` says that the
    switch removes the row's last copy of some image, so its object needs the full proof first. `claimed_key` is the
    object the row points at already although it still holds base64. `originals` describes each text exactly (see
    `describe_text`), `before` holds the other columns' values. The row holds its texts no more: what they decoded to
    spells them, which is proved.
    """

    row: LegacyRow
    source: str
    primary: PreparedImage
    alternate: PreparedImage | None = None
    only_copy: bool = False
    claimed_key: str | None = None
    originals: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    before: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)

    @property
    def images(self) -> tuple[PreparedImage, ...]:
        """All images of the row, the primary one first."""
        return (self.primary,) if self.alternate is None else (self.primary, self.alternate)


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsAtR2:
    """A row without base64 whose URL is on a known R2 base: done if the object is there."""

    row: LegacyRow
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """A row that is left exactly as it is."""

    state: ItemState
    reason: Reason | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Preparation:
    """The settings of the decision.

    `read_static` returns the file behind `/images/x.jpg`, or None; `size_static` its size in bytes, 0 for none.
    """

    bases: KnownBases
    limits: ImageLimits
    read_static: Callable[[str], bytes | None] | None = None
    size_static: Callable[[str], int] | None = None

    def too_large(self, head: RowHead) -> SetAside | None:
        """Set aside a row whose payload is too long to be read at all."""
        longest = max(head.data_bytes or 0, head.url_bytes or 0)
        if longest <= self.limits.max_bytes * _TEXT_PER_BYTE + 1024:
            return None
        return _quarantined(Reason.TOO_LARGE, f"{longest:,} bytes of text")

    def payload_bytes(self, head: RowHead) -> int:
        """Return the size of what will be read for the row: its text, or the file it names."""
        text = head.text_bytes
        if self.size_static is None or classify_head(head, self.bases) is not HeadKind.LOCAL:
            return text
        return text + self.size_static((head.url_head or "").strip())

    def prepare(self, row: LegacyRow) -> Prepared | PointsAtR2 | SetAside:
        """Decide about a whole row. Never raises for what a row holds."""
        try:
            return self._prepare(row)
        except ImageRejectedError as error:
            return _quarantined(error.reason, error.detail)

    def _prepare(self, row: LegacyRow) -> Prepared | PointsAtR2 | SetAside:
        head = row.head()
        kind = classify_head(head, self.bases)
        if kind is HeadKind.EMBEDDED:
            return self._embedded(row, head)
        if kind is HeadKind.DATA_URL:
            decoded = decode_text(_text(row.get("image_url")))
            return self._prepared(row, "image_url", decoded.data, {"image_url": decoded}, only_copy=True)
        if kind is HeadKind.ON_R2:
            return PointsAtR2(row=row, key=self.bases.key_of(head.url_head or "") or "")
        if kind is HeadKind.LOCAL and self.read_static is not None:
            return self._static(row)
        return _without_image(kind)

    def _embedded(self, row: LegacyRow, head: RowHead) -> Prepared | PointsAtR2 | SetAside:
        url_only = replace(head, data_bytes=None)
        url_kind = classify_head(url_only, self.bases)
        if row.get("image_data") == "image_data":
            if url_kind is HeadKind.ON_R2:  # an image after all, perhaps by a switch of ours that was not recorded
                return PointsAtR2(row=row, key=self.bases.key_of(url_only.url_head or "") or "")
            if url_kind is not HeadKind.DATA_URL:
                return _quarantined(Reason.COLUMN_NAME_AS_VALUE)
            decoded = decode_text(_text(row.get("image_url")))
            return self._prepared(row, "image_url", decoded.data, {"image_url": decoded}, only_copy=True)
        decoded = _decode(row.get("image_data"))
        if url_kind is HeadKind.DATA_URL:
            return self._two_images(row, decoded)
        claimed = self.bases.key_of(url_only.url_head or "") if url_kind is HeadKind.ON_R2 else None
        return self._prepared(row, "image_data", decoded.data, {"image_data": decoded}, claimed_key=claimed)

    def _two_images(self, row: LegacyRow, decoded: DecodedText) -> Prepared:
        """image_data and a data: URL: the data is migrated, the URL's own image (if another) becomes the alternate."""
        try:
            other = decode_text(_text(row.get("image_url")))
        except ImageRejectedError:
            return self._prepared(row, "image_data", decoded.data, {"image_data": decoded})
        if other.data == decoded.data:
            return self._prepared(row, "image_data", decoded.data, {"image_data": decoded, "image_url": other})
        try:
            alternate = self._image(row, other.data, "base64")
        except ImageRejectedError:  # no image: the undo record keeps the text itself
            return self._prepared(row, "image_data", decoded.data, {"image_data": decoded})
        texts = {"image_data": decoded, "image_url": other}
        return self._prepared(row, "image_data", decoded.data, texts, alternate=alternate, only_copy=True)

    def _static(self, row: LegacyRow) -> Prepared | SetAside:
        data = self.read_static(str(row.get("image_url")).strip()) if self.read_static else None
        if data is None:
            return SetAside(state=ItemState.LOCAL_ONLY, detail="There is no such file in STATIC_DIR.")
        return self._prepared(row, "static", data, {})

    def _prepared(
        self,
        row: LegacyRow,
        source: str,
        data: bytes,
        texts: Mapping[str, DecodedText],
        *,
        alternate: PreparedImage | None = None,
        only_copy: bool = False,
        claimed_key: str | None = None,
    ) -> Prepared:
        primary = self._image(row, data, "file" if source == "static" else "base64")
        images = [primary] if alternate is None else [primary, alternate]
        originals = {column: describe_text(decoded, images) for column, decoded in texts.items()}
        before = {
            column: _storable(row.get(column))
            for column in SWITCHED_COLUMNS
            if column in row.values and column not in texts
        }
        return Prepared(
            row=_without_texts(row, texts), source=source, primary=primary, alternate=alternate, only_copy=only_copy,
            claimed_key=claimed_key, originals=originals, before=before,
        )  # fmt: skip

    def _image(self, row: LegacyRow, data: bytes, original_format: str) -> PreparedImage:
        proof = prove_image(data, self.limits)
        sha256 = sha256_of(data)
        key = keys.migrated_key(
            row_id=row.id,
            session_id=row.text("session_id"),
            persona_id=row.text("persona_id"),
            created_at_ms=keys.created_at_ms(row.get("created_at")),
            sha256=sha256,
            format=proof.format,
        )
        metadata = _metadata(row, size=proof.size, sha256=sha256, original_format=original_format)
        return PreparedImage(key=key, proof=proof, sha256=sha256, metadata=metadata, data=data)


def _without_texts(row: LegacyRow, texts: Mapping[str, DecodedText]) -> LegacyRow:
    """Return the row with texts that are spelt when they are needed: a third of the memory while an image is sent."""
    light = dict(row.values)
    for column, decoded in texts.items():
        value = light[column]
        # Not what is the image's own bytes, nor a text whose form holds all of it.
        if isinstance(value, str | bytes) and decoded.raw is not decoded.data and decoded.form.literal is None:
            spell = partial(rebuild_text, decoded.data, decoded.form)
            light[column] = SpeltText(octets=octets(value) or 0, head=head_text(value), spell=spell)
    return LegacyRow(id=row.id, values=light)


def describe_text(decoded: DecodedText, images: Iterable[PreparedImage]) -> dict[str, Any]:
    """Return the undo record of one text: its form, size and SHA-256, and the SHA-256 of the image it spells."""
    raw = decoded.raw
    spelt = next(image.sha256 for image in images if image.data == decoded.data)
    return {
        "form": {"raw": True} if raw == decoded.data else decoded.form.to_json(),
        "text_bytes": len(raw),
        "text_sha256": sha256_of(raw),
        "sha256": spelt,
    }


def raw_text(value: Any) -> bytes:
    """Return a stored text's bytes, as its undo record hashes them."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


def _decode(value: Any) -> DecodedText:
    """Decode image_data: base64 as text or bytes, or (a bytea or BLOB) the image's own bytes."""
    text = _text(value)
    if isinstance(text, bytes) and sniff(text) is not None:
        return DecodedText(data=text, raw=text, form=TextForm(as_bytes=True), media_type=None)
    return decode_text(text)


def _text(value: Any) -> str | bytes:
    return value if isinstance(value, str | bytes) else str(value)


def _storable(value: Any) -> Any:
    """Return a column's value as JSON can hold it; what JSON cannot say is kept as base64 of its bytes."""
    if isinstance(value, bytes):
        return {"bytes": pybase64.b64encode(value).decode("ascii")}
    return value if value is None or isinstance(value, str | int | float | bool) else {"text": str(value)}


def _metadata(row: LegacyRow, *, size: str, sha256: str, original_format: str) -> ImageMetadata:
    url = row.head().url_head or ""
    created_ms = keys.created_at_ms(row.get("created_at"))
    return ImageMetadata(
        persona_id=row.text("persona_id"),
        session_id=row.text("session_id"),
        participant_id=row.text("participant_id"),
        prompt=row.text("prompt"),
        provider=row.text("provider"),
        generated_at=iso_utc(created_ms) if created_ms else None,
        quality=row.text("quality"),
        # Whoever can read the bucket's metadata must not get at what the app had a presigned URL for.
        original_url=without_access(url) if url[:4].lower() == "http" else None,
        original_id=row.id,
        size=size,
        sha256=sha256,
        original_format=original_format,
    )


def _without_image(kind: HeadKind) -> SetAside:
    if kind is HeadKind.UNRECOGNISED:
        return _quarantined(Reason.UNRECOGNISED_URL)
    return SetAside(state=ASIDE_STATES.get(kind, ItemState.IMAGELESS), reason=aside_reason(kind))


def _quarantined(reason: Reason, detail: str = "") -> SetAside:
    return SetAside(state=ItemState.QUARANTINED, reason=reason, detail=detail)
