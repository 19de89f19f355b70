from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from tests.crash.operations import OPERATIONS
from tests.crash.places import Place, Sites
from tests.crash.runs import Runner


@pytest.fixture(scope="session")
def runner() -> Iterator[Runner]:
    with Runner() as started:
        yield started


@pytest.fixture(scope="session")
def sites(runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> Sites:
    return Sites(runner, tmp_path_factory.mktemp("sites"))


PlaceFor = Callable[[str], AbstractContextManager[Place]]


@pytest.fixture(scope="session")
def place_for(sites: Sites) -> PlaceFor:
    """Make a site on which an operation can be run."""
    return lambda operation: sites.after(OPERATIONS[operation].after)
