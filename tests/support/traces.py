"""Where a secret was left: files, what is compressed or encoded in them, and every value of a database."""

import base64
import re
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

_SQLITE = b"SQLite format 3\0"
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")


def traces(places: Iterable[tuple[str, bytes]], secrets: Mapping[str, str]) -> list[str]:
    """Return `secret in place` for each that was found, however it is spelt there."""
    spellings = {name: _spellings(secret) for name, secret in secrets.items()}
    found: set[str] = set()
    for place, content in places:
        for layer in _layers(content):
            found.update(f"{name} in {place}" for name, every in spellings.items() if any(s in layer for s in every))
    return sorted(found)


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file below a folder, and of a SQLite file every value as well."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        place = str(path.relative_to(folder))
        yield place, content
        if content.startswith(_SQLITE):
            yield from ((f"{place} {column}", value) for column, value in _values(path))


def _values(path: Path) -> Iterator[tuple[str, bytes]]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        connection.text_factory = bytes
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            cursor = connection.execute(f'SELECT * FROM "{table.decode()}"')
            names = [column[0] for column in cursor.description]
            for row in cursor:
                yield from ((f"{table.decode()}.{name}", value) for name, value in zip(names, row, strict=True)
                            if isinstance(value, bytes))  # fmt: skip


def _layers(content: bytes) -> Iterator[bytes]:
    """The bytes as they are, and what is inside where they are compressed: Dagster's snapshots, a ledger's literals."""
    yield content
    with_codes = (content, *(_decoded(match[0]) for match in _BASE64.finditer(content[:1_000_000])))
    for layer in with_codes:
        if layer[:1] == b"\x78":
            try:
                yield zlib.decompress(layer)
            except zlib.error:
                continue


def _decoded(text: bytes) -> bytes:
    padded = text.rstrip(b"=") + b"=" * (-len(text.rstrip(b"=")) % 4)
    try:
        return base64.b64decode(padded, altchars=b"-_") or base64.b64decode(padded)
    except ValueError:
        return b""


def _spellings(secret: str) -> tuple[bytes, ...]:
    """A secret as it is, in a URL, and in base64 at each of the three offsets it can stand at."""
    shifted = (base64.b64encode(b"\0" * offset + secret.encode())[4 if offset else 0 : -4] for offset in range(3))
    return (secret.encode(), quote(secret, safe="").encode(), *shifted)
