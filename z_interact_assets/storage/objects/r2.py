"""Cloudflare R2: the requests of the store, images by `puts` and `reads`, the rest by boto3. Proofs are in `base`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from pydantic import SecretStr

from z_interact_assets.core.errors import SettingsError
from z_interact_assets.core.keys import validate_key
from z_interact_assets.core.metadata import Cipher, decode_metadata
from z_interact_assets.core.models import ObjectSummary, StoredObject
from z_interact_assets.storage.objects.base import BaseStore, check_expiry
from z_interact_assets.storage.objects.client import (
    DEFAULT_CACHE_CONTROL,
    R2Config,
    account_endpoint,
    build_client,
    on_throttle,
)
from z_interact_assets.storage.objects.failures import (
    error_of_answer,
    translated,
)
from z_interact_assets.storage.objects.fast_puts import ObstorePuts
from z_interact_assets.storage.objects.fast_reads import fast_reads
from z_interact_assets.storage.objects.fetch import ImageFetcher
from z_interact_assets.storage.objects.files import FileHeaders, upload_file
from z_interact_assets.storage.objects.listing import listed
from z_interact_assets.storage.objects.puts import BotoPuts, ObjectWrite, Puts
from z_interact_assets.storage.objects.reads import BotoReads, ObjectFacts, Reads

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_R2_HOST = ".r2.cloudflarestorage.com"
_BODY_ATTEMPTS = 3


class R2Store(BaseStore):
    """An R2 bucket (or any other S3 bucket), for use by many threads at once.

        with R2Store.connect(
            bucket="z-interact-images", account_id=…, access_key_id=…, secret_access_key=…,
            public_url="https://images.example.com",
        ) as store:
            print(store.upload("images/gen-x/1-a.png", png).url)

    The store owns the client it is given: `close` closes it. `puts` sends the images and `reads` reads objects, by
    default that client, too.
    """

    def __init__(
        self,
        client: "S3Client",
        *,
        bucket: str,
        public_url: str | None = None,
        former_public_urls: Sequence[str] = (),
        cache_control: str = DEFAULT_CACHE_CONTROL,
        cipher: Cipher | None = None,
        fetcher: ImageFetcher | None = None,
        puts: Puts | None = None,
        reads: Reads | None = None,
    ) -> None:
        super().__init__(
            bucket=bucket,
            public_url=public_url,
            former_public_urls=former_public_urls,
            account_id=_account_of(client.meta.endpoint_url),
            cache_control=cache_control,
            cipher=cipher,
            fetcher=fetcher,
        )
        self._client = client
        self._puts = puts or BotoPuts(client, bucket)
        self._reads = reads or BotoReads(client, bucket)
        self._throttled: Callable[[], None] | None = None

    @classmethod
    def connect(
        cls,
        *,
        bucket: str,
        access_key_id: str,
        secret_access_key: str | SecretStr,
        account_id: str | None = None,
        endpoint_url: str | None = None,
        jurisdiction: str | None = None,
        public_url: str | None = None,
        fetcher: ImageFetcher | None = None,
    ) -> Self:
        """A store with the default tuning, by Cloudflare account or by endpoint. For more, see `from_config`."""
        if endpoint_url is None:
            if account_id is None:
                raise SettingsError(["R2_ACCOUNT_ID or R2_ENDPOINT_URL is needed."])
            endpoint_url = account_endpoint(account_id, jurisdiction)
        config = R2Config(
            endpoint_url=endpoint_url,
            bucket=bucket,
            access_key_id=access_key_id,
            secret_access_key=secret_access_key,
            public_url=public_url,
        )
        return cls.from_config(config, fetcher=fetcher)

    @classmethod
    def from_config(cls, config: R2Config, *, fetcher: ImageFetcher | None = None) -> Self:
        """A store with a client of its own, and faster engines for images."""
        client = build_client(config)
        return cls(
            client,
            bucket=config.bucket,
            public_url=config.public_url,
            former_public_urls=config.former_public_urls,
            cache_control=config.cache_control,
            cipher=config.cipher,
            fetcher=fetcher,
            puts=ObstorePuts(config),
            reads=fast_reads(config, BotoReads(client, config.bucket)),
        )

    def __repr__(self) -> str:
        endpoint = self._client.meta.endpoint_url
        return f"R2Store(bucket={self._bucket!r}, endpoint={endpoint!r}, public_url={self._bases.public_base!r})"

    @property
    def client(self) -> "S3Client":
        """The boto3 client beneath, for what the store does not offer."""
        return self._client

    def on_throttle(self, callback: Callable[[], None]) -> None:
        """Call `callback` on every 429 or 503, retried ones included, from the thread that got it.

        It takes the place of the one before: each run has its own.
        """
        if self._throttled is None:
            on_throttle(self._client, self._tell_of_throttling)
            self._puts.on_throttle(self._tell_of_throttling)
            self._reads.on_throttle(self._tell_of_throttling)
        self._throttled = callback

    def _tell_of_throttling(self) -> None:
        if self._throttled is not None:
            self._throttled()

    def upload_file(self, key: str, path: Path, headers: FileHeaders) -> str:
        """One PUT, or one for each 16 MiB (class A), and a HEAD."""
        return upload_file(self._client, self._bucket, key, path, headers)

    def head(self, key: str) -> StoredObject | None:
        """One request (class B). None on a 404."""
        found = self._reads.head(key)
        return None if found is None else self._stored(key, found)

    def download(self, key: str) -> bytes:
        """The whole object. A body that breaks off is asked for again."""
        _, data = self._reads.get(key)
        return data or b""

    def read(self, key: str, *, size: int | None = None) -> tuple[StoredObject, bytes | None]:
        """One request (class B)."""
        found, data = self._reads.get(key, size=size)
        return self._stored(key, found), data

    def list(self, prefix: str = "", *, cuts: Iterable[str] = ()) -> Iterator[ObjectSummary]:
        """1,000 objects a request (class A), one after the other; with `cuts` eight at once."""
        yield from listed(self._reads.page, prefix, cuts)

    def delete(self, key: str) -> None:
        """One request (free of charge on R2)."""
        with translated(self._bucket, key):
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def presigned_get(self, key: str, expires_in: int = 3600) -> str:
        """On the S3 host, never on a custom domain. No request is made."""
        check_expiry(expires_in)
        with translated(self._bucket, key):
            return self._client.generate_presigned_url(
                "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=expires_in
            )

    def presigned_put(self, key: str, content_type: str, expires_in: int = 3600) -> str:
        """On the S3 host. Whoever uses it must send exactly this Content-Type; nothing proves what they write."""
        validate_key(key)
        check_expiry(expires_in)
        params = {"Bucket": self._bucket, "Key": key, "ContentType": content_type}
        with translated(self._bucket, key):
            return self._client.generate_presigned_url("put_object", Params=params, ExpiresIn=expires_in)

    def check(self) -> None:
        """StorageRefusedError with a remedy for bad credentials or a missing bucket, else StorageUnavailableError."""
        with translated(self._bucket):
            self._client.head_bucket(Bucket=self._bucket)

    def close(self) -> None:
        """Close the client's connections."""
        self._puts.close()
        self._reads.close()
        self._client.close()

    def _stored(self, key: str, facts: ObjectFacts) -> StoredObject:
        return StoredObject(
            key=key,
            size=facts.size,
            etag=facts.etag,
            content_type=facts.content_type,
            cache_control=facts.cache_control,
            uploaded_at=facts.uploaded_at,
            metadata=decode_metadata(facts.metadata, cipher=self._cipher),
        )

    def _put(self, write: ObjectWrite) -> str | None:
        return self._puts.put(write)

    def _delete_page(self, keys: tuple[str, ...]) -> None:
        with translated(self._bucket):
            answer = self._client.delete_objects(
                Bucket=self._bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
            )
        for failed in answer.get("Errors", ()):
            raise error_of_answer(0, failed.get("Code", ""), bucket=self._bucket, key=failed.get("Key", ""))


def _account_of(endpoint_url: str) -> str | None:
    host = urlsplit(endpoint_url).hostname or ""
    return host.partition(".")[0] if host.endswith(_R2_HOST) else None
