"""The data: a table of base64 images as the app keeps it, and the same images decoded in a folder, for other tools.

Real PNGs of random pixels, so nothing can be compressed. Made once, from a seed, and kept in the cache folder.
"""

import base64
import hashlib
import json
import shutil
import sqlite3
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from math import isqrt
from pathlib import Path
from random import Random

from z_interact_assets.demo.shapes import create_table

_SEED = 7
_CREATED_MS = 1_757_500_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """So many images of about that many bytes."""

    count: int
    size: int

    def __str__(self) -> str:
        return f"{self.count:,} x {self.size / 1000:,.0f} KB"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """One data set on disk. `etag_sum` is what a server that read every byte of it has added up."""

    name: str
    folder: Path
    images: int
    bytes: int
    etag_sum: int
    description: str

    @property
    def table(self) -> Path:
        return self.folder / "table.db"

    @property
    def files(self) -> Path:
        return self.folder / "files"


def make_data_set(name: str, portions: tuple[Portion, ...], cache: Path, *, files: bool = True) -> DataSet:
    """Return the data set, made if it is not in the cache yet; the decoded files only if asked for."""
    described = " + ".join(map(str, portions))
    parts = "-".join(f"{portion.count}x{portion.size}" for portion in portions)
    folder = cache / f"{'data' if files else 'table'}-{parts}-{_SEED}"
    kept = folder / "facts.json"
    if not kept.exists():
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "files").mkdir(parents=True)
        kept.write_text(json.dumps(_make(folder, portions, files=files)))
    return DataSet(name=name, folder=folder, description=described, **json.loads(kept.read_text()))


def make_table(path: Path, *portions: Portion) -> None:
    """Write only a table of such images."""
    _fill(path, _pictures(portions))


def add_up(etags: Iterator[bytes]) -> int:
    """Return what the null server adds up: each MD5's first eight bytes, without regard to their order."""
    return sum(int.from_bytes(etag[:8], "little") for etag in etags) % 2**64


def _make(folder: Path, portions: tuple[Portion, ...], *, files: bool) -> dict[str, int]:
    etags: list[bytes] = []
    total = 0

    def kept() -> Iterator[bytes]:
        nonlocal total
        for number, picture in enumerate(_pictures(portions)):
            if files:
                (folder / "files" / f"{number:07}.png").write_bytes(picture)
            etags.append(hashlib.md5(picture).digest())
            total += len(picture)
            yield picture

    _fill(folder / "table.db", kept())
    return {"images": len(etags), "bytes": total, "etag_sum": add_up(iter(etags))}


def _pictures(portions: tuple[Portion, ...]) -> Iterator[bytes]:
    """The portions, evenly mixed."""
    random = Random(_SEED)
    places = sorted(
        ((number + 0.5) / portion.count, portion.size) for portion in portions for number in range(portion.count)
    )
    for _, size in places:
        yield picture(size, random)


def picture(size: int, random: Random) -> bytes:
    """Return a PNG of random RGB pixels of about `size` bytes: stored, not deflated, so it is made fast."""
    width = max(1, isqrt(max(0, size - 100) // 3))
    height = max(1, (size - 100) // (3 * width + 1))
    rows = b"".join(b"\0" + random.randbytes(3 * width) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(rows, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _fill(path: Path, pictures: Iterator[bytes]) -> None:
    connection = sqlite3.connect(path)
    create_table(connection, "full")
    with connection:
        connection.executemany(
            "INSERT INTO images (id, persona_id, image_data, image_mime_type, prompt, status, created_at) "
            "VALUES (?, 'gen-z', ?, 'image/png', 'a poster of the sea', 'completed', ?)",
            (
                (f"id-{number:07}", base64.b64encode(picture).decode(), _CREATED_MS + number)
                for number, picture in enumerate(pictures)
            ),
        )
    connection.close()
