"""A commit and the reads of our own threads keep out of each other's way."""

import sqlite3
import threading
import time

from tests.support.images import base64_of, make_png
from z_interact_assets.core.rows import RowChange
from z_interact_assets.storage.legacy import open_table
from z_interact_assets.storage.legacy.gate import Gate


def test_a_commit_waits_for_reads_and_reads_wait_for_it():
    gate, seen, reading, read_on = Gate(), [], threading.Event(), threading.Event()

    def read() -> None:
        with gate.reader() as lock:
            with lock:
                reading.set()
                assert read_on.wait(20)
                seen.append("read")
            while "committed" not in seen:
                with lock:
                    seen.append("read again") if "committed" in seen else time.sleep(0.001)

    def commit() -> None:
        with gate.commit():
            seen.append("committed")

    reader = threading.Thread(target=read)
    reader.start()
    assert reading.wait(20)
    committer = threading.Thread(target=commit)
    committer.start()
    read_on.set()
    reader.join(20)
    committer.join(20)
    assert seen[:2] == ["read", "committed"]


def test_a_reader_that_comes_during_a_commit_waits_for_its_end():
    gate, seen = Gate(), []

    def read() -> None:
        with gate.reader() as lock, lock:
            seen.append("read")

    with gate.commit():
        reader = threading.Thread(target=read)
        reader.start()
        reader.join(0.05)
        seen.append("committed")
    reader.join(20)
    assert seen == ["committed", "read"]


def test_a_commit_beside_readers_of_the_same_table_never_meets_a_locked_file(app):
    """Without busy timeout, so that any lock of SQLite's that is met is an error."""
    app.add_many([{"id": f"{n:03}", "image_data": base64_of(make_png(n))} for n in range(60)])
    table = open_table(f"file:{app.path}", busy_timeout=0)
    ids, failures, ended = [f"{n:03}" for n in range(60)], [], threading.Event()

    def read() -> None:
        with table.reader() as rows:
            while not ended.is_set():
                for row_id in ids:
                    try:
                        rows.heads([row_id])
                        rows.read(row_id)
                    except Exception as error:  # noqa: BLE001 - told below
                        failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for row_id in ids:
            row = table.read(row_id)
            assert row is not None
            change = RowChange(id=row_id, values={"r2_key": "k"}, as_read={"image_data": row.get("image_data")})
            assert table.apply([change]) == [True]
    finally:
        ended.set()
        for reader in readers:
            reader.join()
        table.close()
    assert failures == []
    with sqlite3.connect(app.path) as connection:
        assert connection.execute("SELECT count(*) FROM images WHERE r2_key = 'k'").fetchone() == (60,)
