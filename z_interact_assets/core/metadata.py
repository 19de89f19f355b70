"""Object metadata: ImageMetadata to the ASCII values of S3 user metadata, and back.

S3 headers hold ASCII; R2 decodes RFC 2047 words, keeps at most 8,192 bytes of names and decoded values, and lower-cases
the names. Writing obeys all three and never raises on hostile text; reading takes whatever a store returns and never
raises either. Encryption is a Cipher's task (see storage.ciphers).
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from email.charset import BASE64, Charset
from email.errors import MessageError
from email.header import decode_header
from typing import Protocol

from z_interact_assets.core.models import ImageMetadata

MAX_METADATA_BYTES = 8192
MAX_VALUE_BYTES = 512  # of each value but the prompt, so that the others never starve it
ENCRYPTED_PREFIX = "enc:v1:"

_NAMES = {
    "persona_id": "personaId",
    "session_id": "sessionId",
    "participant_id": "participantId",
    "provider": "provider",
    "generated_at": "generatedAt",
    "size": "size",
    "quality": "quality",
    "original_url": "originalUrl",
    "original_id": "originalId",
    "migrated_at": "migratedAt",
    "original_format": "originalFormat",
    "sha256": "sha256",
}
_PROMPT = "prompt"
_TRUNCATED = "promptTruncated"
_TRUE = "true"
_FIELDS = {name.lower(): field for field, name in (*_NAMES.items(), ("prompt", _PROMPT))}
_RESERVED = frozenset({*_FIELDS, _TRUNCATED.lower()})
_ENCRYPTED = frozenset({"prompt", "participantid", "originalurl"})

_LEAST_PROMPT_BYTES = 1024  # what unknown extra values must leave
_EXTRA_NAME = re.compile(r"[a-z0-9_.-]{1,64}")
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
# Signing folds runs of spaces, so they may not stand in a header as they are.
_NOT_PLAIN = re.compile(r"[^ -~]|^ | $|  |=\?")
_WORD = re.compile(r"=\?[^?\s]+\?[bq]\?[^?]*\?=", re.IGNORECASE)
_BYTES_IN_A_WORD = 45  # "=?utf-8?b?" + 60 characters of base64 + "?=" is 72, of the 75 that RFC 2047 allows

_UTF_8 = Charset("utf-8")
_UTF_8.header_encoding = BASE64


class Cipher(Protocol):
    """Authenticated encryption of short texts.

    The longer text never has the shorter ciphertext, and 512 bytes become 1,000 at most: the budget relies on both.
    """

    def encrypt(self, text: str) -> str:
        """The text as ASCII that only the keys' owners can read."""
        ...

    def decrypt(self, token: str) -> str:
        """The text again; ValueError if no key made this token, or it was changed."""
        ...


def encode_metadata(metadata: ImageMetadata, *, cipher: Cipher | None = None) -> dict[str, str]:
    """The metadata as printable ASCII within the budget; a prompt that does not fit is cut and marked."""
    values = {
        name: _seal(name, _cut(_storable(text), MAX_VALUE_BYTES), cipher)
        for field, name in _NAMES.items()
        if (text := getattr(metadata, field)) is not None
    }
    if metadata.prompt_truncated:
        values[_TRUNCATED] = _TRUE
    _add_extra(values, metadata.extra)
    if metadata.prompt is not None:
        _add_prompt(values, _storable(metadata.prompt), cipher)
    return {name: _to_header(value) for name, value in values.items()}


def decode_metadata(headers: Mapping[str, str], *, cipher: Cipher | None = None) -> ImageMetadata:
    """The metadata a store returned, names in any case. What cannot be decoded or decrypted stays as it is."""
    known: dict[str, str] = {}
    extra: dict[str, str] = {}
    for name, header in headers.items():
        lowered = name.lower()
        value = _unseal(lowered, _from_header(header), cipher)
        if lowered in _FIELDS:
            known[_FIELDS[lowered]] = value
        elif lowered != _TRUNCATED.lower():
            extra[lowered] = value
        else:
            known[_TRUNCATED] = value
    truncated = known.pop(_TRUNCATED, "").lower() == _TRUE
    return ImageMetadata(**known, prompt_truncated=truncated, extra=extra)


def _add_extra(values: dict[str, str], extra: Mapping[str, str]) -> None:
    room = MAX_METADATA_BYTES - _LEAST_PROMPT_BYTES - _size(values)
    for name, text in extra.items():
        lowered = name.lower()
        if lowered in _RESERVED or not _EXTRA_NAME.fullmatch(lowered):
            continue
        value = _cut(_storable(text), MAX_VALUE_BYTES)
        cost = _size({lowered: value})
        if cost <= room:
            values[lowered] = value
            room -= cost


def _add_prompt(values: dict[str, str], prompt: str, cipher: Cipher | None) -> None:
    def cost(end: int) -> int:
        return _size({_PROMPT: _seal(_PROMPT, _cut(prompt, end), cipher)})

    length = len(prompt.encode())
    if _size(values) + cost(length) > MAX_METADATA_BYTES:
        values[_TRUNCATED] = _TRUE
        room = MAX_METADATA_BYTES - _size(values)
        length = bisect_right(range(min(length, MAX_METADATA_BYTES)), room, key=cost) - 1
    values[_PROMPT] = _seal(_PROMPT, _cut(prompt, length), cipher)


def _seal(name: str, text: str, cipher: Cipher | None) -> str:
    if cipher is None or name.lower() not in _ENCRYPTED:
        return text
    return ENCRYPTED_PREFIX + cipher.encrypt(text)


def _unseal(lowered_name: str, text: str, cipher: Cipher | None) -> str:
    if cipher is None or lowered_name not in _ENCRYPTED or not text.startswith(ENCRYPTED_PREFIX):
        return text
    try:
        return cipher.decrypt(text.removeprefix(ENCRYPTED_PREFIX))
    except ValueError:
        return text


def _to_header(text: str) -> str:
    if not _NOT_PLAIN.search(text):
        return text
    return " ".join(_UTF_8.header_encode(piece) for piece in _pieces(text))


def _from_header(header: str) -> str:
    if not _WORD.search(header):
        return header
    # decode_header hands over what stands between words as bytes, escaped only where it was not ASCII.
    plain = "ascii" if header.isascii() else "raw-unicode-escape"
    try:
        chunks = decode_header(header)
        return "".join(chunk if isinstance(chunk, str) else chunk.decode(name or plain) for chunk, name in chunks)
    except (MessageError, LookupError, ValueError):
        return header


def _pieces(text: str) -> Iterator[str]:
    """The text in pieces of whole characters, each fit for one encoded-word (R2 decodes them one by one)."""
    while text:
        piece = _cut(text, _BYTES_IN_A_WORD)
        yield piece
        text = text[len(piece) :]


def _storable(text: str) -> str:
    return _UNSTORABLE.sub("\ufffd", text)


def _cut(text: str, size: int) -> str:
    """The longest beginning of the text that has at most `size` bytes, cut between two characters."""
    if len(text) <= size and text.isascii():
        return text
    return text[:size].encode()[:size].decode(errors="ignore")


def _size(values: Mapping[str, str]) -> int:
    """Bytes as R2 counts them: names and decoded values."""
    return sum(len(name) + (len(value) if value.isascii() else len(value.encode())) for name, value in values.items())
