"""URLs and keys: which URLs are our objects, what `image_url` holds, which endpoints may be talked to.

Text in, facts out. Nothing here fetches or resolves; guarding a download is the downloader's task. A URL that two
parsers could read differently (userinfo, backslash, white space, non-ASCII) is never ours.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from z_interact_assets.core.errors import SettingsError
from z_interact_assets.core.keys import MAX_KEY_BYTES, is_valid_key, validate_key

_DEFAULT_PORTS = {"http": 80, "https": 443}
_PRINTABLE = re.compile(r"[!-~]+")
_WHITE_SPACE = " \t\r\n\f"
_PLAIN_KEY = re.compile(r"[\w-][\w.-]*(?:/[\w-][\w.-]*)*", re.ASCII)  # of all keys but those with a part like `.x`
_DEVELOPMENT_HOST = re.compile(r"pub-[0-9a-f]+\.r2\.dev")
# Of presigned URLs (S3, Azure's `sig`, Google's, CloudFront's) and of database URLs.
_SECRET_PARAMETER = re.compile(
    r"([?&;][^=&]*(?:passw|pwd|token|secret|key|sig|credential|auth|policy)[^=&]*=)[^&#]*", re.IGNORECASE
)
_USER = re.compile(r"(?<=://)[^/?#@]*@")
_S3_HOST = re.compile(r"(?P<account>[0-9a-z-]+)(?:\.(?:eu|fedramp|us))?\.r2\.cloudflarestorage\.com")


class UrlKind(StrEnum):
    """What an `image_url` holds."""

    DATA = "data"
    R2 = "r2"
    LOCAL = "local"
    HTTP = "http"
    EMPTY = "empty"
    UNRECOGNISED = "unrecognised"


@dataclass(frozen=True, slots=True)
class _Base:
    """A public base in parts, ready to be compared. `path` has no slash at its end."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def plain(self) -> str:
        """How URLs under it usually begin; other spellings mean the same."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}/"

    @classmethod
    def of(cls, url: str) -> "_Base":
        split = _split_web_url(url)
        if split is None or split.query or split.fragment:
            raise SettingsError([f"A public base is not a plain http(s) URL: {_without_secrets(url)}"])
        return cls(*_origin(split), split.path.rstrip("/"))

    def rest_of(self, split: SplitResult) -> str | None:
        """What follows the base's path in the URL; None if the URL is elsewhere."""
        prefix = f"{self.path}/"
        if _origin(split) != (self.scheme, self.host, self.port) or not split.path.startswith(prefix):
            return None
        return split.path[len(prefix) :]


@dataclass(frozen=True)
class KnownBases:
    """Every base under which our objects are or were reachable.

    Besides the configured ones, any `pub-<hex>.r2.dev`, and the S3 endpoint, whose first path part is the bucket. Where
    the account or the bucket is known, another's is not ours. SettingsError if a configured base is no URL.
    """

    public_base: str | None
    former_public_urls: tuple[str, ...] = ()
    account_id: str | None = None
    bucket: str | None = None
    _bases: tuple[_Base, ...] = field(init=False, repr=False, compare=False)
    _beginnings: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        configured = [self.public_base] if self.public_base else []
        bases = [_Base.of(url) for url in (*configured, *self.former_public_urls)]
        # The longest path first: of two bases on one host, one may hold the other.
        bases.sort(key=lambda base: len(base.path), reverse=True)
        object.__setattr__(self, "_bases", tuple(bases))
        object.__setattr__(self, "_beginnings", tuple(base.plain for base in bases))

    def key_of(self, url: str) -> str | None:
        """The key of the object the URL points at, or None if it is not one of ours.

        Nothing is unescaped; query and fragment are left out. What would not be a valid key is None.
        """
        url = url.strip(_WHITE_SPACE)
        for beginning in self._beginnings:  # nearly all; taking a URL apart costs ten times as much
            if url.startswith(beginning) and _PLAIN_KEY.fullmatch(key := url[len(beginning) :]):
                return key if len(key) <= MAX_KEY_BYTES else None
        split = _split_web_url(url)
        if split is None:
            return None
        key = self._key_under_a_base(split) or self._key_at_cloudflare(split)
        return key if key and is_valid_key(key) else None

    def is_public(self, url: str) -> bool:
        """Whether the URL is on a base browsers can read. Cloudflare's S3 endpoint is one of ours, but never public."""
        split = _split_web_url(url.strip(_WHITE_SPACE))
        return split is not None and _S3_HOST.fullmatch(split.hostname or "") is None

    def is_configured(self, url: str) -> bool:
        """Whether the URL is on R2_PUBLIC_URL or a former one: a pub-….r2.dev nobody configured may be anybody's."""
        split = _split_web_url(url.strip(_WHITE_SPACE))
        return split is not None and self._key_under_a_base(split) is not None

    def public_url(self, key: str) -> str:
        """`base + "/" + key`. SettingsError without a base, InvalidKeyError for a key that needs escaping."""
        if not self.public_base:
            raise SettingsError(
                ["Public URL not configured: set R2_PUBLIC_URL to the bucket's custom domain or r2.dev URL"]
            )
        validate_key(key)
        return f"{self.public_base.rstrip('/')}/{key}"

    def _key_under_a_base(self, split: SplitResult) -> str | None:
        return next((rest for base in self._bases if (rest := base.rest_of(split))), None)

    def _key_at_cloudflare(self, split: SplitResult) -> str | None:
        scheme, host, port = _origin(split)
        if (scheme, port) != ("https", 443):
            return None
        if _DEVELOPMENT_HOST.fullmatch(host):
            return split.path.removeprefix("/")
        endpoint = _S3_HOST.fullmatch(host)
        if endpoint is None or (self.account_id and endpoint["account"] != self.account_id.lower()):
            return None
        bucket, _, key = split.path.removeprefix("/").partition("/")
        return key if not self.bucket or bucket == self.bucket else None


def classify_url(text: str | None, bases: KnownBases) -> UrlKind:
    """What an `image_url` holds. Of a long `data:` URL the first few characters are enough."""
    stripped = (text or "").strip(_WHITE_SPACE)
    if not stripped:
        return UrlKind.EMPTY
    if not stripped.startswith("http"):
        if stripped[:5].lower() == "data:":
            return UrlKind.DATA
        if stripped.startswith("/"):
            return UrlKind.LOCAL if _is_local_path(stripped) else UrlKind.UNRECOGNISED
    if bases.key_of(stripped) is not None:
        return UrlKind.R2
    return UrlKind.HTTP if _is_web_url(stripped) else UrlKind.UNRECOGNISED


def is_loopback_or_https(url: str) -> bool:
    """Whether credentials and images may travel over it: https, or http that stays on this machine."""
    split = _split_web_url(url)
    return split is not None and (split.scheme == "https" or _is_loopback(split.hostname or ""))


def without_secret_parameters(url: str) -> str:
    """The URL with *** for the value of each parameter whose name sounds like a secret."""
    return _SECRET_PARAMETER.sub(r"\1***", url)


def without_access(url: str) -> str:
    """The URL as it may be told to others: no user, no signature; what it names stays."""
    return _USER.sub("", without_secret_parameters(url))


def _split_web_url(url: str) -> SplitResult | None:
    # urlsplit drops tabs and newlines and takes a backslash for a letter, where a browser takes it for a slash.
    if not _PRINTABLE.fullmatch(url) or "\\" in url:
        return None
    try:
        split = urlsplit(url)
        usable = split.scheme in _DEFAULT_PORTS and split.hostname and split.port != 0
    except ValueError:
        return None
    return split if usable and "@" not in split.netloc else None


def _origin(split: SplitResult) -> tuple[str, str, int]:
    return split.scheme, split.hostname or "", split.port or _DEFAULT_PORTS[split.scheme]


def _is_web_url(text: str) -> bool:
    try:
        split = urlsplit(text)
        return split.scheme in _DEFAULT_PORTS and bool(split.hostname)
    except ValueError:
        return False


def _is_local_path(path: str) -> bool:
    parts = path.split("/")
    safe = ".." not in parts and "\\" not in path and path.isprintable()
    return safe and parts[1] == "images" and bool(parts[2:]) and bool(parts[-1])


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _without_secrets(url: str) -> str:
    return url.partition("?")[0].rpartition("@")[2]
