"""Heads by the page: however a page is read, its heads are those of its rows one by one."""

import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.images import base64_of, data_url_of, make_png
from tests.support.reading import bytes_read
from tests.support.tables import AppTable
from z_interact_assets.core.rows import RowHead
from z_interact_assets.storage.legacy import LegacyTable, open_table
from z_interact_assets.storage.legacy.heads import SHORT_BYTES
from z_interact_assets.storage.legacy.peek import SQLitePeek

LONG = SHORT_BYTES + 1
VALUES: dict[str, dict[str, Any]] = {
    "short": {"image_data": base64_of(make_png(1)), "image_url": "/images/ü.jpg"},
    "data url": {"image_url": data_url_of(make_png(1))},
    "blobs": {"image_data": b"\x00\xff", "image_url": b"data:image/png;base64,AA"},
    "url that is no UTF-8": {"image_url": b"\xff\xfe"},
    "empty": {"image_data": "", "image_url": ""},
    "empty blobs": {"image_data": b"", "image_url": b""},
    "numbers": {"image_data": 12, "image_url": 1.5e20},
    "a number and a text": {"image_data": 1e300, "image_url": "https://example.net/a.png"},
    "NUL": {"image_data": "a\0b", "image_url": "c\0d"},
    "none": {"status": "failed"},
    "just short": {"image_data": "A" * SHORT_BYTES, "image_url": "é" * 3_000},
    "long data": {"image_data": "A" * LONG, "image_url": "/images/a.jpg"},
    "long data of two bytes a character": {"image_data": "é" * (LONG // 2 + 1)},
    "long url": {"image_url": "h" * LONG},
    "long status": {"status": "s" * LONG},
    "long id " + "x" * LONG: {"image_data": "AAAA"},
    "é💃": {"image_data": "AAAA"},
}


def each(app: AppTable) -> None:
    for row_id, columns in VALUES.items():
        app.add(row_id, **columns)


def not_utf8(app: AppTable) -> None:
    app.add_many([{"id": f"row {number}", "image_data": "AAAA"} for number in range(9)])
    for number, column in ((2, "image_url"), (3, "image_data"), (4, "status"), (5, "id"), (6, "id")):
        app.sql(f"UPDATE images SET {column} = CAST(x'41ff{number:02}' AS TEXT) WHERE id = 'row {number}'")
    app.sql("UPDATE images SET image_data = NULL WHERE id = 'row 4'")


@pytest.fixture
def app(tmp_path: Path) -> AppTable:
    return AppTable(tmp_path / "local.db")


@pytest.fixture
def table(app: AppTable):
    with closing(open_table(app.url)) as opened:
        yield opened


def assert_as_one_by_one(table: LegacyTable, page_rows: int) -> list[RowHead]:
    found = [head for page in table.heads(page_rows=page_rows) for head in page]
    assert found == [table.head(head.id) for head in found]
    for head in found:
        row = table.read(head.id)
        assert row is not None
        assert row.head().fingerprint == head.fingerprint
    return found


@pytest.mark.parametrize("fill", [each, not_utf8])
@pytest.mark.parametrize("page_rows", [1, 2, 5, 500])
def test_a_page_has_the_heads_of_its_rows(
    app: AppTable, table: LegacyTable, fill: Callable[[AppTable], None], page_rows: int
) -> None:
    fill(app)
    assert len(assert_as_one_by_one(table, page_rows)) == table.count() - table.unaddressable()


@pytest.mark.parametrize("encoding", ["UTF-16le", "UTF-16be"])
def test_a_page_has_them_in_a_database_of_another_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "wide.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"PRAGMA encoding = '{encoding}'")
        connection.execute("CREATE TABLE images (id TEXT PRIMARY KEY, image_url TEXT, image_data TEXT, status TEXT)")
        connection.execute("INSERT INTO images VALUES ('ü', '/images/a.jpg', 'AAAA', 'done'), ('b', NULL, NULL, 'é')")
    with closing(open_table(f"file:{path}")) as table:
        found = [head for page in table.heads() for head in page]
        assert found == [table.head("b"), table.head("ü")]
        assert found[1].data_bytes == 8


@pytest.mark.parametrize("key", ["TEXT PRIMARY KEY", "TEXT"], ids=["a table without rowids", "a table without a key"])
def test_a_page_has_them_in_a_table_of_another_make(tmp_path: Path, key: str) -> None:
    path = tmp_path / "other.db"
    without = "WITHOUT ROWID" if "KEY" in key else ""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"CREATE TABLE images (id {key}, image_url TEXT, image_data TEXT, status TEXT) {without}")
        texts = [
            (name, v.get("image_url"), v.get("image_data"), "done") for name, v in VALUES.items() if name[0] != "n"
        ]
        connection.executemany("INSERT INTO images VALUES (?, ?, ?, ?)", texts)
    with closing(open_table(f"file:{path}")) as table:
        assert len(assert_as_one_by_one(table, 3)) == len(texts)


@pytest.mark.parametrize(("column", "looked_at"), [
    ("image_data", {"image_data": 10}), ("image_url", {"image_data": 10, "image_url": 10}),
])  # fmt: skip
def test_only_a_page_with_something_long_takes_handles(
    app: AppTable, table: LegacyTable, monkeypatch: pytest.MonkeyPatch, column: str, looked_at: dict[str, int]
) -> None:
    short = {"image_data": "AAAA", "image_url": "/images/a.jpg"}
    app.add_many([{"id": f"{n:02}", **short, **({column: "A" * LONG} if n == 17 else {})} for n in range(30)])
    columns: list[str] = []
    look = SQLitePeek._look
    monkeypatch.setattr(SQLitePeek, "_look", lambda *of: columns.append(of[1]) or look(*of))
    assert len(list(table.heads(page_rows=10))) == 3
    assert Counter(columns) == looked_at


def test_a_long_value_behind_short_ones_is_not_read_either(app: AppTable, table: LegacyTable) -> None:
    app.add_many([{"id": f"{n:02}", "image_data": "A" * (2_000_000 if n % 5 == 4 else 100)} for n in range(50)])
    table.count()
    before = bytes_read()
    heads = [head for page in table.heads(page_rows=7) for head in page]
    assert bytes_read() - before < 1_000_000  # of 20 MB
    assert sum(head.data_bytes or 0 for head in heads) == 10 * 2_000_000 + 40 * 100


def test_a_connection_reads_long_rows_after_a_page_of_short_ones(app: AppTable, table: LegacyTable) -> None:
    app.add("a", image_data="A" * 3_000_000)
    app.add("b", image_data="AAAA", prompt=b"\xff")
    for _ in table.heads(page_rows=1):
        row = table.read("a")
        assert row is not None
        assert row.text("image_data") == "A" * 3_000_000


def test_ids_that_are_no_utf8_are_counted_among_many(app: AppTable, table: LegacyTable) -> None:
    app.add_many([{"id": f"{n:05}"} for n in range(25_000)])
    assert table.unaddressable() == 0
    for n in (0, 9_999, 10_000, 24_999):
        app.sql("UPDATE images SET id = CAST(x'31ff' || id AS TEXT) WHERE id = ?", (f"{n:05}",))
    app.sql("UPDATE images SET id = NULL WHERE id = '00007'")
    assert table.unaddressable() == 5
