"""A kill at every point between two effects: nothing is lost, and the next run ends as if there had been one run."""

from functools import cache
from itertools import product

import pytest

from tests.crash.conftest import PlaceFor
from tests.crash.effects import AFTER, BEFORE, FILE_KINDS, Point
from tests.crash.operations import OPERATIONS
from tests.crash.oracle import assert_nothing_lost

pytestmark = pytest.mark.slow

FIRST, MIDDLE = "first", "middle"
# The others have a middle that is like one of these; after a middle effect the world is as it is before the next.
IN_GROUPS = ("migrate", "reclaim", "roll back", "back up")


class Undisturbed:
    """What each operation does and leaves behind when nobody kills it."""

    def __init__(self, place_for: PlaceFor) -> None:
        self.place_for = place_for
        self.of = cache(self._run)

    def _run(self, operation: str) -> tuple[list[str], dict[str, object]]:
        with self.place_for(operation) as place:
            seen = place.run(operation).finish()
            assert_nothing_lost(place)
            return [name for name, _ in seen], place.outcome()


@pytest.fixture(scope="module")
def undisturbed(place_for: PlaceFor) -> Undisturbed:
    return Undisturbed(place_for)


def points() -> list[tuple[str, str, str, str]]:
    """Before and after the first and a middle one of all effects that are listed.

    Of leases the first only: how many batches are let go together is a matter of time.
    """
    return [
        (operation, name, when, which)
        for operation, described in OPERATIONS.items()
        for name, when, which in product(sorted(described.effects), (BEFORE, AFTER), (FIRST, MIDDLE))
        if (when == BEFORE or name.partition(" ")[0] not in FILE_KINDS) and (which == FIRST or "LeaseBook" not in name)
    ]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_effect_of_an_operation_is_listed(undisturbed: Undisturbed, operation: str) -> None:
    assert set(undisturbed.of(operation)[0]) == OPERATIONS[operation].effects


def is_like_another(operation: str, name: str, when: str, which: str) -> bool:
    """Tell whether the world is the same when the process is killed at another point, or leases are all it is about."""
    if "LeaseBook" in name and operation != "migrate":
        return True
    return which == MIDDLE and (when == AFTER or operation not in IN_GROUPS)


@pytest.mark.parametrize(
    ("operation", "name", "when", "which"),
    [pytest.param(*point, marks=pytest.mark.exhaustive if is_like_another(*point) else ()) for point in points()],
)
def test_a_kill_loses_nothing_and_the_next_run_completes(
    undisturbed: Undisturbed, operation: str, name: str, when: str, which: str
) -> None:
    effects, outcome = undisturbed.of(operation)
    number = 1 if which == FIRST else effects.count(name) // 2 + 1
    if which == MIDDLE and number == 1:
        return  # it is the first
    with undisturbed.place_for(operation) as place:
        place.run(operation, deadly=Point(name, when, number)).die()
        assert_nothing_lost(place)
        following = place.run(operation)
        following.finish()
        assert_nothing_lost(place)
        assert place.outcome() == outcome
        assert following.pid not in place.holders()
