"""PUTs through obstore: a tenth of boto3's CPU a request, and none of it under the GIL. Retries are `retrying`'s.

obstore tells nothing of an error answer but a text, in which its status and S3's code stand; headers are lost, so a
Retry-After is not heard here. It sends no Content-MD5 either: the ETag of the answer proves every byte.
"""

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from z_interact_assets.core.errors import StorageRefusedError, ZInteractError
from z_interact_assets.storage.objects.client import THROTTLED_STATUSES, R2Config
from z_interact_assets.storage.objects.failures import answer_may_pass, error_of_answer, is_taken, no_answer
from z_interact_assets.storage.objects.puts import ObjectWrite, bare
from z_interact_assets.storage.objects.retrying import RetryPolicy

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Credential, S3Store

# obstore bounds a request as a whole, body included, where boto3 bounds each silence: on a slow uplink a large image
# takes longer than any silence may.
_WHOLE_REQUEST = 5
_STATUS = re.compile(r"Server returned non-2xx status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w{1,64})</Code>")
_environment = threading.Lock()


class ObstorePuts:
    """PUTs into the bucket of a config."""

    def __init__(self, config: R2Config) -> None:
        self._config = config
        self._policy = RetryPolicy(max_attempts=config.max_attempts, backoff=config.backoff)
        self._throttled: Callable[[], None] | None = None
        self._opening = threading.Lock()

    def put(self, write: ObjectWrite) -> str | None:
        """Send it, again where that may help."""
        attempts = 0
        while True:
            answer = self._attempt(write)
            attempts += 1
            if not isinstance(answer, _Failure):
                return answer
            if answer.status in THROTTLED_STATUSES and self._throttled is not None:
                self._throttled()
            if not write.overwrite and is_taken(answer.status, answer.code):
                return None
            pause = self._policy.pause(attempts) if answer.may_pass else None
            if pause is None:
                raise answer.error(self._config.bucket, write.key)
            time.sleep(pause)

    def on_throttle(self, callback: Callable[[], None]) -> None:
        """Call `callback` on every 429 or 503."""
        self._throttled = callback

    def close(self) -> None:
        """Nothing to do: connections go with the object."""

    def _attempt(self, write: ObjectWrite) -> "str | _Failure":
        import obstore  # noqa: PLC0415 - most commands never upload
        from obstore.exceptions import BaseError  # noqa: PLC0415

        attributes = {"Content-Type": write.content_type, "Cache-Control": write.cache_control, **write.metadata}
        mode = "overwrite" if write.overwrite else "create"
        try:
            done = obstore.put(
                self._store, write.key, write.data, attributes=attributes, mode=mode, use_multipart=False
            )
        except (BaseError, OSError) as error:
            text = str(error)
        else:
            return bare(done["e_tag"] or "")
        return "" if "ETag Header missing" in text else _Failure.told(text)

    @property
    def _store(self) -> "S3Store":
        with self._opening:  # several threads may be the first
            return self._opened

    @cached_property
    def _opened(self) -> "S3Store":
        from obstore.store import S3Store  # noqa: PLC0415 - most commands never upload

        config = self._config
        credential: S3Credential = {
            "access_key_id": config.access_key_id, "secret_access_key": config.secret, "expires_at": None,
        }  # fmt: skip
        with _without_machine_settings():
            return S3Store(
                config.bucket,
                endpoint=config.endpoint_url,
                region=config.region,
                virtual_hosted_style_request=False,
                # TLS guards the body and its ETag proves it: hashing it for the signature is CPU for nothing.
                unsigned_payload=config.is_secure,
                # Not as options: those can be read back from the store.
                credential_provider=lambda: credential,
                client_options=_client_options(config),
                retry_config={"max_retries": 0},
            )


@dataclass(frozen=True, slots=True)
class _Failure:
    """An error answer (`status` > 0), or none that could be read: `trouble` names it."""

    status: int = 0
    code: str = ""
    trouble: str = ""

    @classmethod
    def told(cls, text: str) -> "_Failure":
        """Read obstore's message."""
        if found := _STATUS.search(text):
            code = _CODE.search(text, found.end())
            return cls(status=int(found[1]), code=code[1] if code else "")
        if "redirect without LOCATION" in text:
            return cls(status=HTTPStatus.MOVED_PERMANENTLY)
        if "InvalidCertificate" in text:
            return cls(trouble="SSLError")
        if "HTTP error" in text:
            return cls(trouble="Timeout" if "kind: Timeout" in text else "ConnectionError")
        return cls()

    @property
    def may_pass(self) -> bool:
        """Whether the same request may succeed later: a certificate that is not trusted will not be."""
        return answer_may_pass(self.status, self.code) if self.status else self.trouble not in ("", "SSLError")

    def error(self, bucket: str, key: str) -> ZInteractError:
        """Return it in our own terms."""
        if self.status == HTTPStatus.NOT_FOUND:
            return error_of_answer(self.status, self.code, bucket=bucket)  # a PUT needs no object to be there
        if self.status:
            return error_of_answer(self.status, self.code, bucket=bucket, key=key)
        if self.trouble:
            return no_answer(self.trouble, bucket=bucket, key=key)
        return StorageRefusedError(f"A request for object {key!r} in bucket {bucket!r} could not be made.")


def _client_options(config: R2Config) -> "ClientConfig":
    options: ClientConfig = {
        "allow_http": not config.is_secure,
        "connect_timeout": _milliseconds(config.connect_timeout),
        "timeout": _milliseconds(config.read_timeout * _WHOLE_REQUEST),
    }
    if config.verify is False:
        options["allow_invalid_certificates"] = True
    elif config.is_secure:
        options["root_certificate"] = Path(config.authorities).read_bytes()
    return options


def _milliseconds(seconds: float) -> str:
    return f"{int(seconds * 1000)}ms"


@contextmanager
def _without_machine_settings() -> Iterator[None]:
    """Hide AWS settings and proxies of this machine, which are another project's: obstore takes any it finds."""
    with _environment:
        hidden = {name: value for name, value in os.environ.items() if _is_a_setting(name.upper())}
        try:
            for name in hidden:
                del os.environ[name]
            yield
        finally:
            os.environ.update(hidden)


def _is_a_setting(name: str) -> bool:
    return name.startswith("AWS_") or name.endswith("_PROXY")
