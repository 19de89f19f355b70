"""Rows as values: what a head says of a row, and what a text is."""

import pytest

from z_interact_assets.core.rows import (
    KNOWN_COLUMNS,
    URL_HEAD_BYTES,
    LegacyRow,
    RowChange,
    RowHead,
    TableShape,
    head_text,
    octets,
)


@pytest.mark.parametrize(("value", "size"), [
    (None, None), ("", 0), ("abc", 3), ("é", 2), ("💃", 4), (b"\x00\xff", 2), (memoryview(b"abc"), 3), ("\udcff", 1),
    ("\ud800", 3), (12, 2),
])  # fmt: skip
def test_a_value_has_as_many_octets_as_the_database_stores(value, size):
    assert octets(value) == size


@pytest.mark.parametrize(("value", "head"), [
    ("https://example.net/a", "https://example.net/a"),
    ("data:image/png;base64,AAAA", "data:image/png;base64"),
    (" \nDATA:image/png;base64,AAAA", " \nDATA:image/png;base64"),
    (b"data:image/png;base64,AAAA", "data:image/png;base64"),
    ("data:" + "x" * 100, "data:" + "x" * 59),
    ("", ""),
    (b"\xff\xfe", "\ufffd\ufffd"),
])  # fmt: skip
def test_a_url_head_holds_no_payload(value, head):
    assert head_text(value) == head


@pytest.mark.parametrize("text", ["a" * 5_000, "é" * 5_000, "💃" * 5_000, "x" + "é" * 5_000])
def test_a_long_url_is_cut_alike_as_text_and_as_bytes(text):
    assert head_text(text) == head_text(text.encode()) == head_text(text.encode()[:URL_HEAD_BYTES])
    assert len(head_text(text)) <= URL_HEAD_BYTES


def head(**changes) -> RowHead:
    return RowHead(**{"id": "a", "data_bytes": 4, "url_bytes": 3, "url_head": "/im", **changes})


@pytest.mark.parametrize("change", [
    {"data_bytes": 5}, {"data_bytes": None}, {"data_bytes": 0}, {"url_bytes": 4}, {"url_head": "/in"},
    {"url_head": None},
])  # fmt: skip
def test_the_fingerprint_changes_with_sizes_and_url(change):
    assert head(**change).fingerprint != head().fingerprint


def test_the_fingerprint_does_not_depend_on_id_or_status():
    assert head(id="b", status="locked").fingerprint == head().fingerprint
    assert len(head(url_head="\ud800").fingerprint) == 32


def test_a_text_is_none_where_there_is_nothing_to_say():
    row = LegacyRow(id="a", values={"prompt": "prompt", "provider": "", "status": None, "quality": b"caf\xe9", "n": 7})
    assert [row.text(name) for name in ("prompt", "provider", "status", "absent")] == [None] * 4
    assert (row.text("quality"), row.text("n")) == ("caf\ufffd", "7")
    assert row.get("absent") is None


def test_a_rows_head_measures_what_it_holds():
    row = LegacyRow(id="a", values={"image_data": "AAAA", "image_url": None})
    assert row.head() == RowHead(id="a", data_bytes=4, url_bytes=None, url_head=None)
    assert LegacyRow(id="a", values={"image_url": "é"}).head().url_bytes == 2


def test_a_changes_weight_is_what_has_to_be_compared():
    change = RowChange(id="a", values={}, as_read={"image_data": "A" * 10, "image_url": None})
    assert change.weight == 10


def test_nothing_of_a_payload_is_in_a_repr():
    row = LegacyRow(id="a", values={"image_data": "SECRET"})
    change = RowChange(id="a", values={}, as_read={"image_data": "SECRET"})
    assert "SECRET" not in repr(row) + repr(change)


def test_a_shape_names_the_columns_nobody_knows():
    shape = TableShape(table="images", columns=("id", "rating", "image_url"))
    assert shape.unknown_columns == ("rating",)
    assert shape.has("id")
    assert not shape.has("image_data")
    assert {"id", "image_url", "image_data", "r2_key", "r2_size_bytes"} <= KNOWN_COLUMNS
