"""PUTs of whole images, and nothing else: what every engine for them does alike. What an ETag proves is `base`'s."""

from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import ClientError

from z_interact_assets.core.models import Digests
from z_interact_assets.storage.objects.client import content_md5
from z_interact_assets.storage.objects.failures import code_of, from_client_error, is_taken, status_of, translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectWrite:
    """One PUT, ready to send. `metadata` is encoded."""

    key: str
    data: bytes = field(repr=False)
    digests: Digests
    content_type: str
    cache_control: str
    metadata: dict[str, str] = field(repr=False)
    overwrite: bool


class Puts(Protocol):
    """An engine for PUTs, used by many threads at once."""

    def put(self, write: ObjectWrite) -> str | None:
        """Send it; the ETag the store answers, or None where something is under the key already."""
        ...

    def on_throttle(self, callback: Callable[[], None]) -> None:
        """Call `callback` on every 429 or 503, retried ones included, from the thread that got it. Called once."""
        ...

    def close(self) -> None:
        """Give back connections."""
        ...


class BotoPuts:
    """PUTs through a boto3 client that somebody brings. It is not closed here."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, write: ObjectWrite) -> str | None:
        """Send it, with a Content-MD5."""
        request: PutObjectRequestTypeDef = {
            "Bucket": self._bucket,
            "Key": write.key,
            "Body": write.data,
            "ContentMD5": content_md5(write.digests.md5),
            "ContentType": write.content_type,
            "CacheControl": write.cache_control,
            "Metadata": write.metadata,
        }
        if not write.overwrite:
            request["IfNoneMatch"] = "*"
        with translated(self._bucket, write.key):
            try:
                return bare(self._client.put_object(**request).get("ETag", ""))
            except ClientError as error:
                if not write.overwrite and is_taken(status_of(error), code_of(error)):
                    return None
                if status_of(error) == HTTPStatus.NOT_FOUND:
                    # A PUT needs no object to be there: what is missing is the bucket.
                    raise from_client_error(error, bucket=self._bucket, key=None) from None
                raise

    def on_throttle(self, callback: Callable[[], None]) -> None:
        """Nothing to add: whoever has the client listens to all of its requests."""

    def close(self) -> None:
        """Nothing is ours."""


def bare(etag: str) -> str:
    """Return an ETag without its quotes."""
    return etag.removeprefix("W/").strip('"')
