"""A real S3 server with weather, and sites on it. Stores here repeat without pauses; pauses are tested on their own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.losses import Rows
from tests.support.sites import Site, r2_store
from tests.support.tables import AppTable
from tests.support.weather import Weather
from z_interact_assets.demo.standin import StandIn
from z_interact_assets.storage.objects import R2Store

ATTEMPTS = 3


@pytest.fixture(scope="module")
def shared_weather() -> Weather:
    return Weather()


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory, shared_weather: Weather) -> Iterator[StandIn]:
    with StandIn(tmp_path_factory.mktemp("standin"), faults=shared_weather) as started:
        yield started


@pytest.fixture(scope="module")
def store_of(standin: StandIn) -> Iterator[Callable[..., R2Store]]:
    """Make a store that tries ATTEMPTS times without pauses."""
    with ExitStack() as opened:

        def make(**changes: Any) -> R2Store:
            options = {"max_attempts": ATTEMPTS, "backoff": 0, **changes}
            return opened.enter_context(r2_store(standin, **options))

        yield make


@pytest.fixture(scope="module")
def shared_store(store_of: Callable[..., R2Store]) -> R2Store:
    return store_of()


@pytest.fixture
def weather(shared_weather: Weather, shared_store: R2Store) -> Iterator[Weather]:
    """Fair weather over an empty bucket."""
    shared_weather.clear()
    yield shared_weather
    shared_weather.watch = lambda _: None
    shared_weather.clear()
    shared_store.delete_many([entry.key for entry in shared_store.list()])


@pytest.fixture
def store(weather: Weather, shared_store: R2Store) -> R2Store:
    return shared_store


@pytest.fixture
def rows(tmp_path: Path, standin: StandIn) -> Rows:
    """An empty table that remembers what it was given."""
    return Rows(AppTable(tmp_path / "local.db"), standin.public_url)


@pytest.fixture
def site(tmp_path: Path, rows: Rows, weather: Weather, store_of: Callable[..., R2Store]) -> Iterator[Site]:
    """The table, migrated by a store of its own: a site closes its store."""
    with closing(Site(tmp_path, rows.app, store_of())) as made:
        yield made
