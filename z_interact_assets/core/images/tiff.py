"""Where a TIFF (or BigTIFF) ends: the furthest byte that any of its directories refers to.

Pillow forgives tags and strips that a cut file no longer holds, so they are walked here; decoding is its business.
"""

import struct
from dataclasses import dataclass

from z_interact_assets.core.images.walking import corrupt, read_fields, truncated

# Field type → bytes a value, letter of the struct module where we need its value.
_TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_TYPE_LETTERS = {3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
# Tag of the offsets → tag of the lengths: strips, tiles, old-style JPEG.
_EXTENTS = {273: 279, 324: 325, 513: 514}
_SUB_DIRECTORIES = (330, 34665, 34853)  # SubIFDs, Exif, GPS
_WANTED = frozenset({*_EXTENTS, *_EXTENTS.values(), *_SUB_DIRECTORIES})
# Far beyond real files, low enough that overlapping directories cannot buy minutes of work.
_MAX_VALUES = 1_000_000


@dataclass(frozen=True, slots=True)
class _Dialect:
    """Byte order and field widths: classic TIFF counts in 32 bits, BigTIFF in 64."""

    order: str
    big: bool

    def layout(self, classic: str, big: str) -> struct.Struct:
        return struct.Struct(self.order + (big if self.big else classic))


@dataclass(frozen=True, slots=True)
class _Directory:
    """The tags we need, the offset of the next directory, where directory and values end, what reading it cost."""

    values: dict[int, tuple[int, ...]]
    following: int
    end: int
    work: int


def tiff_end(data: bytes) -> int:
    """Where the last thing any directory names ends; TRUNCATED_IMAGE if that is behind the last byte."""
    order = "<" if data.startswith(b"II") else ">"
    dialect = _Dialect(order, big=data[2:4] in {b"+\x00", b"\x00+"})
    pending = [*read_fields(dialect.layout("4xI", "8xQ"), data, 0, "TIFF header")]
    seen: set[int] = set()
    end = work = 0
    while pending:
        offset = pending.pop()
        if offset in seen:
            continue
        seen.add(offset)
        directory = _read_directory(data, offset, dialect)
        work += directory.work
        if work > _MAX_VALUES:
            raise corrupt(f"the TIFF's directories hold more than {_MAX_VALUES} values")
        end = max(end, directory.end, _extents_end(data, directory))
        children = [each for tag in _SUB_DIRECTORIES for each in directory.values.get(tag, ())]
        pending.extend(each for each in (directory.following, *children) if each)
    return end


def _read_directory(data: bytes, offset: int, dialect: _Dialect) -> _Directory:
    count_layout, entry = dialect.layout("H", "Q"), dialect.layout("HHI4s", "HHQ8s")
    (count,) = read_fields(count_layout, data, offset, "TIFF directory")
    start = offset + count_layout.size
    end = start + count * entry.size
    (following,) = read_fields(dialect.layout("I", "Q"), data, end, "end of a TIFF directory")
    end += dialect.layout("I", "Q").size
    values: dict[int, tuple[int, ...]] = {}
    for at in range(start, start + count * entry.size, entry.size):
        tag, kind, number, inline = entry.unpack_from(data, at)
        size = number * _TYPE_SIZES.get(kind, 0)
        where = at + entry.size - len(inline)
        if size > len(inline):
            (where,) = dialect.layout("I", "Q").unpack(inline)
            end = max(end, _within(data, where, size, f"value of TIFF tag {tag}"))
        if tag in _WANTED and kind in _TYPE_LETTERS:
            if number > _MAX_VALUES:
                raise corrupt(f"TIFF tag {tag} has {number} values")
            values[tag] = struct.unpack_from(f"{dialect.order}{number}{_TYPE_LETTERS[kind]}", data, where)
    return _Directory(values, following, end, work=1 + count + sum(map(len, values.values())))


def _extents_end(data: bytes, directory: _Directory) -> int:
    end = 0
    for offsets, lengths in _EXTENTS.items():
        pairs = zip(directory.values.get(offsets, ()), directory.values.get(lengths, ()), strict=False)
        for offset, length in pairs:
            end = max(end, _within(data, offset, length, "TIFF image data"))
    return end


def _within(data: bytes, offset: int, size: int, what: str) -> int:
    if offset + size > len(data):
        raise truncated(f"{what} at byte {offset} is cut off")
    return offset + size
