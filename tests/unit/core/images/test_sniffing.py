"""What the first bytes say: published formats, unpublished ones, and pretenders."""

import pytest

from z_interact_assets.core.errors import ImageRejectedError
from z_interact_assets.core.images import prove_image, sniff
from z_interact_assets.core.models import ImageFormat, ImageLimits
from z_interact_assets.core.reasons import Reason


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    body = major + bytes(4) + b"".join(compatible)
    return (len(body) + 8).to_bytes(4, "big") + b"ftyp" + body


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (ftyp(b"avif", b"mif1"), ImageFormat.AVIF),
        (ftyp(b"mif1", b"avif"), ImageFormat.AVIF),
        (b"BM is a car maker, not a bitmap", None),
        (b"RIFF\x00\x00\x00\x00WAVE", None),
        (b"MM\x00+", ImageFormat.TIFF),
        (b"<svg/>", ImageFormat.SVG),
        ("\ufeff<svg>".encode(), ImageFormat.SVG),
        ("<?xml version='1.0'?>\n<svg>".encode("utf-16"), ImageFormat.SVG),
        (b"<!DOCTYPE svg [<!ENTITY a '>'>]><!-- <html> --><s:svg >", ImageFormat.SVG),
        (b"<svgish>", None),
        (b"<!-- <svg> --><html>", None),
        (b"<!-- never closed <svg>", None),
    ],
)
def test_format_is_told_by_the_bytes(data, expected):
    assert sniff(data) is expected


@pytest.mark.parametrize(
    ("data", "reason", "detail"),
    [
        (ftyp(b"heic", b"mif1"), Reason.UNSUPPORTED_FORMAT, "HEIC"),
        (b"\x00\x00\x01\x00\x01\x00", Reason.UNSUPPORTED_FORMAT, "ICO"),
        (b"8BPS\x00\x01", Reason.UNSUPPORTED_FORMAT, "PSD"),
        (b"\xff\x0a\x00", Reason.UNSUPPORTED_FORMAT, "JPEG XL"),
        (b"\x00\x00\x00\x0cJXL \r\n\x87\n", Reason.UNSUPPORTED_FORMAT, "JPEG XL"),
        (b"\x1f\x8b\x08", Reason.UNSUPPORTED_FORMAT, "gzip, perhaps a compressed SVG"),
        (b"<!DOCTYPE html><html></html>", Reason.NOT_AN_IMAGE, "looks like HTML"),
        (b"\n<html>", Reason.NOT_AN_IMAGE, "looks like HTML"),
        (b'{"error":"rate limited"}', Reason.NOT_AN_IMAGE, "looks like JSON"),
        (b"<Error><Code>AccessDenied</Code></Error>", Reason.NOT_AN_IMAGE, "looks like XML"),
        (b"%PDF-1.7", Reason.NOT_AN_IMAGE, "looks like PDF"),
        (b"iVBORw0KGgoAAAANSUhEUg", Reason.NOT_AN_IMAGE, "looks like base64, encoded twice"),
        ("Zeitüberschreitung".encode(), Reason.NOT_AN_IMAGE, "looks like text"),
        (ftyp(b"isom", b"mp42"), Reason.NOT_AN_IMAGE, "looks like audio or video"),
        (b"RIFF\x00\x00\x00\x00WAVE", Reason.NOT_AN_IMAGE, "looks like audio or video"),
        (b"\x00\x01\x02\x03", Reason.NOT_AN_IMAGE, "looks like unknown binary data"),
    ],
)
def test_other_bytes_are_named(data, reason, detail):
    with pytest.raises(ImageRejectedError) as caught:
        prove_image(data, ImageLimits())
    assert (caught.value.reason, caught.value.detail) == (reason, detail)
