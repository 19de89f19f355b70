"""What every walker shares: the ways to say no, reading fields that may be cut off, the bound on pixels."""

import struct
from collections.abc import Iterator
from typing import Any

from z_interact_assets.core.errors import ImageRejectedError
from z_interact_assets.core.models import ImageLimits
from z_interact_assets.core.reasons import Reason

# Chunks, segments, blocks of one file. Real ones of 50 MB have some thousands; five million take seconds to walk.
MAX_PARTS = 500_000


def truncated(detail: str) -> ImageRejectedError:
    """The error of an image that ends too early."""
    return ImageRejectedError(Reason.TRUNCATED_IMAGE, detail)


def corrupt(detail: str) -> ImageRejectedError:
    """The error of an image whose structure contradicts its format."""
    return ImageRejectedError(Reason.CORRUPT_IMAGE, detail)


def read_fields(layout: struct.Struct, data: bytes, offset: int, what: str) -> tuple[Any, ...]:
    """The fields at `offset`; TRUNCATED_IMAGE, naming `what`, where the bytes end before them."""
    if offset + layout.size > len(data):
        raise truncated(f"{what} at byte {offset} is cut off")
    return layout.unpack_from(data, offset)


def each_part(what: str) -> Iterator[int]:
    """Count the parts of a file, and refuse one that goes on for ever: loop over it and leave at the end."""
    yield from range(MAX_PARTS)
    raise corrupt(f"more than {MAX_PARTS} {what}")


def check_pixels(width: int, height: int, limits: ImageLimits, *, frames: int = 1) -> None:
    """Refuse dimensions of zero, and more pixels than the limits allow. Call it before unpacking anything."""
    if width <= 0 or height <= 0:
        raise corrupt(f"dimensions are {width}x{height}")
    if width * height * frames > limits.max_pixels:
        raise ImageRejectedError(
            Reason.TOO_MANY_PIXELS, f"{width}x{height}, frames: {frames}, allowed pixels: {limits.max_pixels}"
        )
