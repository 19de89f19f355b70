"""Probes of the bucket with one tiny object under `doctor/`: each proves one thing the migration relies on."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from http import HTTPStatus
from io import BytesIO

from PIL import Image

from z_interact_assets.core.errors import ObjectDiffersError, StorageUnavailableError, ZInteractError
from z_interact_assets.core.models import ImageFormat, ImageMetadata
from z_interact_assets.core.ports import ObjectStore
from z_interact_assets.doctor.examination import ProbeFailedError, Warned
from z_interact_assets.storage.public import PublicAnswer, PublicReader

_METADATA = ImageMetadata(persona_id="doctor", prompt="Émile 😀\nsecond line", provider="doctor")
_PUBLIC_REMEDY = (
    "Connect a custom domain to the bucket (or enable its r2.dev URL) and check that R2_PUBLIC_URL is this bucket's."
)
_ANY_BYTES = 1 << 20


def look_at_bucket(store: ObjectStore) -> str:
    """The credentials open the bucket."""
    store.check()
    return f"Bucket {store.bucket} is reachable."


class BucketProbes:
    """The probes of one object. The migration's own store does the work, so that its very requests are tried."""

    def __init__(self, store: ObjectStore, open_public: Callable[[], PublicReader], origin: str, key: str) -> None:
        self._store = store
        self._open_public = open_public
        self._origin = origin
        self._key = key
        self._png = tiny_png(0)

    def upload(self) -> str:
        """A new object can be written; the store compares its ETag with our MD5."""
        self._store.upload(self._key, self._png, metadata=_METADATA)
        return f"Wrote {self._key} ({len(self._png)} bytes); its ETag is the MD5 of the bytes."

    def download(self) -> str:
        """The very bytes come back."""
        if self._store.download(self._key) != self._png:
            raise ProbeFailedError(
                "Other bytes came back than were written.", remedy="Something between here and R2 changes bodies."
            )
        return "The same bytes came back."

    def metadata(self) -> str:
        """Type and user metadata come back, with characters that no header can carry as they are."""
        found = self._store.head(self._key)
        if found is None:
            raise ProbeFailedError("HEAD finds no object that was just written.", remedy="Run doctor again.")
        if found.content_type != ImageFormat.PNG.content_type:
            raise ProbeFailedError(f"The Content-Type came back as {found.content_type or 'nothing'!r}.")
        if found.metadata != replace(_METADATA, sha256=sha256(self._png).hexdigest()):
            raise ProbeFailedError(
                "The object's metadata came back changed.", remedy="Check what stands between here and R2 (a proxy?)."
            )
        return "Metadata with an emoji and a line break came back as written."

    def conditional_put(self) -> str:
        """A write never replaces other bytes: `If-None-Match: *` is honoured."""
        try:
            self._store.upload(self._key, tiny_png(255))
        except ObjectDiffersError:
            return "A second write to the same key is refused."
        raise ProbeFailedError(
            "A second write to the same key replaced the object.",
            remedy="The endpoint ignores If-None-Match: existing objects would not be safe. Use R2 itself.",
        )

    def public_url(self) -> str | Warned:
        """A browser gets the image from the public URL."""
        answer = self._get()
        if answer.status != HTTPStatus.OK:
            raise ProbeFailedError(f"The public URL answers {answer.status}.", remedy=_PUBLIC_REMEDY)
        if answer.sha256 != sha256(self._png).hexdigest():
            raise ProbeFailedError(
                "The public URL serves other bytes than were written.",
                remedy="Switch off what changes images on the way (Polish, Mirage, transformations).",
            )
        if (answer.content_type or "").partition(";")[0].strip().lower() != ImageFormat.PNG.content_type:
            raise ProbeFailedError(f"The public URL says {answer.content_type or 'no Content-Type'}.")
        if not answer.cache_control:
            return Warned("The public URL sends no Cache-Control.", "Check the cache rules of the domain.")
        return f"The image is served with Cache-Control: {answer.cache_control}."

    def cors(self) -> str | Warned:
        """Pages of the app's origin may read the image's bytes."""
        answer = self._get(self._origin)
        if answer.allow_origin in ("*", self._origin):
            return f"Access-Control-Allow-Origin is {answer.allow_origin}."
        return Warned(
            f"No Access-Control-Allow-Origin for {self._origin}. <img> works without it; canvas and fetch do not.",
            "If the app reads pixels, add a CORS policy with its origin to the bucket (dashboard, R2, Settings).",
        )

    def delete(self) -> str | Warned:
        """The object is gone again."""
        self._store.delete(self._key)
        if self._store.head(self._key) is not None:
            return Warned(f"{self._key} is still there after it was deleted.", "Delete it by hand.")
        return "The probe's object is deleted."

    def delete_if_any(self) -> None:
        """Delete after an upload that failed: its answer may have been lost, not its write."""
        with suppress(ZInteractError):
            self._store.delete(self._key)

    def _get(self, origin: str | None = None) -> PublicAnswer:
        with self._open_public() as reader:
            answer = reader.get(self._store.public_url(self._key), max_bytes=_ANY_BYTES, origin=origin)
        if answer.may_pass:
            raise StorageUnavailableError(f"The public URL answers {answer.status}.", remedy="Run doctor again later.")
        return answer


def tiny_png(shade: int) -> bytes:
    """Return a PNG of one pixel, another one for each shade."""
    target = BytesIO()
    Image.new("L", (1, 1), shade).save(target, "PNG")
    return target.getvalue()
