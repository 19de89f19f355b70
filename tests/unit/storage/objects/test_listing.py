"""Parts of a listing, put together: the same objects in the same order, whatever the cuts are."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from threading import Barrier, Lock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from z_interact_assets.core.errors import StorageUnavailableError
from z_interact_assets.core.models import ObjectSummary
from z_interact_assets.storage.objects.list_xml import parse_page
from z_interact_assets.storage.objects.listing import listed
from z_interact_assets.storage.objects.reads import ListPage

NOW = datetime(2025, 9, 1, tzinfo=UTC)
PAGE = 3
KEYS = st.lists(st.text("ab/é🐈", min_size=1, max_size=5).map("images/".__add__), unique=True, max_size=30)


class Bucket:
    """Answers pages as S3 does."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = sorted(keys, key=str.encode)
        self._lock = Lock()
        self.asked = 0

    def __call__(self, prefix: str, *, after: str = "", token: str = "") -> ListPage:
        with self._lock:
            self.asked += 1
        place = (token or after).encode()
        found = [key for key in self._keys if key.startswith(prefix) and key.encode() > place]
        entries = [ObjectSummary(key=key, size=1, etag="e", last_modified=NOW) for key in found[:PAGE]]
        return ListPage(entries, entries[-1].key if len(found) > PAGE else None)


@given(keys=KEYS, cuts=KEYS)
def test_all_is_listed_once_and_in_order_whatever_the_cuts(keys: list[str], cuts: list[str]):
    bucket = Bucket([*keys, "other/a", "a"])
    found = [entry.key for entry in listed(bucket, "images/", sorted([*cuts, "z", "a"], key=str.encode))]
    assert found == sorted(keys, key=str.encode)


def test_where_each_part_is_a_page_no_request_is_wasted():
    keys = [f"images/{number:03}" for number in range(30)]
    bucket = Bucket(keys)
    cuts = keys[PAGE - 1 :: PAGE]
    assert [entry.key for entry in listed(bucket, "images/", cuts)] == keys
    assert bucket.asked == len(cuts) + 1  # the last one finds nothing behind the last key


def test_parts_are_asked_for_at_once():
    keys = [f"images/{number:03}" for number in range(30)]
    together, bucket = Barrier(5, timeout=5), Bucket(keys)

    def pages(prefix: str, *, after: str = "", token: str = "") -> ListPage:
        if not token:
            together.wait()
        return bucket(prefix, after=after, token=token)

    assert [entry.key for entry in listed(pages, "images/", keys[5::6][:4])] == keys


def test_a_part_that_cannot_be_read_raises_and_is_no_end():
    keys = [f"images/{number:03}" for number in range(30)]
    bucket = Bucket(keys)

    def pages(prefix: str, *, after: str = "", token: str = "") -> ListPage:
        if after == keys[5]:
            raise StorageUnavailableError("no")
        return bucket(prefix, after=after, token=token)

    found = listed(pages, "images/", keys[2::3])
    assert [entry.key for entry in islice(found, 6)] == keys[:6]
    with pytest.raises(StorageUnavailableError):
        next(found)


def test_a_server_that_knows_no_start_after_is_not_listed_many_times():
    bucket = Bucket([f"images/{number:03}" for number in range(9)])

    def pages(prefix: str, *, after: str = "", token: str = "") -> ListPage:
        return bucket(prefix, token=token)

    with pytest.raises(StorageUnavailableError):
        list(listed(pages, "images/", ["images/004"]))


ENTRY = (
    "<Contents><Key>{}</Key><LastModified>2025-09-01T10:00:00.000Z</LastModified><ETag>&quot;abc&quot;</ETag>"
    "<Size>7</Size><StorageClass>STANDARD</StorageClass></Contents>"
)


def document(inside: str, namespace: str = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"') -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult{namespace}>{inside}</ListBucketResult>'.encode()


@pytest.mark.parametrize("namespace", ["", ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'])
def test_a_page_is_read(namespace):
    inside = (
        "<IsTruncated>true</IsTruncated><EncodingType>url</EncodingType>"
        f"<NextContinuationToken>a/b=</NextContinuationToken>{ENTRY.format('images/a%20%2Bb+c%C3%A9')}"
    )
    page = parse_page(document(inside, namespace))
    (entry,) = page.entries
    assert (entry.key, entry.size, entry.etag) == ("images/a +b+cé", 7, "abc")
    assert entry.last_modified == datetime(2025, 9, 1, 10, tzinfo=UTC)
    assert page.token == "a/b="


def test_a_key_is_taken_as_it_is_where_the_answer_does_not_say_that_it_is_escaped():
    page = parse_page(document(f"<IsTruncated>false</IsTruncated>{ENTRY.format('a%20b')}"))
    assert ([entry.key for entry in page.entries], page.token) == (["a%20b"], None)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html><body>Welcome!</body></html>",
        b"<html><body>not even XML",
        document(""),
        document("<IsTruncated>true</IsTruncated>"),
        document("<IsTruncated>false</IsTruncated><Contents><Key>a</Key></Contents>"),
        document("<IsTruncated>false</IsTruncated>" + ENTRY.format("a").replace("7", "many")),
        document("<IsTruncated>false</IsTruncated>" + ENTRY.format("a").replace("2025", "last year")),
    ],
)
def test_what_is_no_page_is_no_empty_bucket(answer):
    with pytest.raises(StorageUnavailableError, match="not one of S3's"):
        parse_page(answer)
