"""What must hold for any input at all. A target returns or raises AssertionError; any other exception is a finding too.

The bounds on pixels are small here, so that an input costs milliseconds; the bounds are the same code.
"""

import json
import random
from collections.abc import Callable, Mapping

import pybase64

from tests.support.image_files import make_samples
from z_interact_assets.core.base64_text import DecodedText, TextForm, decode_text, rebuild_text
from z_interact_assets.core.errors import ImageRejectedError
from z_interact_assets.core.images import prove_image
from z_interact_assets.core.metadata import MAX_METADATA_BYTES, decode_metadata, encode_metadata
from z_interact_assets.core.models import ImageFormat, ImageLimits, ImageMetadata, ImageProof
from z_interact_assets.core.reasons import Reason
from z_interact_assets.demo.drawing import clean_svg, draw_pictures, hostile_svg, icon

LIMITS = ImageLimits(max_bytes=1 << 20, max_pixels=1 << 20)
# What one input may take, and what the process may hold while it does.
SECONDS_EACH = 10
MEMORY = 1 << 30
LONGEST_INPUT = 1 << 16
_LONGEST_DETAIL = 200
# White space may follow a root element, and an AVIF box may reach to the end of the file: cut, they are still whole.
_MAY_BE_SHORTER = frozenset({ImageFormat.SVG, ImageFormat.AVIF})


def image(data: bytes) -> None:
    """Proved with numbers that fit the bytes, or rejected; the proof hangs on nothing behind the image's own end."""
    found = _proof(data)
    if isinstance(found, ImageRejectedError):
        assert found.detail.isascii() or found.reason is Reason.UNSAFE_SVG, "the detail quotes the file"
        assert len(found.detail) < _LONGEST_DETAIL
        return
    assert 0 <= found.width * found.height * found.frames <= LIMITS.max_pixels or found.format in _BY_FRAME
    assert 0 <= found.trailing_bytes < len(data)
    end = len(data) - found.trailing_bytes
    if found.format not in _ENDS_BY_WORD:
        alone = _proof(data[:end])
        assert isinstance(alone, ImageProof), "rejected without what follows it"
        assert (alone.size, alone.frames, alone.trailing_bytes) == (found.size, found.frames, 0)
    if found.format not in _MAY_BE_SHORTER:
        assert isinstance(_proof(data[: end - 1]), ImageRejectedError), "proved without its last byte"


# Pillow decodes them whole; where they end is what their length fields say, and those may contradict the pixels.
_ENDS_BY_WORD = frozenset({ImageFormat.BMP, ImageFormat.TIFF, ImageFormat.AVIF})
# Frames may differ in size: each counts with its own, not with the first one's.
_BY_FRAME = frozenset({ImageFormat.GIF, ImageFormat.TIFF, ImageFormat.AVIF})


def text(data: bytes) -> None:
    """Decoded, and rebuilt byte for byte from what a ledger keeps of it; or rejected. As bytes and as text."""
    for spelt in (data, data.decode("utf-8", "surrogateescape"), data.decode("latin-1")):
        decoded = _decoded(spelt)
        if isinstance(decoded, ImageRejectedError):
            assert decoded.reason in {Reason.BAD_BASE64, Reason.EMPTY}
            assert decoded.detail.isascii()
        else:
            kept = TextForm.from_json(json.loads(json.dumps(decoded.form.to_json())))
            assert rebuild_text(decoded.data, kept) == spelt


def metadata(data: bytes) -> None:
    """Whatever a store returns is read, and whatever was read is written within the budget and read again as it was."""
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    pairs = (line.partition("=") for line in lines)
    read = decode_metadata({name: value for name, _, value in pairs})
    headers = encode_metadata(read)
    assert all(value.isascii() and value.isprintable() for value in (*headers, *headers.values()))
    again = decode_metadata(headers)
    assert _size(again) <= MAX_METADATA_BYTES
    assert decode_metadata(encode_metadata(again)) == again


TARGETS: Mapping[str, Callable[[bytes], None]] = {"image": image, "text": text, "metadata": metadata}


def seeds(target: str) -> list[bytes]:
    """Inputs to begin with: every format, the demo's pictures that are small enough, every spelling of base64."""
    whole = list(make_samples().values())
    rng = random.Random(1)
    if target == "image":
        drawn = [each.data for each in draw_pictures(rng) if len(each.data) < 1 << 15]
        return [*whole, *drawn, clean_svg(rng), hostile_svg(rng), icon(rng)]
    if target == "text":
        return [spelt for data in whole[::4] for spelt in _spellings(data)]
    prompts = ("a prompt", "café 🎨\n", "=?utf-8?b?Y2Fmw6k=?=", "=?utf-8?q?caf=C3=A9?= =?x?q?y?=", "p" * 9000)
    return [f"prompt={prompt}\npersonaId=gen-z\nx-other=1\nprompttruncated=true".encode() for prompt in prompts]


def _proof(data: bytes) -> ImageProof | ImageRejectedError:
    try:
        return prove_image(data, LIMITS)
    except ImageRejectedError as error:
        return error


def _decoded(spelt: str | bytes) -> DecodedText | ImageRejectedError:
    try:
        return decode_text(spelt)
    except ImageRejectedError as error:
        return error


def _spellings(data: bytes) -> list[bytes]:
    plain = pybase64.b64encode(data)
    url_safe = plain.translate(bytes.maketrans(b"+/", b"-_")).rstrip(b"=")
    wrapped = b"\r\n".join(plain[at : at + 76] for at in range(0, len(plain), 76))
    escaped = plain.replace(b"+", b"%2B").replace(b"=", b"%3D")
    return [plain, url_safe, wrapped + b"\n", b"data:image/png;base64," + plain, b"DATA:;base64," + escaped, data]


def _size(read: ImageMetadata) -> int:
    headers = encode_metadata(read)
    stored = decode_metadata(headers)
    values = [value for value in (getattr(stored, name) for name in _TEXTS) if value is not None]
    return sum(len(each.encode()) for each in (*headers, *values, *stored.extra.values()))


_TEXTS = tuple(name for name in ImageMetadata.__slots__ if name not in {"prompt_truncated", "extra"})
