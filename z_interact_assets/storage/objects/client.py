"""The boto3 client for R2: configuration and construction only. No verb of the store is here.

boto3's defaults are wrong for R2 in five places (checksums, `Expect`, payload signing, pool size, retries) and a
machine's own AWS settings would leak in; each deviation below says why it is there.
"""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import boto3
import botocore.session
from botocore.config import Config
from botocore.handlers import add_expect_header
from botocore.httpsession import get_cert_path
from botocore.loaders import Loader
from pydantic import SecretStr

from z_interact_assets.core.errors import SettingsError
from z_interact_assets.core.metadata import Cipher
from z_interact_assets.core.urls import is_loopback_or_https
from z_interact_assets.storage.objects.retrying import RetryPolicy

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DEFAULT_CACHE_CONTROL = "public, max-age=31536000"
THROTTLED_STATUSES = frozenset({429, 503})
JURISDICTIONS = ("eu", "fedramp", "us")


def account_endpoint(account_id: str, jurisdiction: str | None = None) -> str:
    """The S3 endpoint of a Cloudflare account, or SettingsError."""
    if not (account_id.isascii() and account_id.isalnum()):
        raise SettingsError(["R2_ACCOUNT_ID is not a Cloudflare account id (32 hex digits)."])
    if jurisdiction and jurisdiction not in JURISDICTIONS:
        raise SettingsError([f"R2_JURISDICTION is not one of {', '.join(JURISDICTIONS)}."])
    return f"https://{account_id}.{f'{jurisdiction}.' if jurisdiction else ''}r2.cloudflarestorage.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class R2Config:
    """Everything a store needs, checked when it is made (SettingsError lists all problems at once).

    Timeouts are seconds; `max_attempts` counts the first try and `backoff` is the first pause in seconds (see
    `retrying`: 3.75 to 7.5 s in all by default); `verify` is True, False or the path of a CA bundle.
    `max_pool_connections` must be at least the number of requests in flight.
    """

    endpoint_url: str
    bucket: str
    access_key_id: str = field(repr=False)
    secret_access_key: str | SecretStr = field(repr=False)
    region: str = "auto"
    public_url: str | None = None
    former_public_urls: tuple[str, ...] = ()
    cache_control: str = DEFAULT_CACHE_CONTROL
    max_pool_connections: int = 128
    max_attempts: int = 5
    backoff: float = 0.5
    connect_timeout: float = 10
    read_timeout: float = 60
    verify: bool | str = True
    cipher: Cipher | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        problems = [
            *url_problems("R2_ENDPOINT_URL", self.endpoint_url),
            *([] if self.bucket else ["R2_BUCKET_NAME is empty."]),
            *([] if self.access_key_id else ["R2_ACCESS_KEY_ID is empty."]),
            *([] if self.secret else ["R2_SECRET_ACCESS_KEY is empty."]),
        ]
        if self.public_url:
            problems += url_problems("R2_PUBLIC_URL", self.public_url)
        if problems:
            raise SettingsError(problems)

    @property
    def is_secure(self) -> bool:
        """Whether requests go over TLS."""
        return self.endpoint_url.lower().startswith("https:")

    @property
    def authorities(self) -> str:
        """The CA bundle that certificates are held to; boto3's own by default, since a slim container may have none."""
        return self.verify if isinstance(self.verify, str) else get_cert_path(verify=True) or ""

    @property
    def secret(self) -> str:
        """The secret access key in the clear, for the client only."""
        key = self.secret_access_key
        return key.get_secret_value() if isinstance(key, SecretStr) else key


def url_problems(name: str, url: str) -> list[str]:
    """What is wrong with a base URL. The value is not repeated: a pasted URL may hold a password."""
    if is_loopback_or_https(url):
        return []
    return [f"{name} must be an https URL without credentials (http is allowed to this machine only)."]


def build_client(config: R2Config) -> "S3Client":
    """A client tuned for R2 that takes nothing from the machine's environment or ~/.aws."""
    session = boto3.Session(botocore_session=_isolated_session())
    client = session.client(
        "s3",
        endpoint_url=config.endpoint_url,
        region_name=config.region,
        aws_access_key_id=config.access_key_id,
        aws_secret_access_key=config.secret,
        verify=config.verify,
        config=_client_config(config),
    )
    # R2 does not answer 100: measured, a PUT then hangs for the whole read timeout; elsewhere it costs a round trip.
    client.meta.events.unregister("before-call.s3", add_expect_header)
    client.meta.events.register("before-call.s3", _stay_in_this_region)
    client.meta.events.register("before-call.s3.DeleteObjects", _prefer_content_md5)
    RetryPolicy(max_attempts=config.max_attempts, backoff=config.backoff).install(client)
    return client


def _client_config(config: R2Config) -> Config:
    return Config(
        # Without s3v4 a presigned URL may come out as SigV2, which R2 refuses.
        signature_version="s3v4",
        s3={
            "addressing_style": "path",
            # TLS guards the body and Content-MD5 proves it: hashing it once more for the signature is CPU for nothing.
            # botocore ignores this on plain http.
            "payload_signing_enabled": not config.is_secure,
        },
        # Over TLS the default is an aws-chunked body with a trailer, which R2 has answered with 501 and Unauthorized.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        max_pool_connections=config.max_pool_connections,
        connect_timeout=config.connect_timeout,
        read_timeout=config.read_timeout,
        tcp_keepalive=True,
        proxies={},
        retries={"mode": "standard", "total_max_attempts": config.max_attempts},
    )


def _isolated_session() -> botocore.session.Session:
    # Each variable keeps its default but loses its config-file name and its environment variable: AWS_PROFILE of
    # another project would otherwise stop the client from being made, AWS_CA_BUNDLE redirect its trust.
    variables: dict[str, tuple[None, None, Any, Any]] = {
        name: (None, None, default, convert)
        for name, (_, _, default, convert) in botocore.session.Session.SESSION_VARIABLES.items()
    }
    for name in ("config_file", "credentials_file", "profile"):
        variables[name] = (None, None, None, None)
    session = botocore.session.Session(session_vars=variables)
    session.register_component("data_loader", _api_models())
    return session


@cache
def _api_models() -> Loader:
    # botocore's description of the S3 API: parsing it anew for each client is four fifths of the 0.12 s one takes.
    return Loader()


def _stay_in_this_region(params: dict[str, Any], **_: object) -> None:
    # R2 has one region. On any 301, 302 or 307 botocore looks for the right one by HEADs of the bucket, each of which
    # does the same: measured against a proxy that redirects, 80 requests until Python's recursion limit.
    params["context"].setdefault("s3_redirect", {})["redirected"] = True


def _prefer_content_md5(params: dict[str, Any], **_: object) -> None:
    # DeleteObjects "requires" a checksum, so when_required still adds a CRC32 header; Content-MD5 is what every S3
    # implementation accepts there.
    params["context"].pop("checksum", None)
    params["headers"].pop("x-amz-sdk-checksum-algorithm", None)
    params["headers"]["Content-MD5"] = content_md5(hashlib.md5(params["body"], usedforsecurity=False).hexdigest())


def content_md5(md5_hex: str) -> str:
    """The Content-MD5 header of a hex digest."""
    return base64.b64encode(bytes.fromhex(md5_hex)).decode("ascii")


def on_throttle(client: "S3Client", callback: Callable[[], None]) -> None:
    """Call `callback` on every 429 or 503 answer, retried ones included, from the thread that got it."""

    def watch(response: tuple[Any, Any] | None, **_: object) -> None:
        if response is not None and response[0].status_code in THROTTLED_STATUSES:
            callback()

    cast("Any", client.meta.events).register_first("needs-retry.s3", watch)
