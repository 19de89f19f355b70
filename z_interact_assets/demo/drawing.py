"""The sample's pictures as files: some 40 of them, in every format that is published. What they show is scenes'.

The same seed gives the same bytes on one installation; another Pillow may compress differently.
"""

import struct
import zlib
from dataclasses import dataclass, field
from io import BytesIO
from random import Random

from PIL import Image

from z_interact_assets.core.models import ImageFormat
from z_interact_assets.demo.scenes import SCENES, palette

PICTURES = 41

_SIZES = (256, 320, 384, 512)
_LARGE = frozenset({5, 20})  # a few of 1,024 pixels, with scenes that compress well
_LARGE_SIZE = 1024
_SMALL = 192  # for the formats that hardly compress
_RARE = {
    6: ImageFormat.JPG,
    12: ImageFormat.WEBP,
    15: ImageFormat.GIF,
    18: ImageFormat.JPG,
    23: ImageFormat.AVIF,
    27: ImageFormat.BMP,
    30: ImageFormat.JPG,
    33: ImageFormat.TIFF,
    36: ImageFormat.WEBP,
    39: ImageFormat.GIF,
    40: ImageFormat.SVG,
}
_ANIMATED = 39
_FRAMES = 6
_PNG_END = 12  # the length of the IEND chunk
_JPEG_START = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture. `data` is the whole file."""

    format: ImageFormat
    data: bytes = field(repr=False)

    def signed(self, text: str) -> "Picture":
        """The same picture with a comment in it, so that its bytes are its own. PNG and JPEG only; others stay."""
        note = text.encode("ascii")
        if self.format is ImageFormat.PNG:
            body = b"tEXtComment\x00" + note
            chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
            return Picture(format=self.format, data=self.data[:-_PNG_END] + chunk + self.data[-_PNG_END:])
        if self.format is ImageFormat.JPG:
            segment = b"\xff\xfe" + struct.pack(">H", len(note) + 2) + note
            return Picture(format=self.format, data=self.data[:_JPEG_START] + segment + self.data[_JPEG_START:])
        return self


def draw_pictures(rng: Random) -> list[Picture]:
    """Draw all PICTURES, distinct, each between about 5 and 150 KB (the SVG is smaller)."""
    return [_draw(number, Random(rng.random())) for number in range(PICTURES)]  # noqa: S311 - pictures, not keys


def clean_svg(rng: Random) -> bytes:
    """An SVG that holds nothing but shapes."""
    return _svg(rng, "")


def hostile_svg(rng: Random) -> bytes:
    """The same with a script in it."""
    return _svg(rng, "<script>document.title = 'not again'</script>")


def icon(rng: Random) -> bytes:
    """An image of a format that is not published (ICO)."""
    buffer = BytesIO()
    _paint(0, _SMALL, rng).save(buffer, "ICO", sizes=[(64, 64)])
    return buffer.getvalue()


def _draw(number: int, rng: Random) -> Picture:
    image_format = _RARE.get(number, ImageFormat.PNG)
    if image_format is ImageFormat.SVG:
        return Picture(format=image_format, data=clean_svg(rng))
    size = rng.choice(_SIZES)
    if image_format in {ImageFormat.BMP, ImageFormat.GIF, ImageFormat.TIFF}:
        size = _SMALL
    elif number in _LARGE:
        size = _LARGE_SIZE
    frames = [_paint(number + step, size, rng) for step in range(_FRAMES if number == _ANIMATED else 1)]
    return Picture(format=image_format, data=_encode(frames, image_format))


def _paint(number: int, size: int, rng: Random) -> Image.Image:
    image = Image.new("RGB", (size, size))
    SCENES[number % len(SCENES)](image, rng)
    return image


def _encode(frames: list[Image.Image], image_format: ImageFormat) -> bytes:
    buffer = BytesIO()
    first = frames[0]
    if image_format is ImageFormat.GIF and len(frames) > 1:
        first.save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=400, loop=0)
    elif image_format is ImageFormat.TIFF:
        first.save(buffer, "TIFF", compression="tiff_adobe_deflate")
    elif image_format is ImageFormat.AVIF:
        # One thread: with more, the bytes depend on how they were scheduled.
        first.save(buffer, "AVIF", quality=70, max_threads=1)
    elif image_format is ImageFormat.JPG:
        first.save(buffer, "JPEG", quality=88, progressive=True)
    elif image_format is ImageFormat.PNG:
        first.save(buffer, "PNG", compress_level=6)
    else:
        first.save(buffer, image_format.value.upper(), **({"quality": 80} if image_format is ImageFormat.WEBP else {}))
    return buffer.getvalue()


def _svg(rng: Random, inside: str) -> bytes:
    colours = [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in palette(rng)]
    circles = "\n".join(
        f'  <circle cx="{rng.randrange(320)}" cy="{rng.randrange(320)}" r="{rng.randrange(6, 48)}" '
        f'fill="{rng.choice(colours[1:])}" fill-opacity="0.{rng.randrange(4, 10)}"/>'
        for _ in range(72)
    )
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="320" height="320" viewBox="0 0 320 320">'
    return f'{head}\n  <rect width="320" height="320" fill="{colours[0]}"/>\n{circles}{inside}\n</svg>\n'.encode()
