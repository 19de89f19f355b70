"""JPEG: markers, segments, scans."""

import struct

import pytest

from z_interact_assets.core.errors import ImageRejectedError
from z_interact_assets.core.images import prove_image
from z_interact_assets.core.models import ImageLimits
from z_interact_assets.core.reasons import Reason

SOI, EOI = b"\xff\xd8", b"\xff\xd9"


def segment(marker: int, body: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body


def frame(width: int = 8, height: int = 8, marker: int = 0xC0) -> bytes:
    return segment(marker, struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00")


SCAN = segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"\x12\x34"


@pytest.mark.parametrize(
    "scan",
    [
        SCAN + b"\xff\x00\xff\x00",
        SCAN + b"\xff\xd0\x55\xff\xd1",
        SCAN + b"\xff\xff\xff",
        SCAN + SCAN + segment(0xC4, b"table") + SCAN,
    ],
    ids=["stuffed", "restarts", "fill", "several"],
)
def test_scan_is_skipped_to_the_next_real_marker(scan):
    proof = prove_image(SOI + frame() + scan + EOI + b"rest", ImageLimits())
    assert (proof.size, proof.trailing_bytes) == ("8x8", 4)


def test_end_marker_inside_a_segment_is_not_the_end():
    thumbnail = segment(0xE1, SOI + frame(1, 1) + SCAN + EOI)
    assert prove_image(SOI + thumbnail + frame() + SCAN + EOI, ImageLimits()).size == "8x8"


@pytest.mark.parametrize(
    ("data", "reason", "detail"),
    [
        (SOI + frame() + SCAN, Reason.TRUNCATED_IMAGE, "inside a scan"),
        (SOI + frame() + SCAN + b"\xff", Reason.TRUNCATED_IMAGE, "inside a scan"),
        (SOI + frame(), Reason.TRUNCATED_IMAGE, "without EOI"),
        (SOI + b"\xff\xe0\xff\xff", Reason.TRUNCATED_IMAGE, "segment at byte 4 is cut off"),
        (SOI + b"\xff\xe0\x00\x01" + frame(), Reason.CORRUPT_IMAGE, "impossible length"),
        (SOI + frame() + EOI, Reason.CORRUPT_IMAGE, "without a scan"),
        (SOI + SCAN + EOI, Reason.CORRUPT_IMAGE, "before its frame header"),
        (SOI + frame() + frame() + SCAN + EOI, Reason.CORRUPT_IMAGE, "second JPEG frame header"),
        (SOI + frame() + SCAN[:-2] + EOI, Reason.CORRUPT_IMAGE, "empty JPEG scan"),
        (SOI + segment(0xE0, b"") + b"\x00" + frame(), Reason.CORRUPT_IMAGE, "no JPEG marker at byte 6"),
        (SOI + frame(8, 0) + SCAN + EOI, Reason.CORRUPT_IMAGE, "8x0"),
        (SOI + segment(0xC0, bytes(6)) + SCAN + EOI, Reason.CORRUPT_IMAGE, "wrong length"),
        (SOI + frame(60_000, 60_000) + SCAN + EOI, Reason.TOO_MANY_PIXELS, "60000x60000"),
    ],
)
def test_broken_jpeg_is_refused_with_the_place(data, reason, detail):
    with pytest.raises(ImageRejectedError) as caught:
        prove_image(data, ImageLimits())
    assert caught.value.reason is reason
    assert detail in caught.value.detail
