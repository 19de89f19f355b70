"""The way in: bounds first, then the format by the bytes alone, then that format's own walk."""

from collections.abc import Callable, Mapping

from z_interact_assets.core.errors import ImageRejectedError
from z_interact_assets.core.images.gif import prove_gif
from z_interact_assets.core.images.jpeg import prove_jpeg
from z_interact_assets.core.images.png import prove_png
from z_interact_assets.core.images.sniffing import sniff, unrecognised
from z_interact_assets.core.images.svg import prove_svg
from z_interact_assets.core.images.webp import prove_webp
from z_interact_assets.core.models import ImageFormat, ImageLimits, ImageProof
from z_interact_assets.core.reasons import Reason


def prove_image(data: bytes, limits: ImageLimits) -> ImageProof:
    """Prove that the bytes are one whole image within the limits; ImageRejectedError for anything else."""
    if not data:
        raise ImageRejectedError(Reason.EMPTY)
    if len(data) > limits.max_bytes:
        raise ImageRejectedError(Reason.TOO_LARGE, f"{len(data)} bytes, allowed: {limits.max_bytes}")
    image_format = sniff(data)
    if image_format is None:
        raise unrecognised(data)
    walk = _WALKS.get(image_format)
    if walk:
        return walk(data, limits)
    from z_interact_assets.core.images.decoding import prove_by_decoding  # noqa: PLC0415 - Pillow, for rare formats

    return prove_by_decoding(image_format, data, limits)


_WALKS: Mapping[ImageFormat, Callable[[bytes, ImageLimits], ImageProof]] = {
    ImageFormat.PNG: prove_png,
    ImageFormat.JPG: prove_jpeg,
    ImageFormat.WEBP: prove_webp,
    ImageFormat.GIF: prove_gif,
    ImageFormat.SVG: prove_svg,
}
