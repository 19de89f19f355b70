"""What every object store here does alike: preparing, proving and batching writes, URLs, and guarded downloads.

A store adds the requests themselves (`_put`, `head`, `download` …). That an upload is a success only with proof is
decided here, once.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Self

from z_interact_assets.core.errors import (
    ObjectDiffersError,
    ObjectNotFoundError,
    SettingsError,
    StorageRefusedError,
    StorageUnavailableError,
)
from z_interact_assets.core.images import digest, prove_image
from z_interact_assets.core.images.digests import is_same
from z_interact_assets.core.keys import validate_key
from z_interact_assets.core.metadata import Cipher, encode_metadata
from z_interact_assets.core.models import (
    BatchUploadResult,
    Digests,
    ImageLimits,
    ImageMetadata,
    ObjectSummary,
    StoredObject,
    UploadFailure,
    UploadRequest,
    UploadResult,
)
from z_interact_assets.core.urls import KnownBases
from z_interact_assets.storage.objects.batch import run_bounded
from z_interact_assets.storage.objects.client import DEFAULT_CACHE_CONTROL, url_problems
from z_interact_assets.storage.objects.fetch import ImageFetcher
from z_interact_assets.storage.objects.files import FileHeaders
from z_interact_assets.storage.objects.payload import image_bytes, published_type
from z_interact_assets.storage.objects.puts import ObjectWrite

MAX_PUT_BYTES = 5 * 1024**3
MAX_PRESIGN_SECONDS = 7 * 24 * 3600
_DELETE_PAGE = 1000
_DEFAULT_CONCURRENCY = 5


class BaseStore(ABC):
    """The shared half of an ObjectStore (see core.ports); a context manager that closes itself."""

    def __init__(
        self,
        *,
        bucket: str,
        public_url: str | None = None,
        former_public_urls: Sequence[str] = (),
        account_id: str | None = None,
        cache_control: str = DEFAULT_CACHE_CONTROL,
        cipher: Cipher | None = None,
        fetcher: ImageFetcher | None = None,
    ) -> None:
        if public_url and (problems := url_problems("R2_PUBLIC_URL", public_url)):
            raise SettingsError(problems)
        self._bases = KnownBases(public_url, tuple(former_public_urls), account_id=account_id, bucket=bucket)
        self._bucket = bucket
        self._cache_control = cache_control
        self._cipher = cipher
        self._fetcher = fetcher or ImageFetcher()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self._bucket

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
        """Store an image and prove it; text is base64 or a `data:` URL.

        The type is what the bytes say, whatever `content_type` claims; `sha256` of the metadata is set from the bytes.
        The same bytes already there are a success (`created=False`), other bytes ObjectDiffersError unless `overwrite`.
        `digests` saves hashing the bytes again: only for a caller that has just hashed these very bytes itself.
        """
        write = self._prepare(key, data, content_type, cache_control, metadata, overwrite=overwrite, digests=digests)
        etag = self._put(write)
        created = etag is not None
        if etag is None:
            etag = self._etag_of_same_bytes(write)
        elif etag != write.digests.md5:
            raise self._unproved(write)
        return UploadResult(
            key=key,
            size=len(write.data),
            etag=etag,
            digests=write.digests,
            content_type=write.content_type,
            url=self._bases.public_url(key) if self._bases.public_base else None,
            created=created,
        )

    def upload_from_url(
        self,
        url: str,
        key: str,
        *,
        cache_control: str | None = None,
        metadata: ImageMetadata | None = None,
        overwrite: bool = False,
    ) -> UploadResult:
        """Download an image under the fetcher's rules, prove that it is one, and store it."""
        validate_key(key)
        fetched = self._fetcher.fetch(url)
        prove_image(fetched.data, ImageLimits(max_bytes=self._fetcher.max_bytes))
        return self.upload(key, fetched.data, cache_control=cache_control, metadata=metadata, overwrite=overwrite)

    def batch_upload(
        self, requests: Iterable[UploadRequest], *, concurrency: int = _DEFAULT_CONCURRENCY
    ) -> BatchUploadResult:
        """Upload all, `concurrency` at a time, pulling requests as they are needed. One failure stops no other."""
        outcomes = run_bounded(self._attempt, requests, concurrency=concurrency)
        return BatchUploadResult(
            successful=tuple(outcome for outcome in outcomes if isinstance(outcome, UploadResult)),
            failed=tuple(outcome for outcome in outcomes if isinstance(outcome, UploadFailure)),
        )

    def read(self, key: str, *, size: int | None = None) -> tuple[StoredObject, bytes | None]:
        """Metadata and bytes; of an object of another `size` never the bytes. ObjectNotFoundError if there is none."""
        found = self.head(key)
        if found is None:
            raise ObjectNotFoundError(f"There is no object {key!r} in bucket {self._bucket!r}.", key=key)
        return found, self.download(key) if size in (None, found.size) else None

    def exists(self, key: str) -> bool:
        """Whether there is an object under the key."""
        return self.head(key) is not None

    def delete_many(self, keys: Iterable[str]) -> int:
        """Delete objects, 1,000 a request; how many keys were asked for. A key that cannot be deleted raises."""
        iterator, asked = iter(keys), 0
        while page := tuple(islice(iterator, _DELETE_PAGE)):
            self._delete_page(page)
            asked += len(page)
        return asked

    def public_url(self, key: str) -> str:
        """`base + "/" + key`; SettingsError if no public base is configured."""
        return self._bases.public_url(key)

    def key_from_url(self, url: str) -> str | None:
        """The key of one of our objects' URLs, under any base that is or was ours; None for any other URL."""
        return self._bases.key_of(url)

    @abstractmethod
    def upload_file(self, key: str, path: Path, headers: FileHeaders) -> str:
        """Stream a file of any type to the key, over whatever is there; return its ETag, which proves it."""

    @abstractmethod
    def head(self, key: str) -> StoredObject | None:
        """Metadata without the bytes; None if there is no such object."""

    @abstractmethod
    def download(self, key: str) -> bytes:
        """The object's bytes; ObjectNotFoundError if there is none."""

    @abstractmethod
    def list(self, prefix: str = "", *, cuts: Iterable[str] = ()) -> Iterator[ObjectSummary]:
        """Every object under the prefix, over all pages, in UTF-8 byte order of the keys. A failed page raises.

        `cuts` are keys in that order, known or guessed: what lies between them may be asked for at once.
        """

    @abstractmethod
    def delete(self, key: str) -> None:
        """Delete the object; deleting what is not there is a success."""

    @abstractmethod
    def presigned_get(self, key: str, expires_in: int = 3600) -> str:
        """A URL that reads the object for `expires_in` seconds (7 days at most). Never log it."""

    @abstractmethod
    def presigned_put(self, key: str, content_type: str, expires_in: int = 3600) -> str:
        """A URL that writes the object with this Content-Type for `expires_in` seconds (7 days at most)."""

    @abstractmethod
    def check(self) -> None:
        """Prove that the bucket is reachable with these credentials."""

    @abstractmethod
    def close(self) -> None:
        """Give back connections."""

    @abstractmethod
    def _put(self, write: ObjectWrite) -> str | None:
        """Send it; the ETag the store answers, or None where something is under the key already."""

    @abstractmethod
    def _delete_page(self, keys: tuple[str, ...]) -> None:
        """Delete up to 1,000 objects in one request."""

    def _prepare(
        self,
        key: str,
        data: bytes | str,
        content_type: str | None,
        cache_control: str | None,
        metadata: ImageMetadata | None,
        *,
        overwrite: bool,
        digests: Digests | None,
    ) -> ObjectWrite:
        validate_key(key)
        content = image_bytes(data)
        if len(content) > MAX_PUT_BYTES:
            raise StorageRefusedError(f"{key!r} is larger than the 5 GiB of a single PUT.", code="EntityTooLarge")
        digests = digests or digest(content)
        metadata = metadata or ImageMetadata()
        if metadata.sha256 != digests.sha256:
            metadata = replace(metadata, sha256=digests.sha256)
        return ObjectWrite(
            key=key,
            data=content,
            digests=digests,
            content_type=published_type(content, content_type),
            cache_control=self._cache_control if cache_control is None else cache_control,
            metadata=encode_metadata(metadata, cipher=self._cipher),
            overwrite=overwrite,
        )

    def _etag_of_same_bytes(self, write: ObjectWrite) -> str:
        """The ETag of what is under the key, proved to be our bytes.

        We get here, too, when our own first try was written and only its answer was lost.
        """
        there = self.head(write.key)
        if there is None:
            raise StorageUnavailableError(f"{write.key!r} was deleted while it was being written.")
        if is_same(
            there, size=len(write.data), digests=write.digests,
            read_sha256=lambda: digest(self.download(write.key)).sha256,
        ):  # fmt: skip
            return there.etag
        raise ObjectDiffersError(f"Other bytes are stored under {write.key!r}; nothing was overwritten.", key=write.key)

    def _unproved(self, write: ObjectWrite) -> StorageUnavailableError:
        """The error of a PUT whose ETag is not our MD5, saying what the store holds now."""
        there = self.head(write.key)
        if there is None:
            now = "nothing is there now"
        elif (there.size, there.etag) == (len(write.data), write.digests.md5):
            now = "the right bytes seem to be there now"
        else:
            now = f"other bytes are there now ({there.size} instead of {len(write.data)})"
        return StorageUnavailableError(
            f"The write of {write.key!r} is unproved: the ETag in its answer is not the MD5 sent; {now}.",
            remedy="Repeat it.",
        )

    def _attempt(self, request: UploadRequest) -> UploadResult | UploadFailure:
        try:
            return self.upload(
                request.key,
                request.data,
                content_type=request.content_type,
                cache_control=request.cache_control,
                metadata=request.metadata,
            )
        except Exception as error:  # noqa: BLE001 - whatever befalls one element, the others go on
            _forget_frames(error)
            return UploadFailure(key=request.key, error=error)


def check_expiry(seconds: int) -> None:
    """ValueError unless a presigned URL may live that long."""
    if not 1 <= seconds <= MAX_PRESIGN_SECONDS:
        raise ValueError(f"expires_in must be 1 to {MAX_PRESIGN_SECONDS} seconds (7 days)")


def _forget_frames(error: BaseException | None) -> None:
    # A traceback keeps its frames and these the image: a long batch of failures would fill the memory.
    while error is not None:
        error.__traceback__ = None
        error = error.__context__
