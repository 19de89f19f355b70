"""Effects of every kind that are no operation's: what the watch has to see although nobody told it of them."""

import os
import sqlite3
import urllib.request
from contextlib import closing, suppress
from pathlib import Path
from urllib.error import HTTPError

import obstore
from obstore.store import MemoryStore

from tests.support.sites import Site
from z_interact_assets.storage.objects import R2Store


def smuggle(site: Site) -> None:
    """Have one effect of each kind, by other ways than our code's."""
    folder = site.ledger_path.parent
    _in_sql(folder / "smuggled.db")
    _in_files(folder / "folder")
    assert isinstance(site.store, R2Store)
    client, bucket = site.store.client, site.store.bucket
    client.put_object(Bucket=bucket, Key="smuggled", Body=b"")
    client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "none"}]})
    client.delete_object(Bucket=bucket, Key="smuggled")
    url = f"{client.meta.endpoint_url}/{bucket}/by-urllib"
    with suppress(HTTPError):  # it is not signed
        urllib.request.urlopen(urllib.request.Request(url, b"", method="PUT")).close()
    obstore.put(MemoryStore(), "by-obstore", b"")


def read_and_roll_back(site: Site) -> None:
    """Look at everything, and take a change back before it is made."""
    site.table.count()
    site.ledger.ask.items()
    list(site.store.list())
    with closing(sqlite3.connect(site.app.path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("COMMIT")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM images")
        connection.execute("ROLLBACK")


def _in_sql(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE smuggled (number)")
        connection.execute("INSERT INTO smuggled VALUES (1)")
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO smuggled VALUES (?)", [(2,)])
        connection.execute("COMMIT")
    with closing(sqlite3.connect(path)) as connection:
        with connection:
            connection.execute("DELETE FROM smuggled")
        connection.execute("VACUUM")
        connection.executescript("DROP TABLE smuggled")


def _in_files(folder: Path) -> None:
    folder.mkdir()
    with (folder / "a").open("wb") as file:
        os.fsync(file.fileno())
    (folder / "a").rename(folder / "b")
    os.close(os.open(folder / "c", os.O_CREAT | os.O_WRONLY))
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(handle)
    os.close(handle)
    (folder / "b").unlink()
