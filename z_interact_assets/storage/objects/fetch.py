"""A guarded download of one image from a URL somebody else chose. What is done with the bytes is not decided here.

The host's addresses are resolved once, all of them are checked, and the connection goes to a checked address: a name
that answers differently the second time (DNS rebinding) gains nothing. Redirects are followed by hand under the same
rules. Proxies of the environment are not used: they would resolve the name again.
"""

import ssl
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPException
from urllib.parse import urljoin

from urllib3.connection import HTTPSConnection
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.response import HTTPResponse
from urllib3.util import Url, parse_url

from z_interact_assets.core.errors import SourceRefusedError, SourceUnavailableError, UnsafeURLError
from z_interact_assets.core.models import ImageLimits
from z_interact_assets.storage.deadlines import Deadline, DeadlineExpired
from z_interact_assets.storage.objects.addresses import AddressPolicy, IPAddress, Resolver, is_public, resolve_host

HTTPS_PORT = 443
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_RETRYABLE = frozenset({408, 425, 429})
_CHUNK = 64 * 1024
_CONNECT_SECONDS = 10.0
_TOO_SLOW = "too slow"
_HEADERS = {"Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": "z-interact-assets"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedImage:
    """What the server sent. `content_type` is its claim, without parameters; the bytes are not yet proved an image."""

    data: bytes = field(repr=False)
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFetcher:
    """The rules of a download. `max_seconds` bounds all of it, redirects included, except a resolver that hangs.

    `is_allowed`, `resolve`, `allowed_ports`, `tls` and `clock` (monotonic seconds) are there for tests and for networks
    with rules of their own; the defaults are the safe ones.
    """

    max_bytes: int = ImageLimits().max_bytes
    max_seconds: float = 60.0
    max_redirects: int = 5
    allowed_ports: frozenset[int] = frozenset({HTTPS_PORT})
    is_allowed: AddressPolicy = is_public
    resolve: Resolver = resolve_host
    tls: ssl.SSLContext | None = None
    clock: Callable[[], float] = time.monotonic

    def fetch(self, url: str) -> FetchedImage:
        """The bytes at the URL.

        UnsafeURLError if it breaks a rule, SourceRefusedError on a 4xx, SourceUnavailableError on what may pass.
        """
        deadline = self.clock() + self.max_seconds
        for _ in range(self.max_redirects + 1):
            target = _parse(url)
            answer = self._visit(target, deadline)
            if isinstance(answer, FetchedImage):
                return answer
            url = urljoin(target.url, answer)
        raise UnsafeURLError(f"{_shown(_parse(url))} is one redirect too many.")

    def _visit(self, target: Url, deadline: float) -> FetchedImage | str:
        """One request: the image, or the Location of a redirect."""
        addresses = self._checked_addresses(target)
        connection = self._connect(target, addresses, deadline)
        try:
            with Deadline(self._left(target, deadline)) as limit:
                try:
                    limit.watch(connection.sock)
                    connection.request(
                        "GET", target.request_uri, headers=_headers(target), preload_content=False, decode_content=False
                    )
                    # Closing the connection alone leaves the socket open while an unread response refers to it.
                    with closing(connection.getresponse()) as response:
                        answer = self._read(target, response)
                except (HTTPError, HTTPException, OSError, DeadlineExpired) as error:
                    raise _unavailable(target, _TOO_SLOW if limit.expired else type(error).__name__) from None
                if limit.expired:
                    raise _unavailable(target, _TOO_SLOW)
                return answer
        finally:
            connection.close()

    def _checked_addresses(self, target: Url) -> tuple[IPAddress, ...]:
        port = target.port or HTTPS_PORT
        if target.scheme != "https" or target.auth is not None or not target.host:
            raise UnsafeURLError(f"{_shown(target)} is not an https URL without credentials.")
        if port not in self.allowed_ports:
            raise UnsafeURLError(f"{_shown(target)} uses port {port}.")
        try:
            addresses = tuple(self.resolve(_host(target)))
        except (OSError, UnicodeError) as error:
            raise _unavailable(target, type(error).__name__) from None
        if not addresses:
            raise _unavailable(target, "the host has no address")
        # One private address among public ones is an attack or a mistake: which one is used would be chance.
        if not all(self.is_allowed(address) for address in addresses):
            raise UnsafeURLError(f"{_shown(target)} leads to an address outside the public internet.")
        return addresses

    def _connect(self, target: Url, addresses: tuple[IPAddress, ...], deadline: float) -> HTTPSConnection:
        failure = ""
        for address in addresses:
            connection = HTTPSConnection(
                str(address),
                target.port or HTTPS_PORT,
                timeout=min(_CONNECT_SECONDS, self._left(target, deadline)),
                server_hostname=_host(target),
                ssl_context=self.tls or ssl.create_default_context(),
            )
            try:
                connection.connect()
            except (HTTPError, OSError) as error:
                connection.close()
                failure = type(error).__name__
            else:
                return connection
        raise _unavailable(target, failure)

    def _read(self, target: Url, response: HTTPResponse) -> FetchedImage | str:
        if response.status in _REDIRECTS and (location := response.headers.get("Location")):
            return location
        _check_status(target, response.status)
        content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if not content_type.startswith("image/"):
            raise UnsafeURLError(f"{_shown(target)} does not say that it is an image.")
        if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
            raise UnsafeURLError(f"{_shown(target)} is compressed although it was asked for as it is.")
        return FetchedImage(data=self._read_body(target, response), content_type=content_type)

    def _read_body(self, target: Url, response: HTTPResponse) -> bytes:
        too_large = UnsafeURLError(f"{_shown(target)} is larger than {self.max_bytes} bytes.")
        announced = response.headers.get("Content-Length", "")
        if announced.isascii() and announced.isdigit() and int(announced) > self.max_bytes:
            raise too_large
        body = bytearray()
        for chunk in response.stream(_CHUNK, decode_content=False):
            body += chunk
            if len(body) > self.max_bytes:
                raise too_large
        return bytes(body)

    def _left(self, target: Url, deadline: float) -> float:
        left = deadline - self.clock()
        if left <= 0:
            raise _unavailable(target, _TOO_SLOW)
        return left


def _parse(url: str) -> Url:
    try:
        target = parse_url(url)
    except (LocationParseError, ValueError):
        raise UnsafeURLError("The URL cannot be parsed.") from None
    if target.host and ("%" in target.host or not target.host.isascii()):
        raise UnsafeURLError(f"The host of {_shown(target)} is not one.")
    return target


def _host(target: Url) -> str:
    """The bare host: no brackets, no trailing dot (a certificate never has one)."""
    return (target.host or "").strip("[]").removesuffix(".")


def _headers(target: Url) -> dict[str, str]:
    return {**_HEADERS, "Host": target.netloc or ""}


def _check_status(target: Url, status: int) -> None:
    if status == HTTPStatus.OK:
        return
    if status in _RETRYABLE or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise _unavailable(target, f"status {status}")
    raise SourceRefusedError(f"{_shown(target)} answered {status}.", status=status)


def _shown(target: Url) -> str:
    """The URL for a message: no credentials, no query (signatures live there), no fragment."""
    return Url(scheme=target.scheme, host=target.host, port=target.port, path=target.path).url or "The URL"


def _unavailable(target: Url, why: str) -> SourceUnavailableError:
    return SourceUnavailableError(f"{_shown(target)} could not be fetched ({why}).")
