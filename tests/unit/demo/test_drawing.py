"""The pictures are distinct, whole, of every format, and the same each time."""

from io import BytesIO
from random import Random

import pytest
from PIL import Image

from z_interact_assets.core.errors import ImageRejectedError
from z_interact_assets.core.images import prove_image
from z_interact_assets.core.models import ImageFormat, ImageLimits
from z_interact_assets.core.reasons import Reason
from z_interact_assets.demo.drawing import Picture, draw_pictures, hostile_svg, icon

LIMITS = ImageLimits()


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    return draw_pictures(Random(7))


def test_the_same_seed_draws_the_same_bytes(pictures):
    assert [picture.data for picture in draw_pictures(Random(7))] == [picture.data for picture in pictures]


def test_they_are_distinct_whole_and_of_every_format(pictures):
    assert len({picture.data for picture in pictures}) == len(pictures) == 41
    assert {picture.format for picture in pictures} == set(ImageFormat)
    for picture in pictures:
        assert prove_image(picture.data, LIMITS).format is picture.format
        assert 2_000 < len(picture.data) < 150_000


def test_one_is_animated(pictures):
    frames = [getattr(Image.open(BytesIO(p.data)), "n_frames", 1) for p in pictures if p.format is not ImageFormat.SVG]
    assert sorted(frames)[-2:] == [1, 6]


@pytest.mark.parametrize("image_format", [ImageFormat.PNG, ImageFormat.JPG])
def test_a_signed_picture_is_whole_and_differs_by_its_signature_only(pictures, image_format):
    picture = next(picture for picture in pictures if picture.format is image_format)
    one, other = picture.signed("one"), picture.signed("other")
    assert len({picture.data, one.data, other.data}) == 3
    for signed in (one, other):
        proof = prove_image(signed.data, LIMITS)
        assert (proof.format, proof.trailing_bytes) == (image_format, 0)
        assert Image.open(BytesIO(signed.data)).tobytes() == Image.open(BytesIO(picture.data)).tobytes()


@pytest.mark.parametrize(("draw", "reason"), [(hostile_svg, Reason.UNSAFE_SVG), (icon, Reason.UNSUPPORTED_FORMAT)])
def test_what_must_be_refused_is_refused(draw, reason):
    with pytest.raises(ImageRejectedError) as caught:
        prove_image(draw(Random(1)), LIMITS)
    assert caught.value.reason is reason
