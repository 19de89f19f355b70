"""One table, one bucket, one ledger; folders whose tests need others override these fixtures."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.sites import Site, r2_store
from tests.support.tables import AppTable
from z_interact_assets.demo.standin import StandIn


@pytest.fixture
def app(tmp_path: Path) -> AppTable:
    """An empty table of the full shape."""
    return AppTable(tmp_path / "local.db")


@pytest.fixture
def site(tmp_path: Path, app: AppTable) -> Iterator[Site]:
    """The table with a store in memory."""
    with closing(Site(tmp_path, app)) as made:
        yield made


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[StandIn]:
    with StandIn(tmp_path / "standin") as started:
        yield started


@pytest.fixture
def r2_site(tmp_path: Path, app: AppTable, standin: StandIn) -> Iterator[Site]:
    """The table with a bucket behind HTTP, its public URLs included."""
    with closing(Site(tmp_path, app, r2_store(standin))) as made:
        yield made
