"""One bucket: moto answers the S3 calls, the folder keeps the objects. Rules and signatures were checked before.

moto's state is global to the process. Each bucket here lives in an account of its own and is taken out of moto's list
of names, so that several stand-ins in one process, even with equal bucket names, do not see each other.
"""

import itertools
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from moto.core.request import Request
from moto.s3.models import FakeKey, s3_backends
from moto.s3.responses import S3Response
from werkzeug.wrappers import Response

from z_interact_assets.demo.standin_disk import DataFile, KeptObject, ObjectFolder
from z_interact_assets.demo.standin_rules import Refusal

_REGION = "us-east-1"
_PARTITION = "aws"
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_FIRST_ERROR_STATUS = 300


# moto's list of bucket names is shared by all accounts.
_naming = threading.Lock()
_account_numbers = itertools.count(1)


class _Responses(S3Response):
    def __init__(self, account: str) -> None:
        super().__init__()
        self._account = account

    def get_current_account(self) -> str:
        return self._account


class S3Request(Request):
    """A request from a real server, in the class moto's code expects, cut into bucket and key."""

    from_wsgi_server = True

    @property
    def bucket_and_key(self) -> tuple[str, str]:
        """The first part of the path, and the rest, unescaped."""
        bucket, _, key = self.path.removeprefix("/").partition("/")
        return bucket, key


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicObject:
    """What an unsigned reader gets."""

    body: bytes = field(repr=False)
    etag: str
    last_modified: datetime
    headers: dict[str, str]


class Bucket:
    """A bucket with its objects. One request at a time: moto shows a new object before it has its metadata and ETag."""

    def __init__(self, name: str, folder: ObjectFolder) -> None:
        self.name = name
        self._folder = folder
        self._lock = threading.Lock()
        self._closed = False
        self._account = f"{next(_account_numbers):012d}"
        self._backend = s3_backends[self._account][_PARTITION]
        with _naming:
            self._bucket = self._backend.create_bucket(name, _REGION)
            s3_backends.bucket_accounts.pop(name, None)
        for kept in folder.load():
            self._restore(kept)

    def answer(self, request: S3Request) -> Response:
        """The answer of moto; a write is on disk before it is answered."""
        with self._lock:
            if self._closed:
                raise Refusal(503, "ServiceUnavailable", "The stand-in is being stopped.")
            response = self._dispatch(request)
            if request.method not in _READS and response.status_code < _FIRST_ERROR_STATUS:
                self._save(request)
            return response

    def public_object(self, key: str) -> PublicObject | None:
        """The object for an unsigned reader; None if there is none."""
        with self._lock:
            found = self._bucket.keys.get(key)
            if found is None:
                return None
            return PublicObject(
                body=found.value,
                etag=found.etag.strip('"'),
                last_modified=found.last_modified.replace(tzinfo=UTC),
                headers={name: text for name, text in found.metadata.items() if not name.startswith("x-amz-")},
            )

    def close(self) -> None:
        """Wait for the request under way, refuse later ones, and take the bucket out of moto."""
        with self._lock:
            self._closed = True
        for key in list(self._bucket.keys):
            self._bucket.keys.pop(key)
        for upload in self._bucket.multiparts.values():
            upload.dispose()
        tracked = cast("Any", FakeKey).instances_tracked
        tracked[:] = [key for key in tracked if key.account_id != self._account]
        s3_backends.pop(self._account, None)

    def _dispatch(self, request: S3Request) -> Response:
        responses = _Responses(self._account)
        _, key = request.bucket_and_key
        handle = responses.key_response if key else responses.bucket_response
        status, headers, body = handle(request, request.raw_url, dict(request.headers))
        response = Response(body, status=status, headers=cast("dict[str, str]", headers))
        if request.method == "HEAD" and "content-length" in headers:
            response.headers["Content-Length"] = headers["content-length"]
        return response

    def _save(self, request: S3Request) -> None:
        _, key = request.bucket_and_key
        in_parts = "uploadId" in request.args
        if not key:
            for gone in self._folder.keys() - self._bucket.keys.keys():
                self._folder.drop(gone)
        elif request.method == "DELETE" and not in_parts:
            self._folder.drop(key)
        elif (request.method == "PUT" and not in_parts) or (request.method == "POST" and in_parts):
            self._keep(self._bucket.keys[key])

    def _keep(self, made: FakeKey) -> None:
        kept = self._folder.keep(
            made.name,
            made.value,
            etag=made.etag.strip('"'),
            last_modified=made.last_modified.replace(tzinfo=UTC).isoformat(),
            headers=dict(made.metadata),
        )
        made.multipart = None
        self._move_to_disk(made, kept)

    def _restore(self, kept: KeptObject) -> None:
        made = self._backend.put_object(self.name, kept.key, b"", etag=kept.etag)
        made.set_metadata(dict(kept.headers))
        made.last_modified = datetime.fromisoformat(kept.last_modified).replace(tzinfo=None)
        self._move_to_disk(made, kept)

    def _move_to_disk(self, made: FakeKey, kept: KeptObject) -> None:
        with made.lock:
            made._value_buffer.close()  # noqa: SLF001 - moto has no other way to keep objects out of memory
            made._value_buffer = cast("Any", DataFile(self._folder.path_of(kept)))  # noqa: SLF001 - as above
            made.contentsize = kept.size
