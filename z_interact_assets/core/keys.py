"""Object keys: their rules, how they are built and how they are read back. Nothing here knows R2.

    images/{session}/{persona}/{timestamp ms}-{random id}.{ext}      (no session part where the row has none)

A key is written into URLs as it is, so its parts hold `[A-Za-z0-9._-]` only. A row's `created_at` is read here too,
because the key of a migrated row hangs on it.
"""

import hashlib
import re
from base64 import b32hexencode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Literal, Self

from z_interact_assets.core.errors import ImageRejectedError, InvalidKeyError
from z_interact_assets.core.models import ImageFormat
from z_interact_assets.core.reasons import Reason

MAX_KEY_BYTES = 1024
IMAGE_PREFIX = "images/"

_UNKNOWN_PERSONA = "unknown"
_RANDOM_ID_LENGTH = 9  # characters of 5 bits, beside a timestamp
_RANDOM_BYTES = 6
_SAFE_PART = re.compile(r"[A-Za-z0-9._-]+")
_UNSAFE_CHARACTER = re.compile(r"[^A-Za-z0-9._-]")
_DOTS_ONLY = ("", ".", "..")
_RANDOM_ID = re.compile(r"[a-z0-9]{1,32}")
_FILE_NAME = re.compile(
    r"(?P<time>0|[1-9][0-9]{0,17})-(?P<random>[a-z0-9]{1,32})\.(?P<format>" + "|".join(ImageFormat) + ")"
)
_MAX_TIMESTAMP = 10**18 - 1

_SECONDS_BELOW = 10**11  # the app wrote seconds until 2025-09-08, milliseconds after
_YEAR_9999_MS = 253_402_300_799_999
_NUMERIC = re.compile(r"[0-9]{1,20}(?:\.[0-9]{0,20})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def sanitise_part(text: str) -> str:
    """The text as one part of a key: unchanged if it may be one, else marked with a hash of the original.

    The hash keeps apart what the replacement would make equal (`a b` and `a/b`).
    """
    if _is_safe(text):
        return text
    replaced = _UNSAFE_CHARACTER.sub("-", text) if text not in _DOTS_ONLY else "-" * len(text)
    return f"{replaced}-{_sha256(text).hex()[:6]}"


def validate_key(key: str) -> None:
    """InvalidKeyError unless the key can be stored and stand in a URL unescaped."""
    problem = _problem_of(key)
    if problem:
        raise InvalidKeyError(
            f"The object key {problem}.",
            key=key,
            remedy="A key is parts of A-Z, a-z, 0-9, '.', '_', '-' joined by '/', so that its URL needs no escaping.",
        )


def is_valid_key(key: str) -> bool:
    """Whether `validate_key` would accept the key."""
    return not _problem_of(key)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectKey:
    """The key of one image, in its parts, each already safe (see `sanitise_part`). InvalidKeyError otherwise."""

    persona: str
    session: str | None
    timestamp_ms: int
    random_id: str
    format: ImageFormat

    def __post_init__(self) -> None:
        key = self.build()
        validate_key(key)
        parts = [self.persona] if self.session is None else [self.session, self.persona]
        whole = all(_is_safe(part) for part in parts) and _RANDOM_ID.fullmatch(self.random_id)
        if not whole or not 0 <= self.timestamp_ms <= _MAX_TIMESTAMP:
            raise InvalidKeyError("The object key has a part that breaks its pattern.", key=key)

    def build(self) -> str:
        """The key as text."""
        folder = IMAGE_PREFIX if self.session is None else f"{IMAGE_PREFIX}{self.session}/"
        return f"{folder}{self.persona}/{self.timestamp_ms}-{self.random_id}.{self.format.value}"

    @classmethod
    def of(
        cls,
        *,
        session_id: str | None,
        persona_id: str | None,
        timestamp_ms: int,
        random_id: str,
        format: ImageFormat,  # noqa: A002 - the name of the field it sets
    ) -> Self:
        """From raw ids. An empty session is none; a missing persona is `unknown`."""
        return cls(
            persona=_UNKNOWN_PERSONA if persona_id is None else sanitise_part(persona_id),
            session=sanitise_part(session_id) if session_id else None,
            timestamp_ms=timestamp_ms,
            random_id=random_id,
            format=format,
        )


def parse_key(key: str) -> ObjectKey | None:
    """The parts of a key of our pattern; None for any other key."""
    if not key.startswith(IMAGE_PREFIX) or not is_valid_key(key):
        return None
    *folders, name = key.removeprefix(IMAGE_PREFIX).split("/")
    match = _FILE_NAME.fullmatch(name)
    if match is None or len(folders) not in (1, 2):
        return None
    return ObjectKey(
        persona=folders[-1],
        session=folders[0] if len(folders) > 1 else None,
        timestamp_ms=int(match["time"]),
        random_id=match["random"],
        format=ImageFormat(match["format"]),
    )


def migrated_key(
    *,
    row_id: str,
    session_id: str | None,
    persona_id: str | None,
    created_at_ms: int,
    sha256: str,
    format: ImageFormat,  # noqa: A002 - the name of the key's part
) -> str:
    """The key of a migrated row: a pure function of the row and its bytes, the same on any machine, forever.

    ImageRejectedError (bad_key_part) if the ids make it longer than a key may be.
    """
    try:
        return ObjectKey.of(
            session_id=session_id,
            persona_id=persona_id,
            timestamp_ms=created_at_ms,
            random_id=_random_id(_sha256(f"{row_id}\n{sha256}")),
            format=format,
        ).build()
    except InvalidKeyError as error:
        raise ImageRejectedError(Reason.BAD_KEY_PART, error.message) from error


def is_migrated_key(key: str, *, row_id: str, sha256: str) -> bool:
    """Tell whether `migrated_key` made the key for this row and these bytes: then no other row's migration can have."""
    parsed = parse_key(key)
    return parsed is not None and parsed.random_id == _random_id(_sha256(f"{row_id}\n{sha256}"))


def generated_key(
    *,
    session_id: str | None,
    persona_id: str | None,
    now_ms: int,
    random: bytes,
    format: ImageFormat,  # noqa: A002 - the name of the key's part
) -> str:
    """The key of a new image, from the time and at least 6 random bytes (both are passed in)."""
    if len(random) < _RANDOM_BYTES:
        raise ValueError(f"a key needs at least {_RANDOM_BYTES} random bytes")
    return ObjectKey.of(
        session_id=session_id,
        persona_id=persona_id,
        timestamp_ms=now_ms,
        random_id=_random_id(random),
        format=format,
    ).build()


def created_at_ms(value: object) -> int:
    """A row's `created_at` in ms since 1970 UTC, whatever was stored; 0 where it says nothing usable.

    Numbers (and numeric text) below 1e11 are seconds. Other text is ISO 8601, UTC unless it says otherwise.
    """
    number = _as_number(value)
    if number is None:
        return _ms_of_moment(value)
    milliseconds = number * 1000 if number < _SECONDS_BELOW else number
    return round(milliseconds) if 0 <= milliseconds <= _YEAR_9999_MS else 0


def row_unit(created_at: object) -> Literal["s", "ms"]:
    """The unit in which a row keeps its times: that of its `created_at`; ms where that is no number."""
    number = _as_number(created_at)
    return "s" if number is not None and 0 <= number < _SECONDS_BELOW else "ms"


def in_row_unit(now_ms: int, created_at: object) -> int:
    """The time as the row's own `updated_at` would hold it."""
    return now_ms // 1000 if row_unit(created_at) == "s" else now_ms


def _as_number(value: object) -> int | float | None:
    if isinstance(value, str) and _NUMERIC.fullmatch(value.strip()):
        value = Decimal(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    # Compared before it is converted: an int beyond float's range would raise. NaN fails every comparison.
    if isinstance(value, Decimal) and value.is_nan():
        return None
    if not -_YEAR_9999_MS <= value <= _YEAR_9999_MS:
        return None
    return value if isinstance(value, int) else float(value)


def _ms_of_moment(value: object) -> int:
    try:
        moment = datetime.fromisoformat(value.strip()) if isinstance(value, str) else value
        if not isinstance(moment, datetime):
            return 0
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0, (moment - _EPOCH) // timedelta(milliseconds=1))
    except (ValueError, OverflowError):
        return 0


def _is_safe(part: str) -> bool:
    return part not in _DOTS_ONLY and _SAFE_PART.fullmatch(part) is not None


@lru_cache(maxsize=4096)  # a key is checked where it is made, sent and put into a URL
def _problem_of(key: str) -> str:
    if not key:
        return "is empty"
    if len(key.encode("utf-8", "surrogatepass")) > MAX_KEY_BYTES:
        return f"is longer than {MAX_KEY_BYTES} bytes"
    parts = key.split("/")
    if any(part in _DOTS_ONLY for part in parts):
        return "starts or ends with a slash or has a part that is empty, '.' or '..'"
    if not all(_SAFE_PART.fullmatch(part) for part in parts):
        return "holds a character outside its alphabet"
    return ""


def _random_id(data: bytes) -> str:
    return b32hexencode(data[: -(-_RANDOM_ID_LENGTH // 8) * 5]).decode("ascii").lower()[:_RANDOM_ID_LENGTH]


def _sha256(text: str) -> bytes:
    # Ids are whatever the app stored: a lone surrogate must not raise.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
