"""Where prepared images go: into the store, or, on a dry run, nowhere, with the same answers."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from z_interact_assets.core.errors import ObjectDiffersError, StorageUnavailableError
from z_interact_assets.core.images import digest
from z_interact_assets.core.images.digests import is_same
from z_interact_assets.core.models import ImageMetadata, StoredObject, UploadResult
from z_interact_assets.core.ports import ObjectStore
from z_interact_assets.core.preparation import PreparedImage
from z_interact_assets.core.times import iso_utc


class Sink(Protocol):
    """What the worker needs of R2."""

    def put(self, image: PreparedImage, *, look_first: bool, now_ms: int) -> UploadResult:
        """Store the image, proved by its ETag. `look_first`: an earlier try may have stored it."""
        ...

    def prove(self, image: PreparedImage) -> None:
        """Read every byte back and compare SHA-256; StorageUnavailableError if the proof fails."""
        ...

    def head(self, key: str) -> StoredObject | None:
        """Look at an object; None if it is not there."""
        ...

    def check(self) -> None:
        """Prove that the bucket is there; StorageRefusedError or StorageUnavailableError."""
        ...

    def sha256(self, key: str) -> str:
        """Return the SHA-256 of an object's bytes, read back."""
        ...

    def public_url(self, key: str) -> str:
        """Return the URL the row will hold."""
        ...


class StoreSink:
    """The real one."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def put(self, image: PreparedImage, *, look_first: bool, now_ms: int) -> UploadResult:
        """Store the image, proved by its ETag."""
        if look_first and (found := self._same(image)) is not None:
            return found
        metadata = replace(image.metadata, migrated_at=iso_utc(now_ms))
        return self._store.upload(
            image.key, image.data, content_type=image.proof.format.content_type, metadata=metadata,
            digests=image.digests,
        )  # fmt: skip

    def prove(self, image: PreparedImage) -> None:
        """Read every byte back."""
        if self.sha256(image.key) != image.sha256:
            raise StorageUnavailableError(
                f"The object {image.key!r} came back with other bytes than were sent.",
                remedy="The row was left as it was; the next run proves it again.",
            )

    def head(self, key: str) -> StoredObject | None:
        """Look at an object."""
        return self._store.head(key)

    def check(self) -> None:
        """Prove that the bucket is there."""
        self._store.check()

    def sha256(self, key: str) -> str:
        """Return the SHA-256 of an object's bytes."""
        return digest(self._store.download(key)).sha256

    def public_url(self, key: str) -> str:
        """Return the URL the row will hold."""
        return self._store.public_url(key)

    def _same(self, image: PreparedImage) -> UploadResult | None:
        found = self._store.head(image.key)
        if found is None or found.size != len(image.data) or found.etag != image.digests.md5:
            return None  # not there, or not provable by its ETag: the guarded PUT decides
        return _result(image, found.etag, self._store.public_url(image.key), created=False)


class DrySink:
    """Foretells what StoreSink would answer, by HEAD alone; without a store it takes every key for free."""

    def __init__(self, store: ObjectStore | None, public_url: str | None = None) -> None:
        self._store = store
        self._public_url = public_url

    def put(self, image: PreparedImage, *, look_first: bool, now_ms: int) -> UploadResult:  # noqa: ARG002
        """Tell what a PUT would answer."""
        found = None if self._store is None else self._store.head(image.key)
        if found is not None and not _same_bytes(self, found, image):
            raise ObjectDiffersError(f"Other bytes are stored under {image.key!r}.", key=image.key)
        return _result(image, image.digests.md5, self.public_url(image.key), created=found is None)

    def prove(self, image: PreparedImage) -> None:
        """Nothing is there to prove yet."""

    def head(self, key: str) -> StoredObject | None:
        """Look at an object. Without a store it is taken to be there, with an empty ETag: nobody looked."""
        return _unseen(key) if self._store is None else self._store.head(key)

    def check(self) -> None:
        """Prove that the bucket is there, if there is a store."""
        if self._store is not None:
            self._store.check()

    def sha256(self, key: str) -> str:
        """Return the SHA-256 of an object's bytes; empty if nobody can look."""
        return "" if self._store is None else digest(self._store.download(key)).sha256

    def public_url(self, key: str) -> str:
        """Return the URL the row would hold."""
        return f"{(self._public_url or 'https://public-url-not-configured.invalid').rstrip('/')}/{key}"


def holds(sink: Sink, found: StoredObject, image: PreparedImage) -> bool:
    """Tell whether the object holds the image's bytes; one that nobody looked at is taken to."""
    return not found.etag or _same_bytes(sink, found, image)


def _same_bytes(sink: Sink, found: StoredObject, image: PreparedImage) -> bool:
    return is_same(found, size=len(image.data), digests=image.digests, read_sha256=lambda: sink.sha256(found.key))


def _unseen(key: str) -> StoredObject:
    return StoredObject(
        key=key, size=0, etag="", content_type="", cache_control="", uploaded_at=datetime.fromtimestamp(0, UTC),
        metadata=ImageMetadata(),
    )  # fmt: skip


def _result(image: PreparedImage, etag: str, url: str, *, created: bool) -> UploadResult:
    return UploadResult(
        key=image.key, size=len(image.data), etag=etag, digests=image.digests,
        content_type=image.proof.format.content_type, url=url, created=created,
    )  # fmt: skip
