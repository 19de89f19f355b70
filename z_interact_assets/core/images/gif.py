"""GIF: colour tables, extensions and frames block by block, up to the trailer."""

import struct

from z_interact_assets.core.errors import ImageRejectedError
from z_interact_assets.core.images.walking import check_pixels, corrupt, each_part, read_fields, truncated
from z_interact_assets.core.models import ImageFormat, ImageLimits, ImageProof
from z_interact_assets.core.reasons import Reason

SIGNATURES = (b"GIF87a", b"GIF89a")
_SCREEN = struct.Struct("<6xHHBxx")
_FRAME = struct.Struct("<4xHHBB")  # after its introducer; the last byte is the LZW code size
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_MAX_CODE_SIZE = 11


def prove_gif(data: bytes, limits: ImageLimits) -> ImageProof:
    """Walk a GIF to its trailer. A frame larger than the screen counts with its own size."""
    width, height, flags = read_fields(_SCREEN, data, 0, "GIF header")
    check_pixels(width, height, limits)
    offset = _SCREEN.size + _table_size(flags)
    frames = pixels = 0
    for _ in each_part("GIF blocks"):
        introducer = _byte(data, offset)
        if introducer == _TRAILER:
            break
        if introducer == _EXTENSION:
            offset = _skip_sub_blocks(data, offset + 2)
        elif introducer == _IMAGE:
            frame_width, frame_height, offset = _frame(data, offset + 1)
            frames += 1
            pixels += max(width * height, frame_width * frame_height)
            if pixels > limits.max_pixels:
                raise ImageRejectedError(Reason.TOO_MANY_PIXELS, f"GIF of {width}x{height}, {frames} frames or more")
        else:
            raise corrupt(f"no GIF block at byte {offset}")
    if not frames:
        raise corrupt("a GIF without a frame")
    return ImageProof(
        format=ImageFormat.GIF, width=width, height=height, frames=frames, trailing_bytes=len(data) - offset - 1
    )


def _frame(data: bytes, offset: int) -> tuple[int, int, int]:
    """Width and height of a frame, and where its data end."""
    width, height, flags, _ = read_fields(_FRAME, data, offset, "GIF frame")
    check_offset = offset + _FRAME.size - 1 + _table_size(flags)
    if not 1 <= _byte(data, check_offset) <= _MAX_CODE_SIZE:
        raise corrupt(f"GIF frame at byte {offset} has an impossible code size")
    start = check_offset + 1
    end = _skip_sub_blocks(data, start)
    if end == start + 1:
        raise corrupt(f"GIF frame at byte {offset} holds no data")
    return width, height, end


def _table_size(flags: int) -> int:
    return 3 * 2 ** ((flags & 0x07) + 1) if flags & 0x80 else 0


def _skip_sub_blocks(data: bytes, offset: int) -> int:
    while length := _byte(data, offset):
        offset += length + 1
    return offset + 1


def _byte(data: bytes, offset: int) -> int:
    if offset >= len(data):
        raise truncated("the GIF ends without its trailer")
    return data[offset]
