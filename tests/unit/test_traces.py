"""What looks for secrets finds them: else its tests would pass whatever leaks."""

import base64
import sqlite3
import zlib
from contextlib import closing
from urllib.parse import quote

import pytest

from tests.support.traces import contents, traces

SECRET = "p@ss/word+of-some length"


@pytest.mark.parametrize(
    "content",
    [
        SECRET.encode(),
        b"..." + SECRET.encode() + b"...",
        f"https://x/?token={quote(SECRET, safe='')}".encode(),
        base64.b64encode(SECRET.encode()),
        base64.b64encode(b"a" + SECRET.encode() + b"b"),
        base64.b64encode(b"ab" + SECRET.encode() + b"b"),
        zlib.compress(b"..." + SECRET.encode()),
        b'{"literal": "' + base64.b64encode(zlib.compress(SECRET.encode())) + b'"}',
    ],
    ids=["plain", "inside", "in a URL", "base64", "base64 later", "base64 later still", "deflated", "deflated, base64"],
)
def test_a_secret_is_found_however_it_is_spelt(content):
    assert traces([("here", content)], {"password": SECRET}) == ["password in here"]


def test_nothing_is_found_where_nothing_is():
    assert traces([("here", b"p@ss"), ("there", zlib.compress(b"word")), ("", b"")], {"password": SECRET}) == []


def test_every_value_of_a_database_is_looked_at(tmp_path):
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection, connection:
        connection.execute("CREATE TABLE t (body)")
        connection.execute("INSERT INTO t VALUES (?)", (zlib.compress(SECRET.encode() * 9),))
    assert traces(contents(tmp_path), {"password": SECRET}) == ["password in x.db t.body"]
