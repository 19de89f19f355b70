"""Reads through urllib3 and a signature of our own: a fifth of boto3's CPU a request (0.4 of 2.8 ms), all of its rules.

boto3's time goes into its model of the API. obstore, our engine for PUTs, takes half of this again, but follows a
redirect of a HEAD or GET and takes whatever is there for the object, and does not hear a Retry-After.
"""

import re
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse
from urllib3.util import Timeout

from z_interact_assets.core.keys import is_valid_key
from z_interact_assets.storage.objects.client import THROTTLED_STATUSES, R2Config
from z_interact_assets.storage.objects.failures import (
    answer_may_pass,
    error_of_answer,
    translated,
    trouble_may_pass,
)
from z_interact_assets.storage.objects.list_xml import parse_page
from z_interact_assets.storage.objects.puts import bare
from z_interact_assets.storage.objects.reads import ListPage, ObjectFacts, Reads, no_answer_of_s3
from z_interact_assets.storage.objects.retrying import RetryPolicy, retry_after
from z_interact_assets.storage.objects.signing import Signer, query_string

_METADATA = "x-amz-meta-"
_CODE = re.compile(rb"<Code>(\w{1,64})</Code>")
_ERROR_BYTES = 64 * 1024


_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class _Refused:
    """An answer that is not the object."""

    status: int
    code: str
    retry_after: float | None


class SignedReads:
    """Reads of the bucket of a config. Keys that need escaping, which none of ours do, go to the engine behind."""

    def __init__(self, config: R2Config, behind: Reads, *, clock: Callable[[], float] = time.time) -> None:
        url = urlsplit(config.endpoint_url)
        self._bucket = config.bucket
        self._path = f"{url.path.rstrip('/')}/{config.bucket}"
        self._behind = behind
        self._clock = clock
        self._policy = RetryPolicy(max_attempts=config.max_attempts, backoff=config.backoff)
        self._throttled: Callable[[], None] | None = None
        self._signer = Signer(
            host=url.netloc, region=config.region, access_key_id=config.access_key_id, secret=config.secret
        )
        self._connections = _connections(config)

    def head(self, key: str) -> ObjectFacts | None:
        """One request, again where that may help."""
        if not is_valid_key(key):
            return self._behind.head(key)
        answer = self._ask("HEAD", key, {}, lambda answer: _head(key, answer))
        if isinstance(answer, _Refused):
            # A HEAD's 404 has no body: it may be the bucket that is missing, which only `check` can tell.
            if answer.status == HTTPStatus.NOT_FOUND:
                return None
            raise error_of_answer(answer.status, str(answer.status), bucket=self._bucket, key=key)
        return answer

    def get(self, key: str, *, size: int | None = None) -> tuple[ObjectFacts, bytes | None]:
        """One request, again where that may help, also where the body broke off."""
        if not is_valid_key(key):
            return self._behind.get(key, size=size)
        answer = self._ask("GET", key, {}, lambda answer: _object(key, size, answer))
        if isinstance(answer, _Refused):
            raise error_of_answer(answer.status, answer.code, bucket=self._bucket, key=key)
        return answer

    def page(self, prefix: str, *, after: str = "", token: str = "") -> ListPage:
        """One request, again where that may help."""
        query = {"list-type": "2", "prefix": prefix, "encoding-type": "url"}
        query |= {name: text for name, text in (("start-after", after), ("continuation-token", token)) if text}
        answer = self._ask("GET", None, query, lambda answer: answer.read())
        if isinstance(answer, _Refused):
            raise error_of_answer(answer.status, answer.code, bucket=self._bucket)
        return parse_page(answer)

    def on_throttle(self, callback: Callable[[], None]) -> None:
        """Call `callback` on every 429 or 503."""
        self._throttled = callback

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()

    def _ask(
        self, method: str, key: str | None, query: Mapping[str, str], read: Callable[[BaseHTTPResponse], _Answer]
    ) -> _Answer | _Refused:
        attempts = 0
        with translated(self._bucket, key):
            while True:
                attempts += 1
                try:
                    answer = self._attempt(method, key, query, read)
                except (HTTPError, OSError) as error:
                    pause = self._policy.pause(attempts) if trouble_may_pass(error) else None
                    if pause is None:
                        raise
                else:
                    pause = self._pause_after(answer, attempts)
                    if pause is None:
                        return answer
                time.sleep(pause)

    def _attempt(
        self, method: str, key: str | None, query: Mapping[str, str], read: Callable[[BaseHTTPResponse], _Answer]
    ) -> _Answer | _Refused:
        path = self._path if key is None else f"{self._path}/{key}"
        headers = self._signer.headers(method, path, query, at=self._clock())
        url = f"{path}?{query_string(query)}" if query else path
        answer = self._connections.urlopen(
            method, url, headers=headers, redirect=False, retries=False, preload_content=False, decode_content=False
        )
        with closing(answer):  # what is not read to its end closes its connection
            if answer.status == HTTPStatus.OK:
                return read(answer)
            found = _CODE.search(answer.read(_ERROR_BYTES))
            return _Refused(
                answer.status, found[1].decode() if found else "", retry_after(answer.headers.get("Retry-After"))
            )

    def _pause_after(self, answer: object, attempts: int) -> float | None:
        if not isinstance(answer, _Refused):
            return None
        if answer.status in THROTTLED_STATUSES and self._throttled is not None:
            self._throttled()
        if not answer_may_pass(answer.status, answer.code):
            return None
        return self._policy.pause(attempts, answer.retry_after)


def fast_reads(config: R2Config, behind: Reads) -> Reads:
    """Return the engine for a config: the one behind where certificates are not to be looked at."""
    return behind if config.verify is False else SignedReads(config, behind)


def _connections(config: R2Config) -> urllib3.HTTPConnectionPool:
    url = urlsplit(config.endpoint_url)
    options: dict[str, Any] = {
        "port": url.port,
        "timeout": Timeout(connect=config.connect_timeout, read=config.read_timeout),
        "maxsize": config.max_pool_connections,
        "block": False,
    }
    if not config.is_secure:
        return urllib3.HTTPConnectionPool(url.hostname or "", **options)
    return urllib3.HTTPSConnectionPool(url.hostname or "", ca_certs=config.authorities, **options)


def _head(key: str, answer: BaseHTTPResponse) -> ObjectFacts:
    answer.read()
    return _facts(key, answer.headers)


def _object(key: str, size: int | None, answer: BaseHTTPResponse) -> tuple[ObjectFacts, bytes | None]:
    facts = _facts(key, answer.headers)
    return facts, answer.read() if size in (None, facts.size) else None


def _facts(key: str, headers: Mapping[str, str]) -> ObjectFacts:
    etag, size, moment = headers.get("ETag"), headers.get("Content-Length", ""), headers.get("Last-Modified")
    if not etag or not moment or not (size.isascii() and size.isdigit()):
        raise no_answer_of_s3(f"object {key!r}")
    return ObjectFacts(
        size=int(size),
        etag=bare(etag),
        content_type=headers.get("Content-Type", ""),
        cache_control=headers.get("Cache-Control", ""),
        uploaded_at=_moment(key, moment),
        metadata={
            name.lower().removeprefix(_METADATA): text
            for name, text in headers.items() if name.lower().startswith(_METADATA)
        },
    )  # fmt: skip


def _moment(key: str, text: str) -> datetime:
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        raise no_answer_of_s3(f"object {key!r}") from None
