from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.ledgers import put_new_ledger
from z_interact_assets.storage.ledger import Ledger, open_ledger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    put_new_ledger(path)
    with closing(open_ledger(f"sqlite:///{path}")) as opened:
        yield opened
