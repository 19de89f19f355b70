from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from z_interact_assets.storage.ledger import Ledger, open_ledger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with closing(open_ledger(f"sqlite:///{path}")) as opened:
        yield opened
