"""Rows by class, and whether they add up."""

import pytest

from z_interact_assets.core.rows import RowHead
from z_interact_assets.core.stats import ROW_CLASSES, TableCounts, row_class
from z_interact_assets.core.urls import KnownBases

BASES = KnownBases("https://img.example.com")
R2_URL = "https://img.example.com/images/p/1-a.png"


def table(**counts: int) -> TableCounts:
    return TableCounts(total=sum(counts.values()), **counts)


@pytest.mark.parametrize(("data", "url", "status", "name", "base64_bytes"), [
    (8, None, None, "base64", 8),
    (8, "/images/a.jpg", None, "base64", 8),
    (8, R2_URL, None, "mixed", 8),
    (None, "data:image/png;base64", None, "base64", 21),
    (None, R2_URL, None, "r2", 0),
    (None, "/images/a.jpg", None, "local", 0),
    (None, "https://picsum.photos/1", None, "external", 0),
    (None, None, "completed", "imageless", 0),
    (None, None, "generating", "unfinished", 0),
    (None, "blob:x", None, "unrecognised", 0),
])  # fmt: skip
def test_each_row_is_counted_in_one_class(data, url, status, name, base64_bytes):
    counts = TableCounts()
    size = None if url is None else len(url)
    head = RowHead(id="a", data_bytes=data, url_bytes=size, url_head=url, status=status)
    assert counts.add(head, BASES) == row_class(head, BASES) == (name, base64_bytes)
    assert name in ROW_CLASSES
    assert (counts.total, getattr(counts, name), counts.base64_bytes) == (1, 1, base64_bytes)
    assert counts.reconciles


def test_classes_that_do_not_add_up_are_noticed():
    counts = table(r2=2, base64=1)
    assert counts.reconciles
    counts.total += 1
    assert not counts.reconciles
