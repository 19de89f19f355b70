from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path

import pytest

from tests.crash.operations import OPERATIONS
from tests.crash.places import Place, copied, make_place
from tests.crash.runs import Runner


@pytest.fixture(scope="session")
def runner() -> Iterator[Runner]:
    with Runner() as started:
        yield started


PlaceFor = Callable[[str], AbstractContextManager[Place]]


@pytest.fixture(scope="session")
def place_for(runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> PlaceFor:
    """Make a site on which an operation can be run: each one a copy, so that none of them costs its preparation."""

    @cache
    def prepared(operations: tuple[str, ...]) -> Path:
        return make_place(tmp_path_factory.mktemp("prepared") / "site", runner, operations)

    def make(operation: str) -> AbstractContextManager[Place]:
        return copied(prepared(OPERATIONS[operation].after), tmp_path_factory.mktemp("place") / "site", runner)

    return make
