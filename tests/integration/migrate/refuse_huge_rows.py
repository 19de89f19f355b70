"""Run as a program: migrate a table that has huge rows beside small ones; print what it took and how each row ended.

The first migration is of a table without them: what Python, the drivers and the ledger need is paid for there.
"""

import json
import sys
from contextlib import closing
from pathlib import Path

from tests.support.reading import bytes_read, peak_bytes
from z_interact_assets.migrate.migration import Migration, Scope
from z_interact_assets.settings import load_settings
from z_interact_assets.storage.objects import MemoryStore
from z_interact_assets.workspace import Workspace

PUBLIC_URL = "https://images.example.com"


def migrate(database_url: str, folder: Path) -> dict[str, list[str | None]]:
    """Plan and migrate everything; how each image ended."""
    folder.mkdir()
    settings = {"DATABASE_URL": database_url, "DAGSTER_HOME": str(folder), "R2_PUBLIC_URL": PUBLIC_URL}
    workspace = Workspace(load_settings(settings, directory=folder))
    with closing(workspace):
        workspace.planner().plan()
        migration = Migration(
            workspace.engine(concurrency=2), MemoryStore(public_url=PUBLIC_URL), workspace.ledger, run_id="run"
        )
        for _ in migration.run(Scope()):
            pass
        return {item.image_id: [item.state, item.reason] for item in workspace.ledger.ask.items()}


def main(folder: Path, small: str, huge: str) -> None:
    migrate(small, folder / "first")
    peak, read = peak_bytes(), bytes_read()
    ended = migrate(huge, folder / "second")
    measured = {"peak_growth": peak_bytes() - peak, "bytes_read": bytes_read() - read}
    print(json.dumps({**measured, "ended": ended}))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
