"""GIF, WebP, AVIF, BMP and TIFF: what the table of all formats does not reach."""

import struct
import warnings

import pytest

from z_interact_assets.core.errors import ImageRejectedError
from z_interact_assets.core.images import prove_image
from z_interact_assets.core.models import ImageLimits
from z_interact_assets.core.reasons import Reason

GIF_FRAME = b"\x2c\x00\x00\x00\x00\x02\x00\x02\x00\x00\x02\x01\x00\x00"
GIF_HEAD = b"GIF89a\x02\x00\x02\x00\x00\x00\x00"


def riff(body: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def webp_chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) & 1)


def extended(flags: int, width: int = 2, height: int = 2) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return webp_chunk(b"VP8X", bytes([flags, 0, 0, 0]) + size)


def lossless(width: int = 2, height: int = 2) -> bytes:
    return webp_chunk(b"VP8L", b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + b"\x00")


def animated(left: int = 0) -> bytes:
    body = (left // 2).to_bytes(3, "little") + bytes(3) + b"\x01\x00\x00\x01\x00\x00" + bytes(4)
    return webp_chunk(b"ANMF", body + lossless())


def rejection(data: bytes, limits: ImageLimits | None = None) -> ImageRejectedError:
    with pytest.raises(ImageRejectedError) as caught:
        prove_image(data, limits or ImageLimits())
    return caught.value


def test_gif_frames_are_counted_before_the_limit_is_passed():
    whole = GIF_HEAD + GIF_FRAME * 5 + b";"
    assert prove_image(whole, ImageLimits(max_pixels=20)).frames == 5
    assert rejection(whole, ImageLimits(max_pixels=19)).reason is Reason.TOO_MANY_PIXELS


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (GIF_HEAD + b";", "without a frame"),
        (GIF_HEAD + b"\x00" + GIF_FRAME + b";", "no GIF block at byte 13"),
        (GIF_HEAD + GIF_FRAME[:-3] + b"\x00;", "holds no data"),
        (GIF_HEAD + GIF_FRAME[:-4] + b"\x0d\x01\x00\x00;", "impossible code size"),
        (b"GIF89a\x00\x00\x02\x00\x00\x00\x00" + GIF_FRAME + b";", "0x2"),
        (riff(webp_chunk(b"EXIF", b"")), "does not begin with an image chunk"),
        (riff(b""), "does not begin with an image chunk"),
        (riff(extended(0)), "without an image"),
        (riff(extended(0) + lossless() * 2), "still WebP with 2 images"),
        (riff(extended(0) + lossless(3)), "differ in size"),
        (riff(extended(2) + lossless()), "without an image"),
        (riff(extended(2) + animated(2)), "outside the canvas"),
        (riff(extended(2) + webp_chunk(b"ANMF", bytes(16))), "outside the canvas|no image of its size"),
        (riff(webp_chunk(b"VP8L", b"\x2e" + bytes(6))), "VP8L header"),
        (riff(webp_chunk(b"VP8 ", bytes(20))), "VP8 header"),
        (riff(lossless() + b"EXIF\xff\x00\x00\x00"), "longer than what holds it"),
    ],
)
def test_contradiction_inside_the_file_is_corrupt(data, detail):
    error = rejection(data)
    assert error.reason is Reason.CORRUPT_IMAGE
    assert any(each in error.detail for each in detail.split("|"))


def test_extended_webp_is_measured_by_its_canvas():
    proof = prove_image(riff(extended(2) + animated() * 3), ImageLimits())
    assert (proof.size, proof.frames) == ("2x2", 3)
    huge = riff(extended(2, 1 << 24, 1 << 24))
    assert rejection(huge).reason is Reason.TOO_MANY_PIXELS


def test_our_bound_holds_where_pillow_would_warn_on_its_own(limits):
    width, height = 10_016, 9000  # more than Image.MAX_IMAGE_PIXELS, less than our limit
    rows = width // 8 * height
    head = struct.pack("<2sIHHI", b"BM", 62 + rows, 0, 0, 62)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 1, 0, rows, 0, 0, 2, 0)
    proof = prove_image(head + info + b"\x00\x00\x00\x00\xff\xff\xff\x00" + bytes(rows), limits)
    assert proof.size == "10016x9000"


def test_huge_bmp_is_refused_by_its_header_alone(samples):
    huge = bytearray(samples["bmp_rle"])
    huge[18:26] = struct.pack("<ii", 60_000, 60_000)
    assert rejection(bytes(huge)).reason is Reason.TOO_MANY_PIXELS


def test_warnings_are_as_before_after_a_damaged_tiff(samples, limits):
    before = list(warnings.filters)
    rejection(samples["tiff"][:-1], limits)
    assert list(warnings.filters) == before


def test_tiff_directories_that_form_a_ring_end(samples, limits):
    whole = bytearray(samples["tiff"])
    (start,) = struct.unpack_from("<I", whole, 4)
    (count,) = struct.unpack_from("<H", whole, start)
    struct.pack_into("<I", whole, start + 2 + 12 * count, start)
    assert prove_image(bytes(whole), limits).frames == 1


@pytest.mark.parametrize("number", [2_000_000, 0xFFFFFFFF])
def test_tiff_tag_with_values_beyond_the_file_is_refused(samples, limits, number):
    whole = bytearray(samples["tiff"])
    (start,) = struct.unpack_from("<I", whole, 4)
    struct.pack_into("<I", whole, start + 2 + 4, number)
    assert rejection(bytes(whole), limits).reason is Reason.TRUNCATED_IMAGE
