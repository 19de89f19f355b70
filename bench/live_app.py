"""What an app whose busy timeout is 0 meets of us: `python -m bench.live_app` prints its refused writes and waits."""

import argparse
import tempfile
from contextlib import closing
from pathlib import Path

from tests.live.process import Journal, running_app
from tests.live.rounds import operations
from tests.support.sites import Site, r2_store
from tests.support.tables import AppTable
from z_interact_assets.demo.standin import StandIn

IMAGE_BYTES = 100_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=150, help="writes before we start")
    parser.add_argument("--writes", type=int, default=500, help="writes beside us")
    arguments = parser.parse_args()
    for mode in ("wal", "delete"):
        for doing in ("nothing", "migrate", "everything"):
            with tempfile.TemporaryDirectory() as folder:
                print(mode, doing, _measure(Path(folder), mode, doing, arguments.rows, arguments.writes), flush=True)


def _measure(folder: Path, mode: str, doing: str, rows: int, writes: int) -> dict[str, float]:
    app = AppTable(folder / "local.db")
    app.sql(f"PRAGMA journal_mode = {mode}")
    with (
        StandIn(folder / "standin") as standin,
        closing(Site(folder, app, r2_store(standin))) as site,
        running_app(folder / "journal", path=str(app.path), image_bytes=IMAGE_BYTES, pause_s=0.005) as process,
    ):
        process.write(rows)
        with process.writing(writes) as ended:
            if doing == "migrate":
                while not ended.is_set():
                    site.migrate()
            elif doing == "everything":
                for _ in operations(site, folder):
                    if ended.is_set():
                        break
    journal = Journal(folder / "journal")
    journal.entries = journal.entries[rows:]
    return journal.summary()


if __name__ == "__main__":
    main()
