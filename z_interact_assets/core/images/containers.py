"""Where AVIF and BMP files end, from their own length fields. Their pixels are decoding.py's business."""

import struct

from z_interact_assets.core.images.walking import corrupt, read_fields, truncated

_BOX = struct.Struct(">I4s")
_LARGE_BOX = struct.Struct(">Q")
_TOP_LEVEL = frozenset({b"ftyp", b"meta", b"moov", b"mdat", b"free", b"skip", b"uuid", b"moof", b"mfra", b"sidx"})
_BMP_HEAD = struct.Struct("<2sIHHII")
_BMP_CORE = struct.Struct("<HHHH")
_BMP_INFO = struct.Struct("<iiHHII")
_CORE_SIZE = 12
_UNCOMPRESSED = frozenset({0, 3, 6})  # BI_RGB, BI_BITFIELDS, BI_ALPHABITFIELDS


def avif_end(data: bytes) -> int:
    """Where the last top-level box ends; bytes that begin no known box follow the image."""
    offset = 0
    while offset + _BOX.size <= len(data):
        size, kind = _BOX.unpack_from(data, offset)
        if kind not in _TOP_LEVEL:
            break
        least = _BOX.size
        if size == 0:
            return len(data)
        if size == 1:
            (size,) = read_fields(_LARGE_BOX, data, offset + _BOX.size, "AVIF box")
            least += _LARGE_BOX.size
        if size < least:
            raise corrupt(f"AVIF box at byte {offset} has an impossible size")
        if offset + size > len(data):
            raise truncated(f"AVIF box at byte {offset} is cut off")
        offset += size
    return offset


def bmp_end(data: bytes) -> int:
    """Where the pixel rows end, the padding of the last one included."""
    _, _, _, _, start, header = read_fields(_BMP_HEAD, data, 0, "BMP header")
    if header == _CORE_SIZE:
        width, height, _, bits = read_fields(_BMP_CORE, data, _BMP_HEAD.size, "BMP header")
        compression = stored = 0
    else:
        width, height, _, bits, compression, stored = read_fields(_BMP_INFO, data, _BMP_HEAD.size, "BMP header")
    rows = (max(width, 0) * bits + 31) // 32 * 4 * abs(height)
    end = start + (rows if compression in _UNCOMPRESSED else stored)
    if end > len(data):
        raise truncated(f"the BMP lacks {end - len(data)} bytes")
    return end
