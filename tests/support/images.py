"""Images made on the spot. What they look like does not matter, only that each is whole and its bytes are its own."""

import base64
import struct
import zlib
from io import BytesIO

from PIL import Image

_PNG_END = 12  # the IEND chunk


def make_png(shade: int) -> bytes:
    """A PNG of a few pixels; another one for each shade."""
    target = BytesIO()
    Image.new("RGB", (3, 2), (shade % 256, shade // 256 % 256, shade // 65_536)).save(target, "PNG")
    return target.getvalue()


def with_comment(png: bytes, comment: bytes) -> bytes:
    """The same picture in other bytes: a tEXt chunk before its end."""
    body = b"tEXtComment\x00" + comment
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return png[:-_PNG_END] + chunk + png[-_PNG_END:]


def base64_of(data: bytes) -> str:
    """Standard base64, one line."""
    return base64.b64encode(data).decode("ascii")


def data_url_of(data: bytes, media_type: str = "image/png") -> str:
    """A data: URL."""
    return f"data:{media_type};base64,{base64_of(data)}"
