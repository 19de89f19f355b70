"""AVIF, BMP and TIFF, decoded in full by Pillow because their structure alone proves little.

The plugins are used directly: `Image.open` would try formats we did not sniff, and warn about or refuse sizes by a
bound that is global to the process. Ours is checked on every frame's header before the first frame is decoded.
Only proving.py imports this, when such an image turns up: Pillow costs memory and start-up time.
"""

import io
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from PIL import Image
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from z_interact_assets.core.errors import ImageRejectedError
from z_interact_assets.core.images.containers import avif_end, bmp_end
from z_interact_assets.core.images.tiff import tiff_end
from z_interact_assets.core.images.walking import check_pixels, corrupt, truncated
from z_interact_assets.core.models import ImageFormat, ImageLimits, ImageProof
from z_interact_assets.core.reasons import Reason

_PLUGINS: Mapping[ImageFormat, type[ImageFile]] = {
    ImageFormat.AVIF: AvifImageFile,
    ImageFormat.BMP: BmpImageFile,
    ImageFormat.TIFF: TiffImageFile,
}
_ENDS: Mapping[ImageFormat, Callable[[bytes], int]] = {
    ImageFormat.AVIF: avif_end,
    ImageFormat.BMP: bmp_end,
    ImageFormat.TIFF: tiff_end,
}
# Pillow needs about 0.1 ms for the header of one TIFF page, and 50 MB could hold millions of them.
_MAX_FRAMES = 1000
# A frame, or a tile, that a small file can unpack to 4 (TIFF) or 9 (AVIF) bytes a pixel: 8192 x 8192 is 0.6 GB at most.
# BMP is not in it: its compression needs a byte of file for 64 pixels, of one byte each.
_MAX_UNPACKED_PIXELS: Mapping[ImageFormat, int] = {ImageFormat.AVIF: 2**26, ImageFormat.TIFF: 2**26}
_TILE_WIDTH, _TILE_LENGTH = 322, 323
# catch_warnings swaps a process-wide list, so only one thread may be inside; it bounds the memory too.
_WARNINGS_LOCK = threading.Lock()


def prove_by_decoding(image_format: ImageFormat, data: bytes, limits: ImageLimits) -> ImageProof:
    """Decode every frame; what Pillow raises or warns of becomes ImageRejectedError."""
    end = _ENDS[image_format](data)
    with _translated(image_format), _PLUGINS[image_format](io.BytesIO(data)) as image:
        width, height = image.size
        unpacked = min(limits.max_pixels, _MAX_UNPACKED_PIXELS.get(image_format, limits.max_pixels))
        frames = _count_frames(image, limits, replace(limits, max_pixels=unpacked))
        for frame in range(frames):
            image.seek(frame)
            image.load()
    return ImageProof(format=image_format, width=width, height=height, frames=frames, trailing_bytes=len(data) - end)


def _count_frames(image: ImageFile, limits: ImageLimits, frame_limits: ImageLimits) -> int:
    """Read the header of each frame and add up their pixels, decoding none."""
    frames = pixels = 0
    while True:
        width, height = image.size
        check_pixels(width, height, frame_limits)
        _check_tile(image, frame_limits)
        pixels += width * height
        frames += 1
        if pixels > limits.max_pixels or frames > _MAX_FRAMES:
            raise ImageRejectedError(Reason.TOO_MANY_PIXELS, f"{pixels} pixels in {frames} frames or more")
        try:
            image.seek(frames)
        except EOFError:
            return frames


def _check_tile(image: ImageFile, limits: ImageLimits) -> None:
    """A TIFF of 16 x 16 pixels may say that it is one tile of 32768 x 32768, and libtiff unpacks it."""
    if isinstance(image, TiffImageFile) and _TILE_WIDTH in image.tag_v2 and _TILE_LENGTH in image.tag_v2:
        check_pixels(image.tag_v2[_TILE_WIDTH], image.tag_v2[_TILE_LENGTH], limits)


@contextmanager
def _translated(image_format: ImageFormat) -> Iterator[None]:
    """Turn whatever Pillow raises, and its warnings of damage, into ImageRejectedError.

    Its messages are not passed on: some quote the file.
    """
    name = image_format.value.upper()
    with _WARNINGS_LOCK, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        except ImageRejectedError:
            raise
        except Exception as error:  # noqa: BLE001 - Pillow's plugins raise anything on damaged files, by design
            if "truncated" in str(error).lower():
                raise truncated(f"Pillow finds the {name} truncated") from None
            raise corrupt(f"Pillow cannot decode the {name}: {type(error).__name__}") from None
    # TIFF tags that point outside the file are skipped with a warning; odd but whole metadata is no damage.
    if any(_is_damage(warning) for warning in caught):
        raise truncated(f"Pillow finds tags of the {name} cut off")


def _is_damage(warning: warnings.WarningMessage) -> bool:
    # Pillow's own bound on pixels is global to the process, and ours was kept.
    bound = issubclass(warning.category, Image.DecompressionBombWarning)
    return "PIL" in warning.filename and not bound and not str(warning.message).startswith("Metadata Warning")
