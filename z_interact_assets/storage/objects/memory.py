"""An object store in memory, for tests and rehearsals: it behaves as R2Store does, without a network."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from urllib.parse import urlencode

from z_interact_assets.core.errors import ObjectNotFoundError
from z_interact_assets.core.keys import validate_key
from z_interact_assets.core.metadata import Cipher, decode_metadata
from z_interact_assets.core.models import ObjectSummary, StoredObject
from z_interact_assets.storage.objects.base import BaseStore, check_expiry
from z_interact_assets.storage.objects.client import DEFAULT_CACHE_CONTROL
from z_interact_assets.storage.objects.fetch import ImageFetcher
from z_interact_assets.storage.objects.files import FileHeaders, etag_of
from z_interact_assets.storage.objects.puts import ObjectWrite


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    data: bytes = field(repr=False)
    etag: str
    content_type: str
    cache_control: str
    metadata: dict[str, str] = field(repr=False)
    at: datetime


class MemoryStore(BaseStore):
    """Thread-safe. Metadata is kept encoded, so it comes back as it would from R2.

    `requests` counts what R2 would have been asked: put, head, get, list (pages of 1,000), delete (requests),
    head_bucket. A presigned URL is `memory://bucket/key?method=…&expires=…` and opens nothing.
    """

    def __init__(
        self,
        *,
        bucket: str = "memory",
        public_url: str | None = None,
        former_public_urls: Sequence[str] = (),
        cache_control: str = DEFAULT_CACHE_CONTROL,
        cipher: Cipher | None = None,
        fetcher: ImageFetcher | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(
            bucket=bucket,
            public_url=public_url,
            former_public_urls=former_public_urls,
            cache_control=cache_control,
            cipher=cipher,
            fetcher=fetcher,
        )
        self._clock = clock
        self._lock = Lock()
        self._objects: dict[str, _Stored] = {}
        self.requests: Counter[str] = Counter()

    def __repr__(self) -> str:
        return f"MemoryStore(bucket={self._bucket!r}, public_url={self._bases.public_base!r})"

    def upload_file(self, key: str, path: Path, headers: FileHeaders) -> str:
        """Keep the file's bytes."""
        validate_key(key)
        etag = etag_of(path)
        with self._lock:
            self.requests["put"] += 1
            self._objects[key] = _Stored(
                data=path.read_bytes(),
                etag=etag,
                content_type=headers.content_type,
                cache_control=headers.cache_control,
                metadata=dict(headers.metadata),
                at=self._clock(),
            )
        return etag

    def head(self, key: str) -> StoredObject | None:
        """Metadata without the bytes; None if there is no such object."""
        found = self._find("head", key)
        if found is None:
            return None
        return StoredObject(
            key=key,
            size=len(found.data),
            etag=found.etag,
            content_type=found.content_type,
            cache_control=found.cache_control,
            uploaded_at=found.at,
            metadata=decode_metadata(
                {name.lower(): value for name, value in found.metadata.items()}, cipher=self._cipher
            ),
        )

    def download(self, key: str) -> bytes:
        """The object's bytes; ObjectNotFoundError if there is none."""
        found = self._find("get", key)
        if found is None:
            raise ObjectNotFoundError(f"There is no object {key!r} in bucket {self._bucket!r}.", key=key)
        return found.data

    def list(self, prefix: str = "", *, cuts: Iterable[str] = ()) -> Iterator[ObjectSummary]:  # noqa: ARG002 - one pass
        """As it stood when the iteration began."""
        with self._lock:
            matching = [(key, stored) for key, stored in self._objects.items() if key.startswith(prefix)]
            self.requests["list"] += max(1, -(-len(matching) // 1000))
        for key, stored in sorted(matching, key=lambda entry: entry[0].encode()):
            yield ObjectSummary(key=key, size=len(stored.data), etag=stored.etag, last_modified=stored.at)

    def delete(self, key: str) -> None:
        """Delete the object; deleting what is not there is a success."""
        self._delete_page((key,))

    def presigned_get(self, key: str, expires_in: int = 3600) -> str:
        """A `memory://` URL that says what it would have allowed."""
        return self._presigned("GET", key, expires_in)

    def presigned_put(self, key: str, content_type: str, expires_in: int = 3600) -> str:
        """A `memory://` URL that says what it would have allowed."""
        validate_key(key)
        return self._presigned("PUT", key, expires_in, type=content_type)

    def check(self) -> None:
        """Always reachable."""
        with self._lock:
            self.requests["head_bucket"] += 1

    def on_throttle(self, callback: Callable[[], None]) -> None:
        """Memory never asks to slow down."""

    def close(self) -> None:
        """Nothing to give back; the objects stay."""

    def _put(self, write: ObjectWrite) -> str | None:
        etag = hashlib.md5(write.data, usedforsecurity=False).hexdigest()
        with self._lock:
            self.requests["put"] += 1
            if not write.overwrite and write.key in self._objects:
                return None
            self._objects[write.key] = _Stored(
                data=write.data,
                etag=etag,
                content_type=write.content_type,
                cache_control=write.cache_control,
                metadata=write.metadata,
                at=self._clock(),
            )
        return etag

    def _delete_page(self, keys: tuple[str, ...]) -> None:
        with self._lock:
            self.requests["delete"] += 1
            for key in keys:
                self._objects.pop(key, None)

    def _find(self, request: str, key: str) -> _Stored | None:
        with self._lock:
            self.requests[request] += 1
            return self._objects.get(key)

    def _presigned(self, method: str, key: str, expires_in: int, **more: str) -> str:
        check_expiry(expires_in)
        return f"memory://{self._bucket}/{key}?{urlencode({'method': method, 'expires': expires_in, **more})}"
