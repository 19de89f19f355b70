"""PNG and APNG: every chunk with its CRC, and the pixel stream inflated (in bounded memory) to its last row."""

import struct
import zlib
from collections.abc import Iterator

from z_interact_assets.core.images.walking import check_pixels, corrupt, read_fields, truncated
from z_interact_assets.core.models import ImageFormat, ImageLimits, ImageProof

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHUNK_HEAD = struct.Struct(">I4s")
_CRC = struct.Struct(">I")
_IHDR = struct.Struct(">IIBBBBB")
_ACTL = struct.Struct(">II")
_MAX_31_BITS = 0x7FFFFFFF
_CRITICAL = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
# Colour type → samples a pixel, legal bit depths.
_COLOURS = {
    0: (1, {1, 2, 4, 8, 16}),
    2: (3, {8, 16}),
    3: (1, {1, 2, 4, 8}),
    4: (2, {8, 16}),
    6: (4, {8, 16}),
}
_PALETTE = 3
# Adam7: first column and row, column and row step of each pass.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_INFLATE_STEP = 256 * 1024


class _PixelStream:
    """Counts what IDAT unpacks to, never holding more than one step of it."""

    def __init__(self, expected: int) -> None:
        self._inflater = zlib.decompressobj()
        self._missing = expected
        self.started = False

    def feed(self, compressed: memoryview) -> None:
        self.started = True
        rest: memoryview | bytes = compressed
        while rest and self._missing >= 0 and not self._inflater.eof:
            try:
                # One byte past the end is asked for, so that zlib reads on to its own checksum.
                unpacked = self._inflater.decompress(rest, min(_INFLATE_STEP, self._missing + 1))
            except zlib.error as error:
                raise corrupt("the PNG pixel stream cannot be inflated") from error
            self._missing -= len(unpacked)
            rest = self._inflater.unconsumed_tail

    def finish(self) -> None:
        if not self.started:
            raise corrupt("a PNG without IDAT")
        if self._missing > 0:
            raise truncated(f"the PNG pixel stream ends {self._missing} bytes early")


def prove_png(data: bytes, limits: ImageLimits) -> ImageProof:
    """Walk a PNG to its IEND."""
    chunks = _chunks(data)
    kind, body, _ = next(chunks)
    if kind != b"IHDR" or len(body) != _IHDR.size:
        raise corrupt("a PNG that does not begin with IHDR")
    width, height, depth, colour, *rest = _IHDR.unpack(body)
    _check_header(width, height, depth, colour, rest)
    check_pixels(width, height, limits)
    stream = _PixelStream(_unpacked_size(width, height, depth * _COLOURS[colour][0], interlaced=rest[2] == 1))
    frames, palette, trailing = 1, False, 0
    for kind, body, end in chunks:
        if kind == b"IDAT":
            if colour == _PALETTE and not palette:
                raise corrupt("a PNG palette image without PLTE before IDAT")
            stream.feed(body)
        elif kind == b"acTL" and not stream.started:
            frames = _animation_frames(body)
            check_pixels(width, height, limits, frames=frames)
        elif kind == b"PLTE":
            palette = True
        elif kind not in _CRITICAL and not kind[0] & 0x20:
            raise corrupt(f"unknown critical PNG chunk {kind.decode('ascii')}")
        trailing = len(data) - end
    stream.finish()
    return ImageProof(format=ImageFormat.PNG, width=width, height=height, frames=frames, trailing_bytes=trailing)


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview, int]]:
    """Type, body and end of each chunk up to IEND, its CRC checked."""
    view = memoryview(data)
    offset = len(SIGNATURE)
    kind = b""
    while kind != b"IEND":
        length, kind = read_fields(_CHUNK_HEAD, data, offset, "PNG chunk")
        if length > _MAX_31_BITS or not kind.isalpha():
            raise corrupt(f"no PNG chunk at byte {offset}")
        name = kind.decode("ascii")
        start, end = offset + _CHUNK_HEAD.size, offset + _CHUNK_HEAD.size + length
        (crc,) = read_fields(_CRC, data, end, f"CRC of PNG chunk {name}")
        if zlib.crc32(view[offset + 4 : end]) != crc:
            raise corrupt(f"PNG chunk {name} at byte {offset} has a wrong CRC")
        offset = end + _CRC.size
        yield kind, view[start:end], offset


def _check_header(width: int, height: int, depth: int, colour: int, rest: list[int]) -> None:
    compression, filtering, interlace = rest
    legal = colour in _COLOURS and depth in _COLOURS[colour][1]
    if not legal or compression or filtering or interlace > 1 or max(width, height) > _MAX_31_BITS:
        raise corrupt("IHDR of the PNG has illegal fields")


def _animation_frames(body: memoryview) -> int:
    if len(body) != _ACTL.size:
        raise corrupt("acTL of the PNG has a wrong length")
    frames = _ACTL.unpack(body)[0]
    if frames == 0:
        raise corrupt("acTL of the PNG announces no frame")
    return frames


def _unpacked_size(width: int, height: int, bits: int, *, interlaced: bool) -> int:
    """Bytes of the filtered rows: one filter byte a row, rows of no pixels do not exist."""
    if not interlaced:
        return height * (1 + (width * bits + 7) // 8)
    total = 0
    for column, row, column_step, row_step in _PASSES:
        columns = -(-(width - column) // column_step)
        rows = -(-(height - row) // row_step)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits + 7) // 8)
    return total
