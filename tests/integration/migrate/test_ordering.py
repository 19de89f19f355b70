"""Undo record before switch, outcome after it: what a crash between any two writes leaves for the next run."""

import pytest

from tests.support.images import base64_of, data_url_of, make_png
from tests.support.sites import PUBLIC_URL, Site
from tests.support.stores import BrokenWork
from tests.support.tables import AppTable
from z_interact_assets.core.errors import LedgerUnavailableError
from z_interact_assets.core.models import ItemState
from z_interact_assets.migrate.migration import Scope

ROWS = {
    "data": {"image_data": base64_of(make_png(1)), "image_url": "/images/a.jpg"},
    "url": {"image_url": data_url_of(make_png(2))},
    "two": {"image_data": base64_of(make_png(3)), "image_url": data_url_of(make_png(4))},
    "elsewhere": {"image_data": base64_of(make_png(5)), "image_url": "https://example.net/a.png"},
}


def run_with_broken_ledger(site: Site, call: str) -> None:
    site.plan()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site.ledger, "work", BrokenWork(site.ledger.work, fails_at=call))
        with pytest.raises(LedgerUnavailableError):
            list(site.migration().run(Scope()))


@pytest.fixture
def full_app(app: AppTable) -> AppTable:
    for row_id, columns in ROWS.items():
        app.add(row_id, **columns)
    return app


def test_no_row_is_switched_before_its_undo_record_is_written(site, full_app):
    stored = full_app.as_stored()
    run_with_broken_ledger(site, "record_stored")
    assert full_app.as_stored() == stored
    assert {state for state, _ in site.ended().values()} == {ItemState.PLANNED}
    puts = site.memory.requests["put"]
    assert puts == 5
    report = site.report()
    assert (report["already_stored"], report["failed"]) == (4, 0)
    assert site.memory.requests["put"] == puts


def test_a_switch_whose_outcome_was_lost_is_recognised_as_our_own(site, full_app):
    run_with_broken_ledger(site, "record_outcomes")
    switched, puts, keys = full_app.as_stored(), site.memory.requests["put"], site.memory.keys()
    assert all(row["image_url"].startswith(PUBLIC_URL) for row in full_app.rows().values())
    assert {state for state, _ in site.ended().values()} == {ItemState.STORED}
    undo = {row_id: site.undo_record(row_id) for row_id in ROWS}
    report = site.report()
    assert (report["planned"], report["already_stored"]) == (4, 4)
    assert {state for state, _ in site.ended().values()} == {ItemState.PUBLISHED}
    assert (site.memory.requests["put"], site.memory.keys()) == (puts, keys)
    assert full_app.as_stored() == switched
    # What the row was before the switch, not what the switch made of it.
    assert {row_id: site.undo_record(row_id) for row_id in ROWS} == undo
    assert undo["data"][1]["image_url"] == "/images/a.jpg"
    assert set(undo["two"][0]) == {"image_data", "image_url"}
    assert site.plan().planned_again == 0


def test_an_interrupted_back_fill_keeps_its_undo_record(site, app):
    key = "images/gen-z/1-a.png"
    site.memory.upload(key, make_png(1))
    app.add("a", image_url=f"{PUBLIC_URL}/{key}")
    run_with_broken_ledger(site, "record_outcomes")
    assert (app.row("a")["r2_key"], app.row("a")["migration_status"]) == (key, "completed")
    site.migrate()
    assert site.state("a") == (ItemState.ALREADY_IN_R2, None)
    assert site.undo_record("a")[1] == {
        "image_url": f"{PUBLIC_URL}/{key}", "r2_key": None, "migration_status": "pending"
    }  # fmt: skip


def test_events_tell_stored_before_published(site, full_app):
    site.migrate()
    for row_id in ROWS:
        assert site.events(row_id) == ["stored", "published"]


def test_after_the_ledger_fails_nothing_more_is_switched(site, app):
    app.add_many([{"id": f"{n:03}", "image_url": data_url_of(make_png(n))} for n in range(400)])
    run_with_broken_ledger(site, "record_outcomes")
    switched = [row for row in app.rows().values() if row["image_url"].startswith(PUBLIC_URL)]
    known = [row_id for row_id, (state, _) in site.ended().items() if state is ItemState.STORED]
    assert len(switched) == len(known) < 400
    assert site.report()["failed"] == 0
    assert {state for state, _ in site.ended().values()} == {ItemState.PUBLISHED}
    assert len(site.memory.keys()) == 400
