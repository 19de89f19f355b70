"""The stand-in's WSGI application: which request goes where, and in which order the rules are asked.

/-/health                 who this is, for a second process that finds the port taken
/public/<bucket>/<key>    unsigned reads, as R2's public bucket URL gives them
/<bucket>/<key>           S3, signed
"""

import json
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Response

from z_interact_assets.demo.standin_auth import Credentials, check_signature
from z_interact_assets.demo.standin_bucket import Bucket, S3Request
from z_interact_assets.demo.standin_rules import (
    Refusal,
    check_body,
    check_metadata,
    check_operation,
    check_transfer,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

HEALTH_PATH = "/-/health"
PUBLIC_PREFIX = "/public/"

_BUCKET_SETTINGS = frozenset({"cors", "encryption", "lifecycle", "location", "uploads"})
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingRequest:
    """A request as a fault sees it, before anything is checked.

    `kind` is health, public, account, bucket, list, delete, object or part (of a multipart upload). `number` counts
    the requests of the same method and kind, from 1. `serve` does what was asked and returns the true answer: for
    faults that come after the effect.
    """

    method: str
    kind: str
    key: str
    number: int
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)
    serve: Callable[[], Response] = field(repr=False)


Faults = Callable[[IncomingRequest], Response | None]
"""Answers in place of the stand-in (None: serve it). Raising ConnectionError drops the connection unanswered."""


class StandInApp:
    """The application. One bucket, one key pair."""

    def __init__(
        self,
        bucket: Bucket,
        *,
        credentials: Credentials,
        clock: Callable[[], datetime],
        identity: dict[str, str | int],
        faults: Faults | None = None,
    ) -> None:
        self._bucket = bucket
        self._credentials = credentials
        self._clock = clock
        self._identity = identity
        self._faults = faults
        self._counted = threading.Lock()
        self._requests: Counter[tuple[str, str]] = Counter()

    @property
    def requests(self) -> Counter[tuple[str, str]]:
        """How many requests came, by (method, kind), refused ones included."""
        with self._counted:
            return self._requests.copy()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        request = S3Request(environ)
        response = self._answer(request)
        # werkzeug's reference back to the request: bodies would pile up until the next garbage collection.
        environ.pop("werkzeug.request", None)
        return response(environ, start_response)

    def _answer(self, request: S3Request) -> Response:
        # The body is read before any refusal: a client still sending it would see a broken connection instead.
        body = request.get_data()
        kind = _kind_of(request)
        number = self._count(request.method, kind)
        try:
            fault = self._fault(request, kind, number, body)
            return fault or self._serve(request, kind, body)
        except Refusal as refusal:
            return refusal.response()
        except ConnectionError:
            raise
        except Exception:  # noqa: BLE001 - a fault of moto's must reach the client as S3's 500, not as a traceback
            _LOG.exception("The stand-in for R2 failed on %s (%s)", request.method, kind)
            return Refusal(500, "InternalError", "The stand-in failed; its log says why.").response()

    def _count(self, method: str, kind: str) -> int:
        with self._counted:
            self._requests[method, kind] += 1
            return self._requests[method, kind]

    def _fault(self, request: S3Request, kind: str, number: int, body: bytes) -> Response | None:
        if self._faults is None or kind == "health":
            return None
        _, key = request.bucket_and_key
        if kind == "public":
            key = key.partition("/")[2]
        headers = Headers(list(request.headers.items()))
        incoming = IncomingRequest(
            method=request.method,
            kind=kind,
            key=key,
            number=number,
            headers=headers,
            body=body,
            serve=lambda: self._serve(request, kind, body),
        )
        return self._faults(incoming)

    def _serve(self, request: S3Request, kind: str, body: bytes) -> Response:
        if kind == "health":
            return _json(self._identity)
        if kind == "public":
            return self._public(request)
        check_transfer(request)
        check_signature(request, request.raw_path, self._credentials, self._clock())
        bucket, key = request.bucket_and_key
        if bucket not in {"", self._bucket.name}:
            raise Refusal(404, "NoSuchBucket", "The specified bucket does not exist.")
        check_operation(request, key=key)
        check_body(request, body)
        check_metadata(Headers(list(request.headers.items())))
        # moto looks for this header to tell a signed request from an anonymous one; a presigned URL has none.
        request.environ.setdefault("HTTP_AUTHORIZATION", "presigned")
        return self._bucket.answer(request)

    def _public(self, request: S3Request) -> Response:
        bucket, _, key = request.path.removeprefix(PUBLIC_PREFIX).partition("/")
        readable = request.method in {"GET", "HEAD"} and bucket == self._bucket.name
        found = self._bucket.public_object(key) if readable else None
        if found is None:
            return Response("Not found\n", status=404, content_type="text/plain; charset=utf-8")
        response = Response(found.body, headers=found.headers)
        response.set_etag(found.etag)
        response.last_modified = found.last_modified
        response.make_conditional(request, accept_ranges=True, complete_length=len(found.body))
        # The server sends its own.
        response.headers.pop("Date", None)
        return response


def _kind_of(request: S3Request) -> str:
    if request.path == HEALTH_PATH:
        return "health"
    if request.path.startswith(PUBLIC_PREFIX):
        return "public"
    bucket, key = request.bucket_and_key
    if key:
        return "part" if "uploadId" in request.args or "uploads" in request.args else "object"
    if not bucket:
        return "account"
    if request.method == "POST" and "delete" in request.args:
        return "delete"
    return "list" if request.method == "GET" and _BUCKET_SETTINGS.isdisjoint(request.args) else "bucket"


def _json(document: dict[str, str | int]) -> Response:
    return Response(json.dumps(document), content_type="application/json")
