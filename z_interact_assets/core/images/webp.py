"""WebP: the RIFF container chunk by chunk, dimensions from VP8, VP8L or VP8X, frames of an animation counted."""

import struct
from collections.abc import Iterator

from z_interact_assets.core.images.walking import check_pixels, corrupt, read_fields, truncated
from z_interact_assets.core.models import ImageFormat, ImageLimits, ImageProof

_RIFF = struct.Struct("<4sI4s")
_CHUNK_HEAD = struct.Struct("<4sI")
_VP8 = struct.Struct("<3s3sHH")
_VP8L = struct.Struct("<BI")
_ANMF_SIZE = 16
_VP8X_SIZE = 10
_ANIMATION = 0x02
_BITSTREAMS = frozenset({b"VP8 ", b"VP8L"})
_KEY_FRAME = b"\x9d\x01\x2a"
_VP8L_SIGNATURE = 0x2F


def prove_webp(data: bytes, limits: ImageLimits) -> ImageProof:
    """Walk a WebP to the end of its RIFF container."""
    _, size, _ = read_fields(_RIFF, data, 0, "WebP header")
    end = _CHUNK_HEAD.size + size
    if end > len(data):
        raise truncated(f"the WebP lacks {end - len(data)} bytes")
    chunks = _chunks(data, _RIFF.size, end)
    kind, start, length = next(chunks, (b"", 0, 0))
    if kind in _BITSTREAMS:
        width, height = _bitstream_size(data, kind, start, length)
        frames = 1
        check_pixels(width, height, limits)
        for _ in chunks:
            continue
    elif kind == b"VP8X":
        width, height, frames = _extended(data, start, length, chunks, limits)
    else:
        raise corrupt("the WebP does not begin with an image chunk")
    return ImageProof(
        format=ImageFormat.WEBP, width=width, height=height, frames=frames, trailing_bytes=len(data) - end
    )


def _extended(
    data: bytes, start: int, length: int, chunks: Iterator[tuple[bytes, int, int]], limits: ImageLimits
) -> tuple[int, int, int]:
    """Canvas width and height and the number of frames of a VP8X file."""
    if length < _VP8X_SIZE:
        raise corrupt("VP8X of the WebP is too short")
    animated = bool(data[start] & _ANIMATION)
    width, height = _uint24(data, start + 4) + 1, _uint24(data, start + 7) + 1
    check_pixels(width, height, limits)
    wanted = {b"ANMF"} if animated else _BITSTREAMS
    frames = 0
    for kind, offset, size in chunks:
        if kind not in wanted:
            continue
        frames += 1
        check_pixels(width, height, limits, frames=frames)
        if animated:
            _check_frame(data, offset, size, (width, height))
        elif _bitstream_size(data, kind, offset, size) != (width, height):
            raise corrupt("image and canvas of the WebP differ in size")
    if not frames or (frames > 1 and not animated):
        raise corrupt(f"a still WebP with {frames} images" if frames else "a WebP without an image")
    return width, height, frames


def _check_frame(data: bytes, start: int, length: int, canvas: tuple[int, int]) -> None:
    if length < _ANMF_SIZE:
        raise corrupt(f"WebP frame at byte {start} is too short")
    left, top = 2 * _uint24(data, start), 2 * _uint24(data, start + 3)
    width, height = _uint24(data, start + 6) + 1, _uint24(data, start + 9) + 1
    if left + width > canvas[0] or top + height > canvas[1]:
        raise corrupt(f"WebP frame at byte {start} lies outside the canvas")
    for kind, offset, size in _chunks(data, start + _ANMF_SIZE, start + length):
        if kind in _BITSTREAMS and _bitstream_size(data, kind, offset, size) == (width, height):
            return
    raise corrupt(f"WebP frame at byte {start} holds no image of its size")


def _chunks(data: bytes, offset: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Type, start and length of each chunk between `offset` and `end`."""
    while offset < end:
        start = offset + _CHUNK_HEAD.size
        if start > end:
            raise corrupt(f"no WebP chunk at byte {offset}")
        kind, length = _CHUNK_HEAD.unpack_from(data, offset)
        if start + length > end:
            raise corrupt(f"WebP chunk at byte {offset} is longer than what holds it")
        yield kind, start, length
        offset = start + length + (length & 1)


def _bitstream_size(data: bytes, kind: bytes, start: int, length: int) -> tuple[int, int]:
    layout = _VP8 if kind == b"VP8 " else _VP8L
    if length <= layout.size:
        raise corrupt(f"WebP image at byte {start} is too short")
    if layout is _VP8L:
        signature, bits = _VP8L.unpack_from(data, start)
        if signature != _VP8L_SIGNATURE or bits >> 29:
            raise corrupt(f"VP8L header at byte {start} is wrong")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    tag, code, width, height = _VP8.unpack_from(data, start)
    tag = int.from_bytes(tag, "little")
    # The tag holds "not a key frame" in its lowest bit and the first partition's size in its upper 19.
    if tag & 1 or code != _KEY_FRAME or tag >> 5 > length - _VP8.size:
        raise corrupt(f"VP8 header at byte {start} is wrong")
    return width & 0x3FFF, height & 0x3FFF


def _uint24(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 3], "little")
