"""Files made to hurt: absurd sizes, lengths and counts, two formats in one, tails cut to zero. Tables of cases."""

import io
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.image_files import NAMES, chunk, make_samples
from z_interact_assets.core.errors import ImageRejectedError
from z_interact_assets.core.images import prove_image
from z_interact_assets.core.images.walking import MAX_PARTS
from z_interact_assets.core.models import ImageFormat, ImageLimits, ImageProof
from z_interact_assets.core.reasons import Reason

ROOT = Path(__file__).parents[4]
MOST_MEMORY = 64 << 20
SAMPLES = make_samples()
PNG_START, PNG_END = b"\x89PNG\r\n\x1a\n", chunk(b"IEND", b"")
BILLION = 31_623  # squared, a billion pixels
U31, U32 = 2**31 - 1, 2**32 - 1
PARTS = MAX_PARTS + 1


def outcome(data: bytes) -> ImageProof | ImageRejectedError:
    try:
        return prove_image(data, ImageLimits())
    except ImageRejectedError as error:
        return error


def patched(name: str, offset: int, layout: str, *values: int) -> bytes:
    changed = bytearray(SAMPLES[name])
    struct.pack_into(layout, changed, offset, *values)
    return bytes(changed)


def png(width: int, height: int, body: bytes = b"") -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return PNG_START + header + body + chunk(b"IDAT", zlib.compress(bytes(100))) + PNG_END


def gif(width: int, height: int, frames: int = 1, frame: tuple[int, int] = (1, 1)) -> bytes:
    one = b"\x2c" + struct.pack("<HHHHB", 0, 0, *frame, 0) + b"\x02\x02\x44\x01\x00"
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0) + one * frames + b";"


def tiff(tags: Mapping[int, tuple[int, int]], *, following: int = 0) -> bytes:
    """One directory of LONG tags: tag → (number of values, value or offset)."""
    entries = b"".join(struct.pack("<HHII", tag, 4, *value) for tag, value in sorted(tags.items()))
    return b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", len(tags)) + entries + struct.pack("<I", following)


def tiff_of(width: int, height: int, **more: int) -> bytes:
    tags = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: 1}
    tags.update({int(tag.removeprefix("t")): value for tag, value in more.items()})
    return tiff({tag: (1, value) for tag, value in tags.items()})


def tiff_pages(count: int) -> bytes:
    """So many directories of one pixel each, every one naming the next."""
    size = 2 + 9 * 12 + 4
    tags = {256: 1, 257: 1, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 1, 279: 1}
    pages = [
        struct.pack("<H", len(tags))
        + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
        + struct.pack("<I", 8 + size * (number + 1) if number + 1 < count else 0)
        for number in range(count)
    ]
    return b"II*\x00\x08\x00\x00\x00" + b"".join(pages)


def webp(body: bytes, size: int | None = None) -> bytes:
    return b"RIFF" + struct.pack("<I", len(body) + 4 if size is None else size) + b"WEBP" + body


def webp_canvas(width: int, height: int, flags: int = 0) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"VP8X" + struct.pack("<IB3x", 10, flags) + size


def avif_of(width: int, height: int) -> bytes:
    at = SAMPLES["avif"].index(b"ispe") + 8
    return patched("avif", at, ">II", width, height)


def jpeg_of(width: int, height: int) -> bytes:
    at = SAMPLES["jpg"].index(b"\xff\xc0") + 5
    return patched("jpg", at, ">HH", height, width)


TOO_MANY = {
    "PNG of a billion pixels": png(BILLION, BILLION),
    "PNG, largest legal": png(U31, U31),
    "PNG, one row": png(U31, 1),
    "APNG, most frames": png(1, 1, chunk(b"acTL", struct.pack(">II", U31, 0))),
    "GIF, largest": gif(65_535, 65_535),
    "GIF, frame larger than its screen": gif(1, 1, frame=(65_535, 65_535)),
    "GIF, many frames of a large screen": gif(10_000, 10_000, frames=10),
    "JPEG, largest": jpeg_of(65_535, 65_535),
    "WebP, largest canvas": webp(webp_canvas(1 << 24, 1 << 24)),
    "WebP, largest lossless": webp(b"VP8L\x0a\x00\x00\x00\x2f" + b"\xff\xff\xff\x0f" + bytes(5)),
    "WebP, largest lossy": webp(b"VP8 \x10\x00\x00\x00" + b"\x10\0\0\x9d\x01\x2a\xff\x3f\xff\x3f" + bytes(6)),
    "BMP, largest": patched("bmp_rle", 18, "<ii", U31, U31),
    "BMP, upside down": patched("bmp_rle", 18, "<ii", U31, -U31),
    "TIFF, largest": tiff_of(U31, U31),
    "TIFF of a billion pixels": tiff_of(BILLION, BILLION),
    "TIFF, small with a huge tile": tiff_of(16, 16, t322=32_768, t323=32_768, t324=8, t325=1),
    "TIFF, 1,001 pages": tiff_pages(1_001),
    "AVIF of a billion pixels": avif_of(BILLION, BILLION),
}
BROKEN = {
    "PNG, endless chunk": PNG_START + struct.pack(">I", U32) + b"IHDR" + bytes(30),
    "PNG, chunk past the end": PNG_START + struct.pack(">I", U31) + b"IHDR" + bytes(30),
    "PNG without width": png(0, 1),
    "GIF without width": gif(0, 1),
    "GIF, endless sub-blocks": b"GIF89a\x01\x00\x01\x00\x00\x00\x00" + b"\x21\xfe" + b"\xff" + bytes([1]) * 200,
    "GIF, endless extensions": b"GIF89a\x01\x00\x01\x00\x00\x00\x00" + b"\x21\xfe\x00" * PARTS + b";",
    "JPEG, endless segment": b"\xff\xd8\xff\xe0\xff\xff" + bytes(100),
    "JPEG, segment without length": b"\xff\xd8\xff\xe0\x00\x00" + bytes(100),
    "JPEG, endless segments": b"\xff\xd8" + b"\xff\xfe\x00\x02" * PARTS + b"\xff\xd9",
    "JPEG without width": jpeg_of(0, 9),
    "WebP, endless": webp(b"VP8L\x0a\x00\x00\x00" + bytes(10), size=U32),
    "WebP, endless chunk": webp(b"VP8L\xff\xff\xff\xff" + bytes(10)),
    "WebP, endless chunks": webp(webp_canvas(1, 1) + b"EXIF\x00\x00\x00\x00" * PARTS),
    "WebP, endless frame": webp(webp_canvas(1, 1, flags=2) + b"ANMF\xff\xff\xff\x7f" + bytes(24)),
    "AVIF, endless box": patched("avif", 0, ">I", U32),
    "AVIF, box of 2^64": b"\x00\x00\x00\x01ftypavif" + b"\xff" * 8 + bytes(100),
    "AVIF, box of nothing": SAMPLES["avif"] + b"\x00\x00\x00\x01mdat" + bytes(8),
    "BMP, pixels far behind the end": patched("bmp", 10, "<I", U32),
    "BMP without height": patched("bmp", 22, "<i", 0),
    "BMP, height with no positive": patched("bmp", 22, "<i", -(2**31)),
    "TIFF, directory behind the end": b"II*\x00" + struct.pack("<I", U32) + bytes(8),
    "TIFF, most entries": b"II*\x00\x08\x00\x00\x00\xff\xff" + bytes(100),
    "TIFF, most values": tiff({256: (1, 1), 257: (1, 1), 273: (U32, 8)}),
    "BigTIFF, most values": b"II+\x00\x08\x00\x00\x00" + struct.pack("<QQ", 16, 2**64 - 1) + bytes(100),
    "TIFF without width": tiff_of(0, 1),
}


@pytest.mark.parametrize("name", TOO_MANY)
def test_absurd_numbers_of_pixels_are_refused_for_what_they_are(name):
    found = outcome(TOO_MANY[name])
    assert isinstance(found, ImageRejectedError)
    # libavif has a bound of its own, and compares the container's size with the picture's.
    expected = Reason.CORRUPT_IMAGE if name.startswith("AVIF") else Reason.TOO_MANY_PIXELS
    assert found.reason is expected, found


@pytest.mark.parametrize("name", BROKEN)
def test_absurd_lengths_and_counts_are_refused(name):
    found = outcome(BROKEN[name])
    assert isinstance(found, ImageRejectedError)
    assert found.reason in {Reason.TRUNCATED_IMAGE, Reason.CORRUPT_IMAGE, Reason.TOO_MANY_PIXELS}, found


_MEASURE = f"""
import resource
from tests.support.reading import peak_bytes
from tests.unit.core.images.test_hostile_files import BROKEN, SAMPLES, TOO_MANY, outcome
for data in SAMPLES.values():
    outcome(data)
before = peak_bytes()
for data in (*TOO_MANY.values(), *BROKEN.values()):
    outcome(data)
assert peak_bytes() - before < {MOST_MEMORY}, (peak_bytes() - before) >> 20
"""


@pytest.mark.slow
def test_all_of_them_together_take_no_memory_to_speak_of():
    """In a process of its own; what Pillow unpacks is not Python's, so tracemalloc would not see it."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE], cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def archive() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as packed:
        packed.writestr("evil.js", "alert(1)")
    return target.getvalue()


def gif_that_is_a_script() -> bytes:
    """`GIF89a/*…*/=1;alert(1)` runs where a page calls it a script: its width and height are the comment's start."""
    data = bytearray(gif(0, 0))
    data[6:10] = b"/*\x01\x00"
    return bytes(data) + b"*/=1;alert(1)//"


COMMENT = b"<script>alert(1)</script>"
POLYGLOTS = {
    "GIF and JavaScript": (gif_that_is_a_script(), ImageFormat.GIF),
    "JPEG and HTML": (
        b"\xff\xd8\xff\xfe" + struct.pack(">H", len(COMMENT) + 2) + COMMENT + SAMPLES["jpg"][2:] + COMMENT,
        ImageFormat.JPG,
    ),
    "PNG and ZIP": (SAMPLES["png"] + archive(), ImageFormat.PNG),
    "PNG and HTML in a comment": (
        SAMPLES["png"][: -len(PNG_END)] + chunk(b"tEXt", b"Comment\0" + COMMENT) + PNG_END, ImageFormat.PNG
    ),
    "WebP and PDF": (SAMPLES["webp"] + b"%PDF-1.7\n%%EOF", ImageFormat.WEBP),
    "BMP and shell": (SAMPLES["bmp"] + b"\n#!/bin/sh\nid\n", ImageFormat.BMP),
    "TIFF and PHP": (SAMPLES["tiff"] + b"<?php system($_GET[0]); ?>", ImageFormat.TIFF),
    "AVIF and MP4": (SAMPLES["avif"] + b"\x00\x00\x00\x08free", ImageFormat.AVIF),
}  # fmt: skip
PRETENDERS = {
    "HTML, then a PNG": b"<html><script>alert(1)</script>" + SAMPLES["png"],
    "ZIP, then a PNG": archive() + SAMPLES["png"],
    "PDF with a JPEG": b"%PDF-1.7\n" + SAMPLES["jpg"],
    "JavaScript, then a GIF": b"/*" + SAMPLES["gif"] + b"*/",
    "a space, then a PNG": b" " + SAMPLES["png"],
    "GIF by its first bytes": b"GIF89a=1;alert(1)",
    "JPEG by its first bytes": b"\xff\xd8\xff<script>alert(1)</script>",
    "PNG by its first bytes": PNG_START + b"<?php",
    "BMP by its first bytes": b"BM" + bytes(12) + struct.pack("<I", 40) + b"alert(1)",
    "TIFF by its first bytes": b"II*\x00alert(1)",
    "WebP by its first bytes": b"RIFF\x10\x00\x00\x00WEBPalert(1)....",
    "AVIF by its first bytes": b"\x00\x00\x00\x14ftypavif\x00\x00\x00\x00avif",
}


@pytest.mark.parametrize("name", POLYGLOTS)
def test_an_image_that_is_something_else_too_is_published_as_the_image_only(name):
    """Its Content-Type is an image's, from its first bytes; not one byte is cut, since bytes are the proof."""
    data, image_format = POLYGLOTS[name]
    found = outcome(data)
    assert isinstance(found, ImageProof), found
    assert found.format is image_format
    assert found.format.content_type.startswith("image/")


@pytest.mark.parametrize("name", PRETENDERS)
def test_something_else_with_an_image_in_it_is_no_image(name):
    assert isinstance(outcome(PRETENDERS[name]), ImageRejectedError)


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="1" height="1">'
LAUGHS = b"".join(
    b'<!ENTITY l%d "%s">' % (number, b"&l%d;" % (number - 1) * 10 if number else b"ha" * 10) for number in range(10)
)
HOSTILE_SVGS = {
    "billion laughs": b"<!DOCTYPE svg [" + LAUGHS + b"]>" + SVG + b"<text>&l9;</text></svg>",
    "quadratic blow-up": b'<!DOCTYPE svg [<!ENTITY a "' + b"a" * 50_000 + b'">]>' + SVG + b"&a;" * 9_999 + b"</svg>",
    "parameter entity": b'<!DOCTYPE svg [<!ENTITY % a SYSTEM "http://127.0.0.1:9/x.dtd"> %a;]>' + SVG + b"</svg>",
    "external subset": b'<!DOCTYPE svg SYSTEM "file:///dev/zero">' + SVG + b"</svg>",
    "XInclude": SVG + b'<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/></svg>',
    "script by data URL": SVG + b'<script href="data:text/javascript,alert(1)"/></svg>',
    "SVG in an SVG by data URL": SVG + b'<image href="data:image/svg+xml;base64,PHN2Zy8+"/></svg>',
    "HTML by data URL": SVG + b'<a href="data:text/html,%3Cscript%3E"><text>x</text></a></svg>',
    "style from elsewhere": SVG + b"<style>*{background:url(//evil.example/x)}</style></svg>",
    "style imported, escaped": SVG + b"<style>&#64;import url(//evil.example)</style></svg>",
    "animated handler": SVG + b'<set attributeName="onload" to="alert(1)"/></svg>',
    "handler of the root": SVG.replace(b"<svg ", b'<svg onload="alert(1)" ') + b"</svg>",
    "HTML inside": SVG + b'<foreignObject><p xmlns="http://www.w3.org/1999/xhtml">x</p></foreignObject></svg>',
    "a hundred thousand deep": SVG + b"<g>" * 100_000 + b"</g>" * 100_000 + b"</svg>",
    "style sheet of the document": b'<?xml-stylesheet href="//evil.example/x.css"?>' + SVG + b"</svg>",
}


@pytest.mark.parametrize("name", HOSTILE_SVGS)
def test_an_svg_that_acts_reaches_out_or_explodes_is_unsafe(name):
    found = outcome(HOSTILE_SVGS[name])
    assert isinstance(found, ImageRejectedError)
    assert found.reason is Reason.UNSAFE_SVG, found


# By these formats' own rules a tail of zeros can be no image: a checksum, an end mark or the grammar is missing.
SHOW_ZEROS = frozenset({"png", "apng", "jpg", "gif", "svg"})


@pytest.mark.parametrize("name", NAMES)
def test_a_tail_of_zeros_is_refused_or_the_format_cannot_tell(name):
    """As a file system leaves it after a power cut. Where pixels may be zeros, the rest is whole and proved as such."""
    whole = SAMPLES[name]
    # What Pillow decodes takes a millisecond a file.
    step = 1 if name.partition("_")[0] in SHOW_ZEROS else len(whole) // 100 + 1
    for kept in range(0, len(whole), step):
        data = whole[:kept].ljust(len(whole), b"\0")
        if data == whole:
            continue
        found = outcome(data)
        if name.partition("_")[0] in SHOW_ZEROS:
            assert isinstance(found, ImageRejectedError), kept
        elif isinstance(found, ImageProof):
            assert found.format is ImageFormat(name.partition("_")[0]), kept


@pytest.mark.parametrize("name", NAMES)
def test_zeros_alone_behind_the_first_bytes_are_no_image(name):
    for kept in range(1, 16):
        assert isinstance(outcome(SAMPLES[name][:kept].ljust(len(SAMPLES[name]), b"\0")), ImageRejectedError)
