"""Reads of objects and listings: what every engine for them does alike. What is read proves is `base`'s."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import ClientError

from z_interact_assets.core.errors import StorageUnavailableError
from z_interact_assets.core.models import ObjectSummary
from z_interact_assets.storage.objects.failures import BROKEN_BODY_ERRORS, status_of, translated
from z_interact_assets.storage.objects.puts import bare

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef, HeadObjectOutputTypeDef

BODY_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectFacts:
    """What the headers of an answer say of an object. `metadata` is encoded."""

    size: int
    etag: str
    content_type: str
    cache_control: str
    uploaded_at: datetime
    metadata: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ListPage:
    """Up to 1,000 objects in UTF-8 byte order of their keys; `token` stands for the next page, None: there is none."""

    entries: Sequence[ObjectSummary]
    token: str | None


class Reads(Protocol):
    """An engine for reads, used by many threads at once. What is no answer of S3 is StorageUnavailableError."""

    def head(self, key: str) -> ObjectFacts | None:
        """Ask for it; None on a 404."""
        ...

    def get(self, key: str, *, size: int | None = None) -> tuple[ObjectFacts, bytes | None]:
        """Read it; ObjectNotFoundError on a 404. One of another size is left unread: None instead of its bytes."""
        ...

    def page(self, prefix: str, *, after: str = "", token: str = "") -> ListPage:
        """List a page: the one that `token` stands for, or the first one with keys above `after`."""
        ...

    def on_throttle(self, callback: Callable[[], None]) -> None:
        """Call `callback` on every 429 or 503, retried ones included, from the thread that got it. Called once."""
        ...

    def close(self) -> None:
        """Give back connections."""
        ...


class BotoReads:
    """Reads through a boto3 client that somebody brings. It is not closed here."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def head(self, key: str) -> ObjectFacts | None:
        """One request."""
        with translated(self._bucket, key):
            try:
                answer = self._client.head_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                # A HEAD's 404 has no body: it may be the bucket that is missing, which only `check` can tell.
                if status_of(error) == HTTPStatus.NOT_FOUND:
                    return None
                raise
        return _facts(key, answer)

    def get(self, key: str, *, size: int | None = None) -> tuple[ObjectFacts, bytes | None]:
        """A body that breaks off is asked for again: botocore's retries end at the headers."""
        attempts = BODY_ATTEMPTS
        with translated(self._bucket, key):
            while True:
                answer = self._client.get_object(Bucket=self._bucket, Key=key)
                attempts -= 1
                try:
                    with closing(answer["Body"]) as body:
                        facts = _facts(key, answer)
                        return facts, None if size not in (None, facts.size) else body.read()
                except BROKEN_BODY_ERRORS:
                    if not attempts:
                        raise

    def page(self, prefix: str, *, after: str = "", token: str = "") -> ListPage:
        """One request."""
        place = {name: text for name, text in (("StartAfter", after), ("ContinuationToken", token)) if text}
        with translated(self._bucket):
            answer = self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix, **place)  # pyright: ignore[reportArgumentType]
        # The stubs call these optional; every S3 listing has them, and without them we must not guess.
        entries = [
            ObjectSummary(
                key=entry["Key"],  # pyright: ignore[reportTypedDictNotRequiredAccess]
                size=entry["Size"],  # pyright: ignore[reportTypedDictNotRequiredAccess]
                etag=bare(entry["ETag"]),  # pyright: ignore[reportTypedDictNotRequiredAccess]
                last_modified=entry["LastModified"],  # pyright: ignore[reportTypedDictNotRequiredAccess]
            )
            for entry in answer.get("Contents", ())
        ]
        return list_page(entries, truncated=answer.get("IsTruncated"), token=answer.get("NextContinuationToken"))

    def on_throttle(self, callback: Callable[[], None]) -> None:
        """Nothing to add: whoever has the client listens to all of its requests."""

    def close(self) -> None:
        """Nothing is ours."""


def list_page(entries: Sequence[ObjectSummary], *, truncated: bool | None, token: str | None) -> ListPage:
    """Return a page, if it is one.

    Whatever answers 200 with some other XML (a sign-in page) has no entries, and a page that promises more but not
    where would end the listing: either would make the rest of the bucket look empty.
    """
    if truncated is None or (truncated and not token):
        raise no_answer_of_s3("the listing")
    return ListPage(entries, token if truncated else None)


def no_answer_of_s3(thing: str) -> StorageUnavailableError:
    """Return the error of an answer that somebody else gave."""
    return StorageUnavailableError(
        f"The answer about {thing} is not one of S3's.",
        remedy="Check that nothing between this machine and R2 answers in its place (a proxy, a sign-in page).",
    )


def _facts(key: str, answer: "GetObjectOutputTypeDef | HeadObjectOutputTypeDef") -> ObjectFacts:
    if not answer.get("ETag") or "LastModified" not in answer:
        raise no_answer_of_s3(f"object {key!r}")
    return ObjectFacts(
        size=answer["ContentLength"],
        etag=bare(answer["ETag"]),
        content_type=answer.get("ContentType", ""),
        cache_control=answer.get("CacheControl", ""),
        uploaded_at=answer["LastModified"],
        metadata=answer["Metadata"],
    )
