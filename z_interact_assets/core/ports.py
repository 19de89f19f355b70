"""What the services need of the outside, as Protocols. Implementations live in storage/."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from z_interact_assets.core.models import Digests, ImageMetadata, ObjectSummary, StoredObject, UploadResult


class ObjectReader(Protocol):
    """Reads objects. A key that is not there is None or ObjectNotFoundError; trouble is an error, never None."""

    def head(self, key: str) -> StoredObject | None:
        """Metadata without the bytes; None if there is no such object."""
        ...

    def download(self, key: str) -> bytes:
        """The object's bytes; ObjectNotFoundError if there is none."""
        ...

    def read(self, key: str, *, size: int | None = None) -> tuple[StoredObject, bytes | None]:
        """Metadata and bytes; of an object of another `size` never the bytes. ObjectNotFoundError if there is none."""
        ...

    def list(self, prefix: str = "", *, cuts: Iterable[str] = ()) -> Iterator[ObjectSummary]:
        """Every object under the prefix, over all pages, in UTF-8 byte order of the keys. A failed page raises.

        `cuts` are keys in that order, known or guessed: what lies between them may be asked for at once.
        """
        ...


class ObjectWriter(Protocol):
    """Writes and deletes objects; every write is proved by its ETag before it returns."""

    def upload(
        self,
        key: str,
        data: bytes | str,
        *,
        content_type: str | None = None,
        cache_control: str | None = None,
        metadata: ImageMetadata | None = None,
        overwrite: bool = False,
        digests: Digests | None = None,
    ) -> UploadResult:
        """Store the bytes under the key. The same bytes already there are a success (`created=False`).

        `digests` saves hashing bytes a second time that the caller has just hashed.
        """
        ...

    def delete(self, key: str) -> None:
        """Delete the object; deleting what is not there is a success."""
        ...

    def delete_many(self, keys: Iterable[str]) -> int:
        """Delete objects, 1,000 a request; how many keys were asked for."""
        ...


class ObjectStore(ObjectReader, ObjectWriter, Protocol):
    """A bucket with a public base URL."""

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        ...

    def check(self) -> None:
        """Prove that the bucket is reachable with these credentials; StorageRefusedError or StorageUnavailableError."""
        ...

    def public_url(self, key: str) -> str:
        """`base + "/" + key`; SettingsError if no public base is configured."""
        ...

    def on_throttle(self, callback: Callable[[], None]) -> None:
        """Call `callback` whenever the store asks to slow down, in place of the one before."""
        ...

    def close(self) -> None:
        """Give back connections."""
        ...
