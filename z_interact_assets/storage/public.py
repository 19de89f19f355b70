"""The public face of the bucket: what a browser gets from a public URL. No credentials, no writing, no judgement."""

import hashlib
import random
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Self

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, SSLError
from urllib3.util import Timeout

from z_interact_assets.core.errors import StorageUnavailableError, UnsafeURLError
from z_interact_assets.core.models import ImageLimits
from z_interact_assets.core.urls import is_loopback_or_https
from z_interact_assets.storage.deadlines import Deadline, DeadlineExpired

_CHUNK = 64 * 1024
_HEADERS = {"Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": "z-interact-assets"}
# What may be otherwise a moment later; 520 to 530 are Cloudflare's own, for an R2 its edge cannot reach.
_PASSING = frozenset({408, 429, 500, 502, 503, 504, *range(520, 531)})
_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
_DEADLINE: ContextVar[Deadline] = ContextVar("deadline of the GET that this thread makes")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicAnswer:
    """What a GET answered. Digests are lower-case hex of the body as it was sent; absent headers are None.

    `size` counts the bytes read: above the cap of the request it only says that the body is too long.
    """

    status: int
    size: int
    sha256: str
    md5: str
    content_type: str | None
    cache_control: str | None
    allow_origin: str | None

    @property
    def may_pass(self) -> bool:
        """Tell whether the same request may be answered otherwise later: it says nothing about the image."""
        return self.status in _PASSING


class PublicReader:
    """Reads public URLs, for use by many threads at once; a context manager that closes itself.

    `connections` are kept open to a host; timeouts are seconds; `verify` is True, False or the path of a CA bundle.
    A GET is repeated up to `retries` times, a body that broke off included, after pauses of half to all of `backoff` x
    1, 2, 4 … seconds. `max_seconds` bounds all of it but for a resolver that hangs and one last connect.
    """

    def __init__(
        self,
        *,
        connections: int = 16,
        connect_timeout: float = 10,
        read_timeout: float = 30,
        max_seconds: float = 120,
        retries: int = 2,
        backoff: float = 0.2,
        sleep: Callable[[float], None] = time.sleep,
        verify: bool | str = True,
    ) -> None:
        self._max_seconds = max_seconds
        self._retries = retries
        self._backoff = backoff
        self._sleep = sleep
        self._pool = urllib3.PoolManager(
            maxsize=connections,
            timeout=Timeout(connect=connect_timeout, read=read_timeout),
            retries=False,  # urllib3's own end before the body, and trust an hour of Retry-After or none
            cert_reqs="CERT_REQUIRED" if verify else "CERT_NONE",
            ca_certs=verify if isinstance(verify, str) else None,
        )
        self._pool.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, url: str, *, max_bytes: int = ImageLimits().max_bytes, origin: str | None = None) -> PublicAnswer:
        """GET the URL, as a page of `origin` would; a redirect is an answer, it is not followed.

        The body is streamed and read no further than just past `max_bytes`. UnsafeURLError for a URL that is neither
        https nor on this machine; StorageUnavailableError where no whole answer comes.
        """
        if not is_loopback_or_https(url):
            raise UnsafeURLError("A public URL must be https (http is allowed to this machine only).")
        headers = _HEADERS if origin is None else {**_HEADERS, "Origin": origin}
        with Deadline(self._max_seconds) as deadline:
            token = _DEADLINE.set(deadline)
            try:
                answer = self._read_patiently(url, headers, max_bytes, deadline)
            except (HTTPError, OSError, DeadlineExpired) as error:
                raise _silent("too slow" if deadline.expired else type(error).__name__) from None
            finally:
                _DEADLINE.reset(token)
            if deadline.expired:
                raise _silent("too slow")
            return answer

    def close(self) -> None:
        """Give back connections."""
        self._pool.clear()

    def _read_patiently(self, url: str, headers: dict[str, str], max_bytes: int, deadline: Deadline) -> PublicAnswer:
        for attempt in range(self._retries):
            try:
                answer = self._read(url, headers, max_bytes)
            except (HTTPError, OSError) as error:
                if deadline.expired or (isinstance(error, SSLError) and _UNTRUSTED in str(error)):
                    raise
            else:
                if not answer.may_pass:
                    return answer
            self._sleep(self._backoff * 2**attempt * random.uniform(0.5, 1))  # noqa: S311 - spreads load, no secret
        return self._read(url, headers, max_bytes)

    def _read(self, url: str, headers: dict[str, str], max_bytes: int) -> PublicAnswer:
        response = self._pool.request(
            "GET", url, headers=headers, redirect=False, preload_content=False, decode_content=False
        )
        try:
            return _digested(response, max_bytes)
        finally:
            # What was read to its end is reused; the rest must not be.
            response.close()


class _Connection(HTTPConnection):
    """A connection, new or used before, under the deadline of the GET it now serves."""

    def request(self, *args: Any, **options: Any) -> None:
        if self.sock is None:
            self.connect()
        if self.sock is not None:
            _DEADLINE.get().watch(self.sock)
        super().request(*args, **options)


class _TLSConnection(_Connection, HTTPSConnection):
    """The same over TLS."""


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls: Any = _Connection  # urllib3's own Protocol for it has invariant members no subclass can meet


class _TLSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls: Any = _TLSConnection


def _silent(why: str) -> StorageUnavailableError:
    return StorageUnavailableError(
        f"The public URL did not answer ({why}).", remedy="Check the network and R2_PUBLIC_URL."
    )


def _digested(response: urllib3.BaseHTTPResponse, max_bytes: int) -> PublicAnswer:
    md5, sha256, size = hashlib.md5(usedforsecurity=False), hashlib.sha256(), 0
    for chunk in response.stream(_CHUNK, decode_content=False):
        md5.update(chunk)
        sha256.update(chunk)
        size += len(chunk)
        if size > max_bytes:
            break
    return PublicAnswer(
        status=response.status,
        size=size,
        sha256=sha256.hexdigest(),
        md5=md5.hexdigest(),
        content_type=response.headers.get("Content-Type"),
        cache_control=response.headers.get("Cache-Control"),
        allow_origin=response.headers.get("Access-Control-Allow-Origin"),
    )
