"""Tables, ledgers and lists of keys of any size, as migrations leave them, by bulk SQL. Made once, kept in the cache.

One image is really migrated (and reclaimed); every row, item, object and event is that one's, with an id, a time and a
key of its own. So all objects hold the same bytes, which `keeping_server.c` counts on.
"""

import base64
import hashlib
import json
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Literal

from bench.datasets import picture
from z_interact_assets.core.keys import migrated_key
from z_interact_assets.core.models import ImageFormat, ImageLimits
from z_interact_assets.core.planning import Rules
from z_interact_assets.core.preparation import Preparation
from z_interact_assets.core.rows import LegacyRow
from z_interact_assets.core.urls import KnownBases
from z_interact_assets.demo.shapes import create_table
from z_interact_assets.inventory import Inventory
from z_interact_assets.migrate.migration import Engine, Migration, Scope
from z_interact_assets.migrate.planner import Planner
from z_interact_assets.reverse import Means, Reclaim
from z_interact_assets.storage.ledger import open_ledger
from z_interact_assets.storage.ledger.schema import image_hash
from z_interact_assets.storage.legacy import open_table
from z_interact_assets.storage.objects import MemoryStore

PUBLIC_URL = "https://images.example.com"
NOW_MS = 1_760_000_000_000
_CREATED_MS = 1_757_500_000_000
_BATCHES = 2_000  # about so many, as `plan` advises, but of ten rows at least

State = Literal["new", "published", "reclaimed"]
Values = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFiles:
    """Where a site is kept. `batch_size` is that of its ledger; `etag` that of each object, `size` its bytes."""

    folder: Path
    rows: int
    batch_size: int
    etag: str
    size: int

    @property
    def table(self) -> Path:
        return self.folder / "local.db"

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.db"

    @property
    def keys(self) -> Path:
        return self.folder / "keys.txt"

    @property
    def content(self) -> Path:
        return self.folder / "content.png"

    @property
    def bytes(self) -> int:
        return sum(file.stat().st_size for file in self.folder.iterdir())


def make_site(state: State, rows: int, image_bytes: int, cache: Path) -> SiteFiles:
    """Return the site: rows as the app wrote them, migrated, or reclaimed."""
    folder = cache / f"site-{state}-{rows}x{image_bytes}"
    batch_size = max(10, -(-rows // _BATCHES))
    kept = folder / "facts.json"
    if not kept.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        content = picture(image_bytes, Random(7))
        (folder / "content.png").write_bytes(content)
        _fill(folder, _one_image(folder / "one", state, content), rows, batch_size)
        shutil.rmtree(folder / "one")
        facts = {"etag": hashlib.md5(content).hexdigest(), "size": len(content)}
        kept.write_text(json.dumps(facts))
    return SiteFiles(folder=folder, rows=rows, batch_size=batch_size, **json.loads(kept.read_text()))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Image:
    """The one image: the values of its row and of what the ledger has of it."""

    sha256: str
    row: Values
    item: Values | None
    object: Values | None
    events: Sequence[Values]


class _Face:
    """The public URL of the one image."""

    status = 200
    may_pass = False

    def __init__(self, content: bytes) -> None:
        self.sha256 = hashlib.sha256(content).hexdigest()

    def get(self, url: str, *, max_bytes: int = 0) -> "_Face":
        return self


def _one_image(folder: Path, state: State, content: bytes) -> _Image:
    folder.mkdir()
    with closing(sqlite3.connect(folder / "local.db")) as connection, connection:
        create_table(connection, "full")
        connection.execute(
            "INSERT INTO images (id, persona_id, image_data, image_mime_type, prompt, status, created_at) "
            "VALUES ('one', 'gen-z', ?, 'image/png', 'a poster of the sea', 'completed', ?)",
            (base64.b64encode(content).decode(), _CREATED_MS),
        )
    if state != "new":
        _migrate(folder, content, reclaim=state == "reclaimed")
    return _Image(
        sha256=hashlib.sha256(content).hexdigest(), row=_rows(folder / "local.db", "images")[0],
        item=next(iter(_rows(folder / "ledger.db", "items")), None),
        object=next(iter(_rows(folder / "ledger.db", "objects")), None),
        events=_rows(folder / "ledger.db", "events"),
    )  # fmt: skip


def _migrate(folder: Path, content: bytes, *, reclaim: bool) -> None:
    store = MemoryStore(public_url=PUBLIC_URL)
    bases = KnownBases(PUBLIC_URL, bucket=store.bucket)
    with (
        closing(open_table(f"file:{folder}/local.db")) as table,
        closing(open_ledger(f"sqlite:///{folder}/ledger.db")) as ledger,
    ):
        Planner(table, ledger, Rules(bases), batch_size=10, clock_ms=lambda: NOW_MS).plan()
        engine = Engine(
            table=table, preparation=Preparation(bases, ImageLimits()), max_in_flight_bytes=1 << 28, concurrency=1,
            clock_ms=lambda: NOW_MS,
        )  # fmt: skip
        list(Migration(engine, store, ledger).run(Scope()))
        if reclaim:
            means = Means(table=table, ledger=ledger, clock_ms=lambda: NOW_MS)
            list(Reclaim(means, store, bases, _Face(content), after_days=0).run(Inventory()))


def _rows(path: Path, table: str) -> list[Values]:
    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]


def _fill(folder: Path, image: _Image, rows: int, batch_size: int) -> None:
    keys = [_key(image, number) for number in range(rows)]
    with closing(sqlite3.connect(folder / "local.db")) as connection, connection:
        create_table(connection, "full")
        _insert(connection, "images", (_row(image, number, key) for number, key in enumerate(keys)))
    with (folder / "keys.txt").open("w") as listed:
        listed.writelines(f"{key}\n" for key in keys)
    if image.item is None or image.object is None:
        return
    open_ledger(f"sqlite:///{folder}/ledger.db").close()
    with closing(sqlite3.connect(folder / "ledger.db")) as connection, connection:
        _insert(connection, "batches", _batches(rows, batch_size))
        _insert(connection, "items", (_item(image, *named, batch_size) for named in enumerate(keys)))
        _insert(connection, "objects", (_object(image, *named) for named in enumerate(keys)))
        _insert(connection, "events", (event for named in enumerate(keys) for event in _events(image, *named)))
    with closing(sqlite3.connect(folder / "ledger.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _insert(connection: sqlite3.Connection, table: str, rows: Iterator[Values]) -> None:
    first = next(rows, None)
    if first is None:
        return
    columns = ", ".join(f'"{name}"' for name in first)
    statement = f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * len(first))})"
    connection.execute(statement, tuple(first.values()))
    connection.executemany(statement, (tuple(row.values()) for row in rows))


def _id(number: int) -> str:
    return f"id-{number:07}"


def _key(image: _Image, number: int) -> str:
    return migrated_key(
        row_id=_id(number), session_id=None, persona_id="gen-z", created_at_ms=_CREATED_MS + number,
        sha256=image.sha256, format=ImageFormat.PNG,
    )  # fmt: skip


def _row(image: _Image, number: int, key: str) -> Values:
    row = image.row | {"id": _id(number), "created_at": _CREATED_MS + number}
    return row if image.item is None else row | {"image_url": f"{PUBLIC_URL}/{key}", "r2_key": key}


def _batches(rows: int, batch_size: int) -> Iterator[Values]:
    for number, start in enumerate(range(0, rows, batch_size), start=1):
        yield {
            "batch_key": f"b{number:06}", "number": number, "items": min(batch_size, rows - start),
            "created_at": NOW_MS,
        }  # fmt: skip


def _item(image: _Image, number: int, key: str, batch_size: int) -> Values:
    assert image.item is not None
    row = LegacyRow(id=_id(number), values=_row(image, number, key))
    return image.item | {
        "item_id": number + 1, "image_id": row.id, "image_hash": image_hash(row.id), "object_key": key,
        "batch_key": f"b{number // batch_size + 1:06}", "position": number % batch_size,
        "fingerprint": row.head().fingerprint,
    }  # fmt: skip


def _object(image: _Image, number: int, key: str) -> Values:
    assert image.object is not None
    return image.object | {"object_key": key, "item_id": number + 1}


def _events(image: _Image, number: int, key: str) -> Iterator[Values]:
    assert image.item is not None
    for event in image.events:
        facts = event["facts"] and event["facts"].replace(image.item["object_key"], key)
        yield {name: value for name, value in event.items() if name != "event_id"} | {
            "item_id": number + 1, "facts": facts,
        }  # fmt: skip
