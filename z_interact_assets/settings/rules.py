"""Rules for single values: the text of a setting in, its value out, or a ValueError that never quotes it."""

import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from urllib.parse import urlsplit

from z_interact_assets.core.errors import SettingsError
from z_interact_assets.core.urls import KnownBases, is_loopback_or_https, without_secret_parameters

D1_SCHEME = "cloudflare_d1://"

_TABLE_URL = re.compile(r"(?:file|dump|sqlite(?:\+\w+)?|postgres(?:ql)?(?:\+\w+)?|cloudflare_d1):.", re.IGNORECASE)
_LEDGER_URL = re.compile(r"(?:sqlite|postgresql)(?:\+\w+)?://", re.IGNORECASE)
# A name, the lowest and the highest value, and the names of values from the lowest on.
_CRON_FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")),
    ("day of the week", 0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat")),
)
_CRON_ITEM = re.compile(r"(?:(?P<every>\*)|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>[1-9][0-9]?))?", re.ASCII)
_PSEUDONYM_KEY_CHARACTERS = 16
_FERNET_KEY_BYTES = 32


def split_list(value: object) -> object:
    """The elements of a comma list; a value that is no text is left to pydantic."""
    if not isinstance(value, str):
        return value
    return tuple(element.strip() for element in value.split(",") if element.strip())


def check_public_base(url: str) -> str:
    """A base under which keys are public, without a slash at its end."""
    check_safe_scheme(url)
    return check_known_base(url)


def check_known_base(url: str) -> str:
    """A base that is only recognised, never written."""
    try:
        KnownBases(url)
    except SettingsError:
        raise ValueError("not a plain http(s) URL without user, query and fragment") from None
    return url.rstrip("/")


def check_safe_scheme(url: str) -> str:
    """A URL that credentials may be sent to."""
    if not is_loopback_or_https(url):
        raise ValueError("must be an https:// URL (http:// only on localhost), without a user in it")
    return url.rstrip("/")


def check_web_url(url: str) -> str:
    """A web page's address, without a user in it and without a slash at its end."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError("not an http(s) URL without a user in it")
    return url.rstrip("/")


def check_mail_url(url: str) -> str:
    """A mail account; mailto:// (in clear) only on this machine."""
    parts = urlsplit(url)
    if parts.scheme == "mailtos" and parts.hostname:
        return url
    if parts.scheme == "mailto" and parts.hostname in ("localhost", "127.0.0.1", "::1"):
        return url
    raise ValueError("not a mailtos:// URL (mailto:// only on localhost)")


def check_table_url(url: str) -> str:
    """A database URL of a kind we know."""
    if not _TABLE_URL.match(url):
        raise ValueError("its scheme is not one of file:, sqlite:, postgresql:, cloudflare_d1:, dump:")
    return url


def check_ledger_url(url: str) -> str:
    """A ledger lives in SQLite or Postgres."""
    if not _LEDGER_URL.match(url):
        raise ValueError("its scheme is not sqlite:// or postgresql://")
    return url


def complete_d1_url(url: str, database_id: str | None) -> str:
    """`cloudflare_d1://ACCOUNT:TOKEN@` with the database it leaves out."""
    if not url.startswith(D1_SCHEME) or not url.endswith("@"):
        return url
    if not database_id:
        raise ValueError("names no database: write its id after the '@', or set D1_DATABASE_ID")
    return url + database_id


def check_encryption_key(key: str) -> str:
    """A Fernet key, as far as it can be told without `cryptography`."""
    try:
        size = len(urlsafe_b64decode(key.encode("ascii")))
    except ValueError:
        size = 0
    if size != _FERNET_KEY_BYTES:
        raise ValueError("not a Fernet key (32 bytes in url-safe base64)")
    return key


def check_pseudonym_key(key: str) -> str:
    """A secret too long to be tried out."""
    if len(key) < _PSEUDONYM_KEY_CHARACTERS:
        raise ValueError(f"shorter than {_PSEUDONYM_KEY_CHARACTERS} characters")
    return key


def check_cron(text: str) -> str:
    """Five cron fields, each within its range."""
    fields = text.lower().split()
    if len(fields) != len(_CRON_FIELDS):
        raise ValueError("not a cron expression of five fields")
    for field, (name, lowest, highest, names) in zip(fields, _CRON_FIELDS, strict=True):
        values = {text: value for value, text in enumerate(names, start=lowest)}
        values |= {str(value): value for value in range(lowest, highest + 1)}
        if not all(_is_cron_item(item, values) for item in field.split(",")):
            raise ValueError(
                f"not a cron expression: the {name} is none of {lowest} to {highest}, *, a-b, with /n or not"
            )
    return " ".join(fields)


def _is_cron_item(item: str, values: Mapping[str, int]) -> bool:
    """Tell whether this is `*`, a value, or values from one to another, with a step or without."""
    parts = _CRON_ITEM.fullmatch(item)
    if parts is None or (parts["step"] and int(parts["step"]) > max(values.values())):
        return False
    first, last = (part and (part.lstrip("0") or "0") for part in parts.group("first", "last"))
    if parts["every"] or (first in values and last is None):
        return True
    return first in values and last in values and values[first] <= values[last]


def check_time_zone(name: str) -> str:
    """An IANA time zone this machine knows."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - needed only where a zone is set, to start quickly

    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ValueError("not an IANA time zone such as Europe/Zurich") from None
    return name


def check_concurrency(value: object, maximum: int) -> object:
    """`auto`, or a number of uploads up to the maximum."""
    text = str(value).strip().lower()
    if text == "auto":
        return text
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= maximum:
        raise ValueError(f"must be auto or a whole number from 1 to {maximum}")
    return int(text)


def redact_url(url: str) -> str:
    """The URL for logs: the password (the token of D1) and secret parameters replaced by ***."""
    scheme, separator, rest = without_secret_parameters(url).partition("://")
    # The last @: a password may hold one that nobody escaped.
    user, at, place = rest.rpartition("@")
    name, colon, _ = user.partition(":")
    return f"{scheme}{separator}{name}{':***' if colon else ''}{at}{place}"
