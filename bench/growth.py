"""Time and memory of a migration by its number of rows. Run by `make bench`; prints a table and writes JSON."""

import argparse
import json
import platform
import resource
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

IMAGE_BYTES = 20_000
RESULTS = Path("bench-results")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", type=int, default=[1_000, 10_000])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one is not None:
        print(json.dumps(_migrate(arguments.one)))
        return
    results = [_in_a_process(rows) for rows in arguments.rows or [1_000, 10_000]]
    print(f"{'rows':>8} {'plan s':>8} {'migrate s':>10} {'images/s':>9} {'peak RSS MB':>12}")
    for each in results:
        rate = each["rows"] / each["migrate_s"]
        print(f"{each['rows']:>8,} {each['plan_s']:>8.2f} {each['migrate_s']:>10.2f} {rate:>9,.0f} "
              f"{each['peak_rss_mb']:>12.0f}")  # fmt: skip
    RESULTS.mkdir(exist_ok=True)
    document = {"python": platform.python_version(), "machine": platform.machine(), "results": results}
    (RESULTS / "growth.json").write_text(json.dumps(document, indent=2) + "\n")


def _in_a_process(rows: int) -> dict[str, float]:
    done = subprocess.run([sys.executable, __file__, "--one", str(rows)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def _migrate(rows: int) -> dict[str, float]:
    from null_store import NullStore

    from z_interact_assets.settings import load_settings
    from z_interact_assets.workspace import Workspace

    with tempfile.TemporaryDirectory() as folder:
        make_table(Path(folder) / "local.db", rows)
        public = "https://images.example.com"
        environment = {"DATABASE_URL": f"file:{folder}/local.db", "DAGSTER_HOME": folder, "R2_PUBLIC_URL": public}
        workspace = Workspace(load_settings(environment, directory=Path(folder)))
        started = time.perf_counter()
        workspace.planner().plan()
        planned = time.perf_counter()
        from z_interact_assets.migrate.migration import Migration
        from z_interact_assets.migrate.scope import Scope

        migration = Migration(workspace.engine(concurrency=16), NullStore(public_url=public), workspace.ledger)
        for _ in migration.run(Scope()):
            pass
        ended = time.perf_counter()
        if migration.totals.migrated != rows:
            raise SystemExit(f"{migration.totals.migrated} of {rows} images were migrated")
        workspace.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"rows": rows, "plan_s": planned - started, "migrate_s": ended - planned, "peak_rss_mb": peak}


def make_table(path: Path, rows: int) -> None:
    """A narrow table of distinct, valid PNGs of IMAGE_BYTES each."""
    import base64
    import os
    import sqlite3

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    tail = chunk(b"IDAT", zlib.compress(bytes(4))) + chunk(b"IEND", b"")
    connection = sqlite3.connect(path)
    connection.execute(
        "CREATE TABLE images (id TEXT PRIMARY KEY, persona_id TEXT NOT NULL, image_url TEXT, image_data TEXT, "
        "prompt TEXT NOT NULL, created_at INTEGER NOT NULL)"
    )
    with connection:
        connection.executemany(
            "INSERT INTO images VALUES (?, 'gen-z', NULL, ?, 'a poster', 1757500000000)",
            ((f"id-{n:08}", base64.b64encode(head + chunk(b"biTs", os.urandom(IMAGE_BYTES)) + tail).decode())
             for n in range(rows)),
        )  # fmt: skip
    connection.close()


if __name__ == "__main__":
    main()
