"""Twenty and forty thousand images: what an inventory asks grows with them, what it holds does not."""

import sqlite3
import tracemalloc
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import event

from tests.support.ledgers import put_new_ledger
from tests.support.sites import NOW_MS, PUBLIC_URL
from tests.support.tables import AppTable
from z_interact_assets.core.models import ImageMetadata, ObjectSummary, StoredObject
from z_interact_assets.core.urls import KnownBases
from z_interact_assets.inventory import Inventory, take_inventory
from z_interact_assets.storage.ledger import open_ledger
from z_interact_assets.storage.ledger.schema import image_hash
from z_interact_assets.storage.legacy import open_table

pytestmark = pytest.mark.slow

NOW = datetime.fromtimestamp(NOW_MS / 1000, UTC)
MD5 = "0" * 32
EVERY = 500  # of so many images one has lost its object, one has other bytes, one points elsewhere, one is an orphan


def key_of(number: int) -> str:
    return f"images/p{number % 7}/{number:07}-a.png"


def kind_of(number: int) -> int:
    return number % EVERY


@dataclass
class Bucket:
    """A listing that is made as it is read, and that counts."""

    images: int
    asked: Counter[str] = field(default_factory=Counter[str])

    def head(self, key: str) -> StoredObject | None:
        self.asked["head"] += 1
        number = int(key.split("/")[2][:7])
        if kind_of(number) == 1:
            return None
        return StoredObject(
            key=key, size=10, etag=self._etag(number), content_type="image/png", cache_control="", uploaded_at=NOW,
            metadata=ImageMetadata(),
        )  # fmt: skip

    def download(self, key: str) -> bytes:
        raise AssertionError("an inventory reads no object")

    def read(self, key: str, *, size: int | None = None) -> tuple[StoredObject, bytes | None]:
        raise AssertionError("an inventory reads no object")

    def list(self, prefix: str = "", *, cuts: Iterable[str] = ()) -> Iterator[ObjectSummary]:
        self.asked["list"] += 1
        for persona in range(7):
            for number in range(persona, self.images, 7):
                if kind_of(number) != 1:
                    yield ObjectSummary(key=key_of(number), size=10, etag=self._etag(number), last_modified=NOW)

    @staticmethod
    def _etag(number: int) -> str:
        return "f" * 32 if kind_of(number) == 2 else MD5


@dataclass(frozen=True)
class Measured:
    found: Inventory
    statements: int
    heads: int
    peak: int


def measure(folder: Path, images: int) -> Measured:
    folder.mkdir()
    app, ledger_path, bucket = AppTable(folder / "local.db"), folder / "ledger.db", Bucket(images)
    put_new_ledger(ledger_path)
    fill_table(app, images)
    fill_ledger(ledger_path, images)
    statements: Counter[str] = Counter()
    bases = KnownBases(PUBLIC_URL)
    with closing(open_table(app.url)) as table, closing(open_ledger(f"sqlite:///{ledger_path}")) as ledger:
        for engine in (table._reader, ledger._engine):
            event.listen(engine, "before_cursor_execute", lambda *_: statements.update(["all"]))
        tracemalloc.start()
        found = take_inventory(bucket, table, ledger, bases)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return Measured(found, statements["all"], bucket.asked["head"], peak)


def fill_table(app: AppTable, images: int) -> None:
    rows = (
        {"id": f"{n:07}", "image_url": "https://else.example/a" if kind_of(n) == 3 else f"{PUBLIC_URL}/{key_of(n)}"}
        for n in range(images) if kind_of(n) != 4
    )  # fmt: skip
    app.add_many(list(rows))


def fill_ledger(path: Path, images: int) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            "INSERT INTO items (item_id, image_id, image_hash, state, object_key, planned_at, updated_at) "
            "VALUES (?, ?, ?, 'published', ?, 0, 0)",
            ((n + 1, f"{n:07}", image_hash(f"{n:07}"), key_of(n)) for n in range(images)),
        )
        connection.executemany(
            "INSERT INTO objects (object_key, item_id, role, size, md5, etag, content_type, proof, created, stored_at, "
            "proved_at) VALUES (?, ?, 'primary', 10, ?, ?, 'image/png', 'etag', 1, 0, 0)",
            ((key_of(n), n + 1, MD5, MD5) for n in range(images)),
        )


@pytest.mark.exhaustive
def test_requests_grow_with_the_images_and_memory_does_not(tmp_path):
    one, two = (measure(tmp_path / str(images), images) for images in (20_000, 40_000))
    for measured, images in ((one, 20_000), (two, 40_000)):
        found, each = measured.found, images // EVERY
        assert (found.objects, found.bytes) == (images - each, 10 * (images - each))
        assert (found.orphan_count, len(found.missing), len(found.corrupted), len(found.misdirected)) == (each,) * 4
        assert measured.heads == 2 * each  # a second look at what is missing and what differs, at nothing else
        # A page of heads, of placements and of recorded objects each, and a few questions for each suspect.
        assert measured.statements < images / 500 * 2 + images / 1_000 + 4 * each * 6
    assert two.statements < 2.05 * one.statements
    # Twice the lists of what was found, and a byte an item; with a handle left behind for each it was 89 bytes.
    assert two.peak - one.peak < 20_000 * 20
