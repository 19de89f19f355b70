"""A stop request or an abandoned run: what is in flight ends and is recorded, the rest waits for the next run."""

import itertools
import threading

import pytest

from tests.support.images import data_url_of, make_png
from tests.support.sites import PUBLIC_URL
from z_interact_assets.core.models import ItemState
from z_interact_assets.migrate.migration import Scope

ROWS = 300


HELD_BACK_FROM = 40


class Gate:
    """Holds back all uploads but the first ones until it is opened: a run cannot end before it is stopped."""

    def __init__(self) -> None:
        self._opened = threading.Event()
        self._numbers = itertools.count()

    def __call__(self, _: str) -> None:
        if next(self._numbers) >= HELD_BACK_FROM:
            assert self._opened.wait(60)

    def open(self) -> None:
        self._opened.set()


@pytest.fixture
def many(site, app):
    app.add_many([{"id": f"{n:03}", "image_url": data_url_of(make_png(n))} for n in range(ROWS)])
    site.plan()
    return site


@pytest.fixture
def gate(many) -> Gate:
    many.memory.before_upload = Gate()
    return many.memory.before_upload


def consistent(site, done: int) -> None:
    states = [state for state, _ in site.ended().values()]
    switched = [row for row in site.app.rows().values() if row["image_url"].startswith(PUBLIC_URL)]
    assert len(switched) == states.count(ItemState.PUBLISHED) == done
    assert states.count(ItemState.PLANNED) == ROWS - done
    assert len(site.memory.keys()) == done  # nothing was left half-done


def test_after_a_stop_what_is_in_flight_is_recorded_and_the_next_run_does_the_rest(many, gate):
    migration = many.migration()
    for _ in migration.run(Scope()):
        many.stop.set()
        gate.open()
    assert migration.interrupted
    assert 0 < migration.totals.done < ROWS
    consistent(many, migration.totals.done)
    many.stop.clear()
    rest, _ = many.migrate()
    assert not rest.interrupted
    assert rest.totals.migrated == ROWS - migration.totals.done
    consistent(many, ROWS)


def test_a_run_that_is_abandoned_leaves_the_same(many, gate):
    batches = many.migration().run(Scope())
    next(batches)
    gate.open()
    batches.close()
    done = sum(state is ItemState.PUBLISHED for state, _ in many.ended().values())
    assert 0 < done < ROWS
    consistent(many, done)
    many.migrate()
    consistent(many, ROWS)


def test_a_stop_before_the_start_does_next_to_nothing(many):
    many.stop.set()
    migration = many.migration()
    list(migration.run(Scope()))
    assert migration.interrupted
    consistent(many, migration.totals.done)
    assert migration.totals.done < ROWS  # what slips in before the first look


def test_batches_done_before_are_reported_without_any_request(many):
    many.migrate()
    requests = many.memory.requests.copy()
    batches = list(many.migration().run(Scope(batch_keys=("b000001", "b000007"))))
    assert [(batch.key, batch.items, batch.pending) for batch in batches] == [("b000001", 10, 0), ("b000007", 10, 0)]
    assert many.memory.requests == requests


def test_a_limit_leaves_the_rest_of_the_batch_pending_and_does_not_report_it(many):
    migration, batches = many.migrate(Scope(limit=25))
    assert [batch.key for batch in batches] == ["b000001", "b000002"]
    assert (migration.totals.planned, migration.totals.migrated, migration.totals.batches) == (25, 25, 3)
    consistent(many, 25)
