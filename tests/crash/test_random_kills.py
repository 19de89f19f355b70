"""Kills at random instants of random operations, one after the other on one site: it is never the worse for them.

CRASH_ROUNDS says how many kills there are (20 unless told), CRASH_SEED repeats a run: it is in every failure.
"""

import os
import random
import signal
import time
from collections import Counter

import pytest

from tests.crash.effects import Point
from tests.crash.oracle import assert_each_image_once, assert_nothing_lost
from tests.crash.places import Place, Sites

pytestmark = pytest.mark.slow

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "20"))
SEED = int(os.environ.get("CRASH_SEED", "") or random.SystemRandom().randrange(2**32))
ROUNDS_A_SITE = 10
OPERATIONS = (
    "plan", "migrate", "migrate", "reclaim", "roll back", "roll back what was reclaimed and delete",
    "try all again", "back up",
)  # fmt: skip


def kill_once(place: Place, operation: str, chance: random.Random) -> bool:
    """Kill an operation at some point, or after some time; tell whether it lived long enough to be killed."""
    if chance.random() < 0.5:
        return (
            place.run(operation, deadly=Point("", "", int(2 ** chance.uniform(0, 6))), stepwise=False).wait()
            == -signal.SIGKILL
        )
    run = place.run(operation, stepwise=False)
    time.sleep(chance.uniform(0, 0.2))
    os.kill(run.pid, signal.SIGKILL)  # it is the runner's child until somebody waits for it: nobody else has its pid
    return run.wait() == -signal.SIGKILL


@pytest.mark.parametrize("site", range(-(-ROUNDS // ROUNDS_A_SITE)))
def test_random_kills_lose_nothing(sites: Sites, site: int, record_property) -> None:
    chance = random.Random(SEED + site)
    told: list[str] = []
    killed: Counter[str] = Counter()
    with sites.after() as place:
        try:
            for _ in range(min(ROUNDS_A_SITE, ROUNDS)):
                operation = chance.choice(OPERATIONS)
                told.append(operation)
                if kill_once(place, operation, chance):
                    killed[operation] += 1
                assert_nothing_lost(place)
                if chance.random() < 0.3:  # else the next kill meets what this one left
                    told.append(f"{operation}, to its end")
                    place.run(operation, stepwise=False).finish()
                    assert_nothing_lost(place)
            for operation in ("plan", "try all again", "plan", "migrate"):
                told.append(operation)
                place.run(operation, stepwise=False).finish()
            assert_nothing_lost(place)
            assert_each_image_once(place)
        except AssertionError as error:
            error.add_note(f"CRASH_SEED={SEED + site} CRASH_ROUNDS={ROUNDS_A_SITE}: {told}")
            raise
    record_property("killed", dict(killed))
