"""PNG: chunks, CRCs, and header fields."""

import struct
import tracemalloc
import zlib
from pathlib import Path

import pytest

from z_interact_assets.core.errors import ImageRejectedError
from z_interact_assets.core.images import prove_image
from z_interact_assets.core.models import ImageFormat, ImageLimits
from z_interact_assets.core.reasons import Reason

REAL_FILES = Path(__file__).resolve().parents[4].parent / "shared" / "data"


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(*chunks: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def header(width: int = 2, height: int = 2, depth: int = 8, colour: int = 2, *rest: int) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, *(rest or (0, 0, 0))))


def rejection(data: bytes, limits: ImageLimits | None = None) -> ImageRejectedError:
    with pytest.raises(ImageRejectedError) as caught:
        prove_image(data, limits or ImageLimits())
    return caught.value


ROWS = zlib.compress(bytes(2 * 7))
IDAT, IEND = chunk(b"IDAT", ROWS), chunk(b"IEND")


@pytest.mark.parametrize("name", ["baby-boomer-1756878485908.jpg", "gen-x-1756881137777.jpg"])
def test_real_png_named_jpg_is_a_png(name):
    path = REAL_FILES / name
    if not path.exists():
        pytest.skip("the two real files lie beside the repository, not in it")
    data = path.read_bytes()
    proof = prove_image(data, ImageLimits())
    assert (proof.format, proof.size, proof.frames, proof.trailing_bytes) == (ImageFormat.PNG, "1024x1024", 1, 0)
    assert rejection(data[:-1]).reason is Reason.TRUNCATED_IMAGE
    damaged = bytearray(data)
    damaged[len(data) // 2] ^= 1
    assert rejection(bytes(damaged)).reason is Reason.CORRUPT_IMAGE


def test_unknown_ancillary_chunks_pass():
    assert prove_image(png(header(), chunk(b"caBX", b"c2pa"), IDAT, chunk(b"zzZz", b"?"), IEND), ImageLimits())


def test_pixel_stream_may_be_spread_over_chunks():
    parts = [chunk(b"IDAT", ROWS[at : at + 1]) for at in range(len(ROWS))]
    assert prove_image(png(header(), *parts, chunk(b"IDAT"), IEND), ImageLimits()).size == "2x2"


@pytest.mark.parametrize(
    ("data", "reason", "detail"),
    [
        (png(IDAT, header(), IEND), Reason.CORRUPT_IMAGE, "begin with IHDR"),
        (png(header(), IEND), Reason.CORRUPT_IMAGE, "without IDAT"),
        (png(header(), IDAT), Reason.TRUNCATED_IMAGE, "PNG chunk at byte"),
        (png(header(), IDAT[:-1] + b"!", IEND), Reason.CORRUPT_IMAGE, "PNG chunk IDAT at byte 33 has a wrong CRC"),
        (png(header(), chunk(b"ABCD"), IDAT, IEND), Reason.CORRUPT_IMAGE, "unknown critical PNG chunk ABCD"),
        (png(header(), b"\x00\x00\x00\x00\x00\x00\x00\x00"), Reason.CORRUPT_IMAGE, "no PNG chunk at byte 33"),
        (png(header(0, 2), IDAT, IEND), Reason.CORRUPT_IMAGE, "0x2"),
        (png(header(2, 2, 3), IDAT, IEND), Reason.CORRUPT_IMAGE, "illegal fields"),
        (png(header(2, 2, 8, 5), IDAT, IEND), Reason.CORRUPT_IMAGE, "illegal fields"),
        (png(header(2, 2, 8, 2, 0, 0, 2), IDAT, IEND), Reason.CORRUPT_IMAGE, "illegal fields"),
        (png(header(2, 2, 8, 3), IDAT, IEND), Reason.CORRUPT_IMAGE, "without PLTE"),
        (png(header(), chunk(b"acTL", bytes(8)), IDAT, IEND), Reason.CORRUPT_IMAGE, "no frame"),
        (png(header(), chunk(b"acTL", b"\xff" * 8), IDAT, IEND), Reason.TOO_MANY_PIXELS, "frames: 4294967295"),
        (png(header(60_000, 60_000)), Reason.TOO_MANY_PIXELS, "60000x60000"),
    ],
)
def test_broken_png_is_refused_with_the_place(data, reason, detail):
    error = rejection(data)
    assert error.reason is reason
    assert detail in error.detail


def test_pixel_stream_stays_packed():
    bomb = png(header(), chunk(b"IDAT", zlib.compress(bytes(50_000_000))), IEND)
    tracemalloc.start()
    try:
        assert prove_image(bomb, ImageLimits()).size == "2x2"
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
