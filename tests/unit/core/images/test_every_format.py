"""What holds for all formats alike: proof, bounds, cuts at every byte, damage anywhere, bytes behind the end."""

from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from z_interact_assets.core.errors import ImageRejectedError
from z_interact_assets.core.images import prove_image, sniff
from z_interact_assets.core.models import ImageFormat, ImageLimits, ImageProof
from z_interact_assets.core.reasons import Reason

FRAMES = {"apng": 3, "webp_animated": 3, "gif_animated": 3, "avif_animated": 3, "tiff_pages": 3}
# Pillow pads a TIFF of several pages; no directory refers to those bytes.
PADDING = {"tiff_pages": 5}


def rejection(data: bytes, limits: ImageLimits) -> ImageRejectedError:
    with pytest.raises(ImageRejectedError) as caught:
        prove_image(data, limits)
    return caught.value


def outcome(data: bytes, limits: ImageLimits) -> ImageProof | ImageRejectedError:
    try:
        return prove_image(data, limits)
    except ImageRejectedError as error:
        return error


def without_padding(samples: Mapping[str, bytes], name: str) -> bytes:
    return samples[name][: len(samples[name]) - PADDING.get(name, 0)]


def test_whole_image_is_proved_with_its_format_size_and_frames(samples, name, limits):
    proof = prove_image(samples[name], limits)
    expected = {"apng": "png"}.get(name, name.partition("_")[0])
    assert proof.format is sniff(samples[name]) is ImageFormat(expected)
    assert (proof.size, proof.frames) == ("13x9", FRAMES.get(name, 1))
    assert proof.trailing_bytes == PADDING.get(name, 0)


def test_image_cut_at_any_byte_is_rejected(samples, name, limits):
    whole = without_padding(samples, name)
    for length in range(len(whole)):
        error = rejection(whole[:length], limits)
        assert error.reason in {
            Reason.EMPTY,
            Reason.TRUNCATED_IMAGE,
            Reason.CORRUPT_IMAGE,
            Reason.NOT_AN_IMAGE,
            Reason.UNSUPPORTED_FORMAT,
        }, f"cut at {length}"


def test_image_cut_by_its_last_byte_is_called_truncated(samples, name, limits):
    assert rejection(without_padding(samples, name)[:-1], limits).reason is Reason.TRUNCATED_IMAGE


def test_bytes_after_the_end_are_accepted_and_counted(samples, name, limits):
    if name == "svg":
        pytest.skip("XML with anything behind its root is not well-formed; see test_svg.py")
    proof = prove_image(without_padding(samples, name) + b"\x00tail\xff\xd9", limits)
    assert proof.trailing_bytes == 7


def test_image_over_the_byte_limit_is_too_large(samples, name):
    size = len(samples[name])
    assert prove_image(samples[name], ImageLimits(max_bytes=size))
    assert rejection(samples[name], ImageLimits(max_bytes=size - 1)).reason is Reason.TOO_LARGE


def test_pixels_of_all_frames_count_against_the_limit(samples, name):
    pixels = 13 * 9 * FRAMES.get(name, 1)
    assert prove_image(samples[name], ImageLimits(max_pixels=pixels))
    assert rejection(samples[name], ImageLimits(max_pixels=pixels - 1)).reason is Reason.TOO_MANY_PIXELS


def test_nothing_is_empty(limits):
    assert rejection(b"", limits).reason is Reason.EMPTY


def mutations(data: bytes) -> st.SearchStrategy[bytes]:
    def change(edits: list[tuple[int, int, bytes]]) -> bytes:
        changed = bytearray(data)
        for offset, removed, inserted in edits:
            changed[offset : offset + removed] = inserted
        return bytes(changed)

    position = st.one_of(st.integers(0, min(80, len(data))), st.integers(0, len(data)))
    edits = st.tuples(position, st.integers(0, 4), st.binary(max_size=4))
    return st.lists(edits, min_size=1, max_size=5).map(change)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draw=st.data())
def test_damaged_image_is_proved_or_rejected_and_nothing_else(samples, name, draw):
    result = outcome(draw.draw(mutations(samples[name])), ImageLimits(max_pixels=1_000_000))
    if isinstance(result, ImageRejectedError):
        assert result.detail or result.reason is Reason.EMPTY
        assert len(result.detail) < 200
    else:
        assert result.frames >= 1
        assert result.trailing_bytes >= 0


@given(st.one_of(st.binary(), st.text().map(str.encode)))
def test_arbitrary_bytes_are_never_more_than_rejected(data):
    assert isinstance(outcome(data, ImageLimits()), ImageRejectedError)
