from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.sites import Site
from tests.support.tables import AppTable


@pytest.fixture(params=["wal", "delete"])
def app(tmp_path: Path, request: pytest.FixtureRequest) -> AppTable:
    """An empty table in both journal modes."""
    made = AppTable(tmp_path / "local.db")
    assert made.sql(f"PRAGMA journal_mode = {request.param}") == [(request.param,)]
    return made


@pytest.fixture
def make_site(tmp_path: Path, app: AppTable) -> Iterator[Callable[..., Site]]:
    with ExitStack() as stack:

        def make(**options: Any) -> Site:
            site = Site(tmp_path, app, **options)
            stack.callback(site.close)
            return site

        yield make
