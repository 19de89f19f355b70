"""JPEG: segments by their lengths, entropy-coded data skipped to the next real marker, up to EOI.

Thumbnails live inside APPn segments and are skipped with them.
"""

import re
import struct

from z_interact_assets.core.images.walking import check_pixels, corrupt, each_part, read_fields, truncated
from z_interact_assets.core.models import ImageFormat, ImageLimits, ImageProof

SIGNATURE = b"\xff\xd8\xff"
_LENGTH = struct.Struct(">H")
_SOF = struct.Struct(">HBHHB")
_EOI, _SOS, _SOI = 0xD9, 0xDA, 0xD8
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOFn without DHT, JPG and DAC
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})  # TEM and RSTn have no length
# In entropy-coded data FF00 is a stuffed byte, FFD0-FFD7 are restarts and FFFF is fill: any other FFxx is a marker.
_FILL = re.compile(rb"\xff*")
_MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


def prove_jpeg(data: bytes, limits: ImageLimits) -> ImageProof:
    """Walk a JPEG to its EOI."""
    size: tuple[int, int] | None = None
    scans = 0
    offset = 2
    for _ in each_part("JPEG segments"):
        marker, offset = _marker(data, offset)
        if marker == _EOI:
            break
        if marker in _STANDALONE:
            continue
        if marker in {0x00, _SOI}:
            raise corrupt(f"illegal JPEG marker at byte {offset - 2}")
        end = _segment_end(data, offset)
        if marker in _FRAMES:
            if size:
                raise corrupt(f"second JPEG frame header at byte {offset - 2}")
            size = _frame_size(data, offset, end, limits)
        elif marker == _SOS:
            if not size:
                raise corrupt("JPEG scan before its frame header")
            end = _scan_end(data, end)
            scans += 1
        offset = end
    if not size or not scans:
        raise corrupt("a JPEG without a scan")
    return ImageProof(format=ImageFormat.JPG, width=size[0], height=size[1], trailing_bytes=len(data) - offset)


def _marker(data: bytes, offset: int) -> tuple[int, int]:
    """The marker at `offset` and where its segment begins; fill bytes are skipped."""
    start = offset
    fill = _FILL.match(data, start)
    offset = fill.end() if fill else start
    if offset >= len(data):
        raise truncated("the JPEG ends without EOI")
    if offset == start:
        raise corrupt(f"no JPEG marker at byte {start}")
    return data[offset], offset + 1


def _segment_end(data: bytes, offset: int) -> int:
    (length,) = read_fields(_LENGTH, data, offset, "JPEG segment")
    if length < _LENGTH.size:
        raise corrupt(f"JPEG segment at byte {offset} has an impossible length")
    if offset + length > len(data):
        raise truncated(f"JPEG segment at byte {offset} is cut off")
    return offset + length


def _frame_size(data: bytes, offset: int, end: int, limits: ImageLimits) -> tuple[int, int]:
    length, _precision, height, width, components = read_fields(_SOF, data, offset, "JPEG frame header")
    if components == 0 or length != _SOF.size + 3 * components or end != offset + length:
        raise corrupt(f"JPEG frame header at byte {offset} has a wrong length")
    check_pixels(width, height, limits)
    return width, height


def _scan_end(data: bytes, start: int) -> int:
    found = _MARKER_IN_SCAN.search(data, start)
    if not found:
        raise truncated("the JPEG ends inside a scan")
    if found.start() == start:
        raise corrupt(f"empty JPEG scan at byte {start}")
    return found.start()
