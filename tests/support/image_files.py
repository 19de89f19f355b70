"""Small whole images of every kind we publish, each 13 x 9 pixels of noise."""

import io
import random
import struct
import zlib

from PIL import Image

SVG = (
    b'<?xml version="1.0" encoding="UTF-8"?><!-- drawn --><svg xmlns="http://www.w3.org/2000/svg" width="13" '
    b'height="9"><defs><linearGradient id="a"/></defs><path d="M0 0h13" fill="url(#a)"/></svg>'
)
NAMES = (
    "png", "png_palette", "png_grey1", "png_interlaced", "apng", "jpg", "jpg_progressive", "jpg_restarts",
    "jpg_thumbnail", "webp", "webp_lossless", "webp_alpha", "webp_animated", "gif", "gif_animated", "avif",
    "avif_animated", "bmp", "bmp_palette", "bmp_rle", "tiff", "tiff_lzw", "tiff_deflate", "tiff_jpeg", "tiff_pages",
    "svg",
)  # fmt: skip
SIZE = (13, 9)


def noise(mode: str = "RGB", seed: int = 1) -> Image.Image:
    picture = Image.frombytes("RGBA", SIZE, random.Random(seed).randbytes(SIZE[0] * SIZE[1] * 4))
    return picture.convert(mode)


def save(picture: Image.Image, kind: str, **options: object) -> bytes:
    target = io.BytesIO()
    picture.save(target, kind, **options)
    return target.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def interlaced_png() -> bytes:
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    rows = b""
    for column, row, column_step, row_step in passes:
        columns = len(range(column, SIZE[0], column_step))
        rows += len(range(row, SIZE[1], row_step)) * bytes(1 + 3 * columns) if columns else b""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *SIZE, 8, 2, 0, 0, 1))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def run_length_bmp() -> bytes:
    pixels = b"".join(bytes([SIZE[0], row]) + b"\x00\x00" for row in range(SIZE[1])) + b"\x00\x01"
    palette = b"".join(bytes([value, 0, 255 - value, 0]) for value in range(256))
    start = 14 + 40 + len(palette)
    head = struct.pack("<2sIHHI", b"BM", start + len(pixels), 0, 0, start)
    return head + struct.pack("<IiiHHIIiiII", 40, *SIZE, 1, 8, 1, len(pixels), 0, 0, 256, 0) + palette + pixels


def make_samples() -> dict[str, bytes]:
    picture, others = noise(), [noise(seed=seed) for seed in (2, 3)]
    animation = {"save_all": True, "append_images": others, "duration": 50}
    small = save(picture, "JPEG")
    return {
        "png": save(picture, "PNG"),
        "png_palette": save(noise("P"), "PNG"),
        "png_grey1": save(noise("1"), "PNG"),
        "png_interlaced": interlaced_png(),
        "apng": save(picture, "PNG", **animation),
        "jpg": save(picture, "JPEG"),
        "jpg_progressive": save(picture, "JPEG", progressive=True),
        "jpg_restarts": save(picture, "JPEG", restart_marker_blocks=1),
        "jpg_thumbnail": b"\xff\xd8\xff\xe1" + struct.pack(">H", len(small) + 2) + small + small[2:],
        "webp": save(picture, "WEBP"),
        "webp_lossless": save(picture, "WEBP", lossless=True),
        "webp_alpha": save(noise("RGBA"), "WEBP", exif=b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x00\x00"),
        "webp_animated": save(picture, "WEBP", **animation),
        "gif": save(noise("P"), "GIF"),
        "gif_animated": save(picture, "GIF", **animation),
        "avif": save(picture, "AVIF", speed=10),
        "avif_animated": save(picture, "AVIF", speed=10, **animation),
        "bmp": save(picture, "BMP"),
        "bmp_palette": save(noise("P"), "BMP"),
        "bmp_rle": run_length_bmp(),
        "tiff": save(picture, "TIFF"),
        "tiff_lzw": save(picture, "TIFF", compression="tiff_lzw"),
        "tiff_deflate": save(picture, "TIFF", compression="tiff_adobe_deflate"),
        "tiff_jpeg": save(picture, "TIFF", compression="jpeg"),
        "tiff_pages": save(picture, "TIFF", save_all=True, append_images=others),
        "svg": SVG,
    }
