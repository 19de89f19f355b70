"""New ledgers for tests: copies of one that is made once. Running its migrations takes longer than most tests."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from z_interact_assets.storage.ledger import open_ledger


def put_new_ledger(path: Path) -> None:
    """Put an empty ledger of this version there, unless there is one."""
    if not path.exists():
        path.write_bytes(_empty_ledger())


@cache
def _empty_ledger() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        open_ledger(f"sqlite:///{path}").close()
        return path.read_bytes()
