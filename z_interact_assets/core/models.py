"""The values that travel between layers: image formats, proofs, stored objects, item states."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self


class ItemState(StrEnum):
    """State of one image in the ledger.

    The way of a migrated row is planned → stored → published → reclaimed; the others are aside of it.
    """

    PLANNED = "planned"
    STORED = "stored"
    PUBLISHED = "published"
    RECLAIMED = "reclaimed"
    QUARANTINED = "quarantined"
    CONFLICT = "conflict"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    EXTERNAL = "external"
    IMAGELESS = "imageless"
    LOCAL_ONLY = "local_only"
    ALREADY_IN_R2 = "already_in_r2"


# What a run still has to do.
PENDING_STATES = frozenset({ItemState.PLANNED, ItemState.STORED, ItemState.FAILED})


class ImageFormat(StrEnum):
    """An image format we publish; the value is the file extension."""

    JPG = "jpg"
    PNG = "png"
    WEBP = "webp"
    GIF = "gif"
    AVIF = "avif"
    BMP = "bmp"
    TIFF = "tiff"
    SVG = "svg"

    @property
    def content_type(self) -> str:
        """Its IANA media type."""
        return _CONTENT_TYPES.get(self, f"image/{self.value}")

    @classmethod
    def from_content_type(cls, content_type: str) -> Self | None:
        """The format of a media type (parameters ignored), or None if it is not one of ours."""
        wanted = content_type.partition(";")[0].strip().lower()
        return next((known for known in cls if known.content_type == wanted), None)


_CONTENT_TYPES = {ImageFormat.JPG: "image/jpeg", ImageFormat.SVG: "image/svg+xml"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLimits:
    """Bounds an image must keep: bytes, and pixels (width x height x frames). Above `warn_bytes` it is reported."""

    max_bytes: int = 50 * 1024 * 1024
    warn_bytes: int = 10 * 1024 * 1024
    max_pixels: int = 178_956_970  # Pillow's own decompression bomb line, twice its MAX_IMAGE_PIXELS warning


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageProof:
    """What the bytes themselves say, after their structure was walked to the end.

    `trailing_bytes` counts what follows the image's own end (kept, never cut). Width and height are pixels;
    an SVG without absolute dimensions has 0 x 0.
    """

    format: ImageFormat
    width: int
    height: int
    frames: int = 1
    trailing_bytes: int = 0

    @property
    def size(self) -> str:
        """`WxH` in pixels, as stored in the object metadata."""
        return f"{self.width}x{self.height}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Digests:
    """Hashes of the same bytes, in lower-case hex."""

    md5: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectSummary:
    """One entry of a bucket listing. `etag` has no quotes; size in bytes."""

    key: str
    size: int
    etag: str
    last_modified: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """What HEAD tells about an object. `metadata` is decoded (see core.metadata)."""

    key: str
    size: int
    etag: str
    content_type: str
    cache_control: str
    uploaded_at: datetime
    metadata: "ImageMetadata"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageMetadata:
    """User metadata of an image object, decoded. Absent values are None and are not stored.

    Times are ISO 8601 strings in UTC; `size` is `WxH` in pixels. `extra` holds keys this version does not know,
    lower-cased as S3 returns them. What is a person's is in no repr: a bug's message would carry it into Dagster's log.
    """

    persona_id: str | None = None
    session_id: str | None = None
    participant_id: str | None = field(default=None, repr=False)
    prompt: str | None = field(default=None, repr=False)
    provider: str | None = None
    generated_at: str | None = None
    size: str | None = None
    quality: str | None = None
    original_url: str | None = field(default=None, repr=False)
    original_id: str | None = None
    migrated_at: str | None = None
    original_format: str | None = None
    sha256: str | None = None
    prompt_truncated: bool = False
    extra: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadResult:
    """A proved upload: the store's ETag equals our MD5.

    `created` is False where the same bytes were already there and nothing was sent. `url` is None without a public
    base.
    """

    key: str
    size: int
    etag: str
    digests: Digests
    content_type: str
    url: str | None
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRequest:
    """One element of a batch upload. `data` is bytes, or base64 text (a `data:` URL included)."""

    key: str
    data: bytes | str = field(repr=False)
    metadata: ImageMetadata | None = None
    content_type: str | None = None
    cache_control: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadFailure:
    """One element of a batch upload that failed, with its error."""

    key: str
    error: Exception


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchUploadResult:
    """What became of a batch upload, in the order of the requests."""

    successful: tuple[UploadResult, ...]
    failed: tuple[UploadFailure, ...]
