"""Finding rows without reading payloads, reading one row, switching one row."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tests.support.images import base64_of, data_url_of, make_png
from tests.support.reading import bytes_read
from tests.support.tables import AppTable
from z_interact_assets.core.rows import RowChange, RowHead
from z_interact_assets.storage.legacy import LegacyTable, open_table


@pytest.fixture
def app(tmp_path) -> AppTable:
    return AppTable(tmp_path / "local.db")


@pytest.fixture
def table(app):
    with closing(open_table(app.url)) as opened:
        yield opened


def heads(table: LegacyTable, **options: Any) -> list[RowHead]:
    return [head for page in table.heads(**options) for head in page]


VALUES = {
    "data": {"image_data": base64_of(make_png(1)), "image_url": "/images/ü.jpg"},
    "url": {"image_url": data_url_of(make_png(1))},
    "long url": {"image_url": "https://example.net/" + "é" * 3_000},
    "blobs": {"image_data": b"\x00\xff", "image_url": b"data:image/png;base64,AA"},
    "empty": {"image_data": "", "image_url": ""},
    "numbers": {"image_data": 12, "image_url": 1.5},
    "NUL": {"image_data": "a\0b", "image_url": "c\0d"},
    "none": {},
}


def test_a_head_by_page_by_id_and_of_the_whole_row_is_one_and_the_same(app, table):
    for row_id, columns in VALUES.items():
        app.add(row_id, **columns)
    app.add("invalid")
    app.sql(
        "UPDATE images SET image_data = CAST(x'ff41' AS TEXT), image_url = CAST(x'41fffe' AS TEXT) WHERE id = 'invalid'"
    )
    found = {head.id: head for head in heads(table)}
    assert found.keys() == {*VALUES, "invalid"}
    for row_id, head in found.items():
        row = table.read(row_id)
        assert row is not None
        assert table.head(row_id) == head
        assert row.head().fingerprint == head.fingerprint, row_id
    assert (found["data"].data_bytes, found["data"].url_head) == (len(VALUES["data"]["image_data"]), "/images/ü.jpg")
    assert found["url"].url_head == "data:image/png;base64"  # never its payload
    assert (found["none"].data_bytes, found["none"].url_bytes, found["none"].status) == (None, None, "completed")
    assert found["data"].status is None  # it lies behind the payload


def test_pages_come_in_order_of_id_and_hold_each_row_once(app, table):
    ids = [f"{n:03}" for n in range(25)] + ["Z", "a", "é", "💃"]
    app.add_many([{"id": row_id} for row_id in reversed(ids)])
    pages = list(table.heads(page_rows=7))
    assert [len(page) for page in pages] == [7, 7, 7, 7, 1]
    assert [head.id for page in pages for head in page] == sorted(ids, key=str.encode)
    assert heads(table, page_rows=29) == heads(table, page_rows=30) == heads(table)


def test_an_empty_table_has_no_pages(table):
    assert list(table.heads()) == []
    assert (table.count(), table.unaddressable()) == (0, 0)


@pytest.mark.parametrize("column", ["image_data", "image_url"])
def test_finding_rows_reads_next_to_nothing_of_their_payloads(app, table, column):
    payload = "data:image/png;base64," + "A" * 2_000_000
    app.add_many([{"id": f"{n:02}", column: payload} for n in range(30)])
    assert table.count() == 30
    before = bytes_read()
    found = heads(table)
    table.head("07")
    table.unaddressable()
    read = bytes_read() - before
    assert {head.data_bytes or head.url_bytes for head in found} == {len(payload)}
    assert read < 1_000_000  # of 60 MB
    before = bytes_read()
    table.read("07")
    assert bytes_read() - before > 1_900_000  # so that we know the measure measures


def change(row_id: str, as_read: dict[str, object], **values: object) -> RowChange:
    return RowChange(id=row_id, values=values, as_read=as_read)


def test_a_swap_takes_place_only_on_what_was_read(app, table):
    app.add("a", image_data="x", image_url=None)
    app.add("b", image_data=None, image_url="y")
    answers = table.apply([
        change("a", {"image_data": "x", "image_url": "not this"}, image_url="new"),
        change("a", {"image_data": "x", "image_url": None}, image_url="new", r2_key="k"),
        change("a", {"image_data": "x", "image_url": None}, image_url="newer"),
        change("b", {"image_data": "", "image_url": "y"}, image_url="new"),
        change("nobody", {"image_data": None, "image_url": None}, image_url="new"),
    ])  # fmt: skip
    assert answers == [False, True, False, False, False]
    assert (app.row("a")["image_url"], app.row("a")["r2_key"], app.row("b")["image_url"]) == ("new", "k", "y")


@pytest.mark.parametrize("value", ["é\0\n", b"\x00\xff", "", "💃" * 1000])
def test_a_swap_compares_bytes_and_storage_class(app, table, value):
    app.add("a", image_data=value)
    row = table.read("a")
    assert row is not None
    read = {"image_data": row.get("image_data")}
    other = value.encode() if isinstance(value, str) else value.decode("latin-1")
    assert table.apply([change("a", {"image_data": other}, image_url="no")]) == [False]
    assert table.apply([change("a", read, image_url="yes")]) == [True]


def test_text_that_is_no_utf8_can_be_swapped_too(app, table):
    app.add("a")
    app.sql("UPDATE images SET image_data = CAST(x'ff00fe41' AS TEXT)")
    row = table.read("a")
    assert row is not None
    assert table.apply([change("a", {"image_data": row.get("image_data")}, image_url="yes")]) == [True]
    assert app.sql("SELECT CAST(image_data AS BLOB) FROM images") == [(b"\xff\x00\xfeA",)]


def test_a_group_of_swaps_commits_together_or_not_at_all(app, table):
    app.add_many([{"id": row_id} for row_id in "abc"])
    app.sql("CREATE TRIGGER no BEFORE UPDATE ON images WHEN NEW.id = 'c' BEGIN SELECT RAISE(ABORT, 'not c'); END")
    changes = [change(row_id, {"image_data": None}, image_url="new") for row_id in "abc"]
    with pytest.raises(Exception, match="not c"):
        table.apply(changes)
    assert app.sql("SELECT count(*) FROM images WHERE image_url IS NOT NULL") == [(0,)]
    assert table.apply(changes[:2]) == [True, True]  # the lock was given back


def test_no_swap_is_no_statement(table, app):
    with closing(sqlite3.connect(app.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert table.apply([]) == []


def test_a_row_that_is_gone_is_none(table):
    assert table.read("nobody") is None
    assert table.head("nobody") is None


def test_no_payload_and_no_password_is_in_a_repr(app, table):
    app.add("a", image_data="SECRET-PAYLOAD")
    row = table.read("a")
    assert "SECRET-PAYLOAD" not in repr(row)
    assert "SECRET-PAYLOAD" not in repr(change("a", {"image_data": "SECRET-PAYLOAD"}))
    assert "s3cret" not in repr(open_table("postgresql+psycopg://user:s3cret@localhost/db"))
