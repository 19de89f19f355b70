"""Base64 text as found in the wild: text to bytes, and back to the very same text. Nothing here knows images.

Decoding is lenient about form (alphabet, padding, line breaks, `data:` URLs) and strict about content. The form is kept
as a small value, so that a rollback can write the column back byte-identical; text whose form has no short description
(mixed alphabets, ragged lines, percent-encoding) is kept whole, compressed. Limits on size
and the meaning of the bytes are the caller's.
"""

import re
import zlib
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Self
from urllib.parse import unquote_to_bytes

import pybase64

from z_interact_assets.core.errors import ImageRejectedError
from z_interact_assets.core.reasons import Reason

# What stands before the payload. A head without a comma is no data: URL; its colon is then a wrong character. So it is
# where the head is longer than any media type: one of 77 MB, split at its semicolons, took 6 GB.
_HEAD = re.compile(rb"\s*(?:data:([^,]{0,1024}),\s*)?", re.IGNORECASE)
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,64}/[\w.+-]{1,64}", re.ASCII)
_LINE_BREAK = re.compile(rb"\s+")
_WRONG = re.compile(rb"[^A-Za-z0-9+/_=\s-]")
_WHITE_SPACE = b" \t\n\r\v\f"
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_TO_URLSAFE = bytes.maketrans(b"+/", b"-_")
_GROUP = 4
_OCTETS = 3
_TAIL = 64  # enough to find the last group, also where a line break splits it
# Python keeps an object a line and an object an escape: of a 77 MB text all at once, gigabytes.
_LINES_AT_ONCE = 4096
_ESCAPED_AT_ONCE = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TextForm:
    """How a text spells its bytes, without the bytes: `rebuild_text` needs both.

    `prefix` and `suffix` are what surrounds the payload (white space, the head of a `data:` URL), one character a
    byte. `line_width` 0 means a single line. `last_group` is kept where it is not the canonical one (no padding,
    stray bits). With `literal` (the whole text, deflated, in base64) nothing else counts.
    """

    prefix: str = ""
    suffix: str = ""
    alphabet: Literal["standard", "urlsafe"] = "standard"
    line_width: int = 0
    line_separator: str = ""
    last_group: str | None = None
    as_bytes: bool = False
    literal: str | None = field(default=None, repr=False)

    def to_json(self) -> dict[str, Any]:
        """A JSON object of what is not the default; an ordinary text needs less than 200 bytes."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in values.items() if value != _DEFAULTS[name]}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The form that `to_json` gave."""
        return cls(**value)


_DEFAULTS = {each.name: each.default for each in fields(TextForm)}


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedText:
    """The bytes of a text, the text's form, and the media type its `data:` URL claims (never to be trusted).

    `raw` is the text itself, as bytes.
    """

    data: bytes = field(repr=False)
    raw: bytes = field(repr=False)
    form: TextForm
    media_type: str | None


@dataclass(frozen=True, slots=True)
class _Head:
    """What a `data:` URL says before its comma; `is_url` is False where there is none."""

    is_url: bool
    is_base64: bool
    media_type: str | None


def decode_text(text: str | bytes) -> DecodedText:
    """Decode base64 text or a `data:` URL. ImageRejectedError (BAD_BASE64 or EMPTY) if that is impossible.

    The form it returns is proved: rebuilding from it gave the same text.
    """
    as_bytes = isinstance(text, bytes)
    raw = text if as_bytes else text.encode("utf-8", "surrogatepass")
    match = _HEAD.match(raw)
    start = match.end() if match else 0
    end = max(start, len(raw.rstrip()))
    if start == end:
        raise ImageRejectedError(Reason.EMPTY)
    head = _read_head(match[1] if match else None)
    if not head.is_base64:
        data = _decode_percent(raw, start)
        return DecodedText(data=data, raw=raw, form=_literal(raw, as_bytes=as_bytes), media_type=head.media_type)
    data, clean = _decode_body(raw, start, end, is_url=head.is_url)
    form = _describe(raw, start, end, data, clean=clean, as_bytes=as_bytes)
    return DecodedText(data=data, raw=raw, form=form, media_type=head.media_type)


def rebuild_text(data: bytes, form: TextForm) -> str | bytes:
    """The text that decoded to `data`, exactly as it was; bytes if bytes were decoded."""
    raw = _rebuild(data, form)
    return raw if form.as_bytes else raw.decode("utf-8", "surrogatepass")


def _read_head(head: bytes | None) -> _Head:
    if head is None:
        return _Head(is_url=False, is_base64=True, media_type=None)
    media_type, *parameters = unquote_to_bytes(head).decode("latin-1").lower().split(";")
    claimed = media_type.strip()
    return _Head(
        is_url=True,
        is_base64=any(parameter.strip() == "base64" for parameter in parameters),
        media_type=claimed if _MEDIA_TYPE.fullmatch(claimed) else None,
    )


def _decode_percent(raw: bytes, start: int) -> bytes:
    data = _unquote(raw[start:])
    if not data.strip():
        raise ImageRejectedError(Reason.EMPTY)
    return data


def _unquote(text: bytes) -> bytes:
    data = bytearray()
    start = 0
    while start < len(text):
        end = start + _ESCAPED_AT_ONCE
        # An escape has three characters: one that begins among the last two belongs to the next piece.
        split = text.rfind(b"%", end - 2, end)
        end = split if split > start else end
        data += unquote_to_bytes(text[start:end])
        start = end
    return bytes(data)


def _decode_body(raw: bytes, start: int, end: int, *, is_url: bool) -> tuple[bytes, bool]:
    """The bytes, and whether the text was clean: standard alphabet, padded, no white space."""
    with memoryview(raw) as view:
        try:
            # The common case in one C call, whatever the size; it refuses white space and the url-safe alphabet.
            return pybase64.b64decode(view[start:end], validate=True), True
        except ValueError:
            pass
    body = raw[start:end]
    if is_url and b"%" in body:
        body = _unquote(body)
    compact = body.translate(_TO_STANDARD, _WHITE_SPACE)
    if not compact:
        raise ImageRejectedError(Reason.EMPTY)
    if not compact.endswith(b"="):
        compact += b"=" * (-len(compact) % _GROUP)
    try:
        return pybase64.b64decode(compact, validate=True), False
    except ValueError:
        # Only that some character is wrong is in its message.
        raise ImageRejectedError(Reason.BAD_BASE64, _explain(body, len(compact.rstrip(b"=")))) from None


def _explain(body: bytes, length: int) -> str:
    """What is wrong, told by place and kind only: the payload may be anything."""
    wrong = _WRONG.search(body)
    if wrong:
        kind = "an ASCII" if wrong[0].isascii() else "a non-ASCII"
        return f"{kind} character outside the alphabet at byte {wrong.start()} of the payload"
    padding = body.find(b"=")
    if padding >= 0 and body[padding:].strip(b"=" + _WHITE_SPACE):
        return f"padding inside the text, at byte {padding} of the payload"
    if length % _GROUP == 1:
        return f"{length} characters is an impossible length"
    return "the padding does not fit the length"


def _describe(raw: bytes, start: int, end: int, data: bytes, *, clean: bool, as_bytes: bool) -> TextForm:
    """The short form where it gives the same text again, else the literal one."""
    line_break = None if clean else _LINE_BREAK.search(raw, start, end)
    urlsafe = not clean and (raw.find(b"-", start, end) >= 0 or raw.find(b"_", start, end) >= 0)
    last_group = _last_group(raw[max(start, end - _TAIL) : end], len(data))
    canonical = pybase64.b64encode(data[-(len(data) % _OCTETS or _OCTETS) :])
    form = TextForm(
        prefix=raw[:start].decode("latin-1"),
        suffix=raw[end:].decode("latin-1"),
        alphabet="urlsafe" if urlsafe else "standard",
        line_width=line_break.start() - start if line_break else 0,
        line_separator=line_break[0].decode("latin-1") if line_break else "",
        last_group=None if last_group == canonical else last_group.decode("latin-1"),
        as_bytes=as_bytes,
    )
    # The length first: a break of a megabyte behind the first four characters would be built behind every four.
    # Prefix and suffix are cut from the text, so the payload alone is to be compared, in place.
    proved = _payload_size(len(data), form) == end - start and raw.startswith(_payload(data, form), start)
    return form if proved else _literal(raw, as_bytes=as_bytes)


def _last_group(tail: bytes, size: int) -> bytes:
    """The characters of the last group, padding included, in the standard alphabet."""
    compact = tail.translate(_TO_STANDARD, _WHITE_SPACE)
    padding = len(compact) - len(compact.rstrip(b"="))
    significant = (size % _OCTETS or _OCTETS) + 1
    return compact[-(significant + padding) :]


def _rebuild(data: bytes, form: TextForm) -> bytes:
    if form.literal is not None:
        return zlib.decompress(pybase64.b64decode(form.literal, validate=True))
    return b"".join((form.prefix.encode("latin-1"), _payload(data, form), form.suffix.encode("latin-1")))


def _payload_size(size: int, form: TextForm) -> int:
    """The length of what `_payload` makes of so many bytes."""
    characters = -(-size // _OCTETS) * _GROUP
    if form.last_group is not None:
        characters += len(form.last_group) - _GROUP
    breaks = (characters - 1) // form.line_width if form.line_width else 0
    return characters + breaks * len(form.line_separator)


def _payload(data: bytes, form: TextForm) -> bytes | bytearray:
    payload = pybase64.b64encode(data)
    if form.last_group is not None:
        payload = payload[:-_GROUP] + form.last_group.encode("latin-1")
    if form.alphabet == "urlsafe":
        payload = payload.translate(_TO_URLSAFE)
    return _wrapped(payload, form.line_width, form.line_separator.encode("latin-1")) if form.line_width else payload


def _wrapped(payload: bytes, width: int, separator: bytes) -> bytearray:
    wrapped = bytearray()
    block = width * _LINES_AT_ONCE
    for start in range(0, len(payload), block):
        end = min(start + block, len(payload))
        wrapped += separator if start else b""
        wrapped += separator.join([payload[at : at + width] for at in range(start, end, width)])
    return wrapped


def _literal(raw: bytes, *, as_bytes: bool) -> TextForm:
    return TextForm(literal=pybase64.b64encode_as_string(zlib.compress(raw, 9)), as_bytes=as_bytes)
