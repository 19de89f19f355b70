"""Telling formats apart by their first bytes, and naming what is not published or no image at all."""

import re

from z_interact_assets.core.errors import ImageRejectedError
from z_interact_assets.core.images import gif, jpeg, png
from z_interact_assets.core.models import ImageFormat
from z_interact_assets.core.reasons import Reason

_HEAD_BYTES = 64 * 1024
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})
_SIGNATURES: tuple[tuple[bytes | tuple[bytes, ...], ImageFormat], ...] = (
    (png.SIGNATURE, ImageFormat.PNG),
    (jpeg.SIGNATURE, ImageFormat.JPG),
    (gif.SIGNATURES, ImageFormat.GIF),
    ((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"), ImageFormat.TIFF),
)
_BMP_HEADER_SIZES = frozenset({12, 40, 52, 56, 64, 108, 124})
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_UNSUPPORTED = (
    (b"\x00\x00\x01\x00", "ICO"),
    (b"\x00\x00\x02\x00", "CUR"),
    (b"8BPS", "PSD"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"II\xbc\x01", "JPEG XR"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
    (b"DDS ", "DDS"),
    (b"qoif", "QOI"),
    (b"icns", "ICNS"),
    (b"%!PS", "PostScript"),
    (b"\x1f\x8b", "gzip, perhaps a compressed SVG"),
)
_OTHERS = (
    (b"%PDF", "PDF"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"RIFF", "audio or video"),
    (b"data:", "a data: URL, encoded twice"),
    (b"iVBORw0KGgo", "base64, encoded twice"),
    (b"/9j/", "base64, encoded twice"),
)
_SVG_ROOT = re.compile(r"<(?:[\w.-]+:)?svg(?=[\s/>])")
_HTML = re.compile(r"\s*<(?:!doctype\s+html|html|head|body|script|div|p|h1|title|meta)\b", re.IGNORECASE)
_PROLOGUE = re.compile(r"\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>", re.DOTALL)


def sniff(data: bytes) -> ImageFormat | None:
    """The format the bytes begin like, None if it is not one of ours. Says nothing about the rest of them."""
    for signature, image_format in _SIGNATURES:
        if data.startswith(signature):
            return image_format
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return ImageFormat.WEBP
    if _AVIF_BRANDS & _brands(data):
        return ImageFormat.AVIF
    if data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in _BMP_HEADER_SIZES:
        return ImageFormat.BMP
    return ImageFormat.SVG if _looks_like_svg(_text_head(data)) else None


def unrecognised(data: bytes) -> ImageRejectedError:
    """The error for bytes that `sniff` does not know, saying what they look like."""
    for signature, name in _UNSUPPORTED:
        if data.startswith(signature):
            return ImageRejectedError(Reason.UNSUPPORTED_FORMAT, name)
    brands = _brands(data)
    if brands & _HEIF_BRANDS:
        return ImageRejectedError(Reason.UNSUPPORTED_FORMAT, "HEIC")
    return ImageRejectedError(Reason.NOT_AN_IMAGE, f"looks like {_guess(data, brands)}")


def _guess(data: bytes, brands: frozenset[bytes]) -> str:
    if brands:
        return "audio or video"
    for signature, name in _OTHERS:
        if data.startswith(signature):
            return name
    text = _text_head(data)
    bare = text.lstrip()
    if _HTML.match(text):
        return "HTML"
    if bare.startswith(("{", "[")):
        return "JSON"
    if bare.startswith("<"):
        return "XML"
    return "text" if text and "\ufffd" not in text[:-4] and "\x00" not in text else "unknown binary data"


def _brands(data: bytes) -> frozenset[bytes]:
    """Brands of an ISO media file (AVIF, HEIC, MP4); empty for anything else."""
    if data[4:8] != b"ftyp":
        return frozenset()
    end = min(int.from_bytes(data[:4], "big"), _HEAD_BYTES)
    # The four bytes after the major brand are its version.
    return frozenset({data[8:12], *(data[at : at + 4] for at in range(16, end, 4))})


def _text_head(data: bytes) -> str:
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data[len(bom) : _HEAD_BYTES].decode(encoding, "replace")
    return data[:_HEAD_BYTES].decode("utf-8", "replace")


def _looks_like_svg(text: str) -> bool:
    """Whether the root element is `svg`, behind any declaration, comments and document type."""
    offset = 0
    while passage := _PROLOGUE.match(text, offset):
        offset = passage.end()
    return _SVG_ROOT.match(text, offset) is not None
