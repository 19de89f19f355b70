"""Changes that get past a parser's first check: fields at their extremes, pieces moved, PNG checksums put right."""

import random
import struct
import zlib

_PNG = b"\x89PNG\r\n\x1a\n"
_EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_WIDTHS = ("B", "H", "I")


def mutate(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """One to six changes; half of the PNGs get their checksums right."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        chance.choice(_CHANGES)(changed, other, chance)
    return with_right_checksums(bytes(changed)) if chance.random() < 0.5 else bytes(changed)


def with_right_checksums(data: bytes) -> bytes:
    """The same bytes, each whole chunk of a PNG with the CRC of its body; anything else as it is."""
    if not data.startswith(_PNG):
        return data
    mended = bytearray(data)
    at = len(_PNG)
    while at + 12 <= len(mended):
        end = at + 8 + int.from_bytes(mended[at : at + 4], "big")
        if end + 4 > len(mended):
            break
        struct.pack_into(">I", mended, end, zlib.crc32(mended[at + 4 : end]))
        at = end + 4
    return bytes(mended)


def _place(data: bytearray, chance: random.Random) -> int:
    """Mostly near the start, where headers are."""
    end = min(len(data), 100) if chance.random() < 0.5 else len(data)
    return chance.randint(0, end)


def _flip(data: bytearray, _other: bytes, chance: random.Random) -> None:
    if data:
        at = min(_place(data, chance), len(data) - 1)
        data[at] ^= 1 << chance.randrange(8)


def _set_field(data: bytearray, _other: bytes, chance: random.Random) -> None:
    layout = struct.Struct(chance.choice("<>") + chance.choice(_WIDTHS))
    at = _place(data, chance)
    if at + layout.size <= len(data):
        layout.pack_into(data, at, chance.choice(_EXTREMES) & (1 << 8 * layout.size) - 1)


def _cut(data: bytearray, _other: bytes, chance: random.Random) -> None:
    at = _place(data, chance)
    del data[at : at + chance.choice((1, 2, 4, 16, len(data)))]


def _repeat(data: bytearray, _other: bytes, chance: random.Random) -> None:
    at = _place(data, chance)
    data[at:at] = data[at : at + chance.choice((1, 4, 12, 64))] * chance.choice((1, 2, 50))


def _graft(data: bytearray, other: bytes, chance: random.Random) -> None:
    start = chance.randint(0, len(other))
    data[_place(data, chance) :] = other[start : start + 4096]


def _scribble(data: bytearray, _other: bytes, chance: random.Random) -> None:
    at = _place(data, chance)
    data[at : at + chance.randint(0, 4)] = chance.randbytes(chance.randint(0, 4))


_CHANGES = (_flip, _set_field, _cut, _repeat, _graft, _scribble)
