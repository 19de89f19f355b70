"""Run as a program: back N rows of 1 MB up, or restore them; print the peak memory as JSON."""

import json
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from tests.integration.backup.shelf import backup, restore
from tests.integration.migrate.measure_memory import peak_bytes
from tests.support.sites import Site
from tests.support.tables import CREATED_AT, AppTable

TEXT_BYTES = 1_000_000


def fill(app: AppTable, count: int) -> None:
    """Add rows of which none compresses, one after another."""
    with closing(sqlite3.connect(app.path)) as connection, connection:
        for number in range(count):
            connection.execute(
                "INSERT INTO images (id, image_data, persona_id, prompt, created_at) VALUES (?, ?, 'gen-z', 'p', ?)",
                (f"{number:06}", os.urandom(TEXT_BYTES // 2).hex(), CREATED_AT),
            )


def main(folder: Path, what: str, count: int) -> None:
    app = AppTable(folder / "local.db")
    with closing(Site(folder, app)) as site:
        if what == "backup":
            fill(app, count)
            assert backup(site, folder / "backup").rows == count
        else:
            app.sql("DELETE FROM images WHERE rowid % 2")
            app.sql("UPDATE images SET prompt = 'edited'")
            report = restore(site, folder / "backup", overwrite=True)
            assert (report.inserted, report.restored) == (count // 2, count // 2)
    print(json.dumps({"what": what, "rows": count, "peak_bytes": peak_bytes()}))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
