"""Rows come back byte for byte, whatever their text looked like; what the app wrote since is never overwritten."""

import pytest

from tests.support.images import base64_of, data_url_of, make_png, with_comment
from tests.support.sites import NOW_MS, PUBLIC_URL, Site
from tests.support.tables import AppTable
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.planning import Decision
from z_interact_assets.demo.spellings import SPELLINGS
from z_interact_assets.migrate.scope import Scope
from z_interact_assets.reverse import Chosen
from z_interact_assets.storage.objects import MemoryStore

TOUCHED = {"updated_at"}  # galleries poll it: it tells the time of the rollback


def without_touched(rows):
    return {name: {column: value for column, value in row.items() if column not in TOUCHED}
            for name, row in rows.items()}  # fmt: skip


def typed(rows):
    return {name: {column: (type(value), value) for column, value in row.items()} for name, row in rows.items()}


SVG = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='1' height='1'/%3E"
ROWS = {
    "data alone": {"image_data": base64_of(make_png(1))},
    "data, local url": {"image_data": base64_of(make_png(2)), "image_url": "/images/a.jpg"},
    "data, foreign url": {"image_data": base64_of(make_png(3)), "image_url": "https://example.net/a?b=1#c"},
    "data url": {"image_url": data_url_of(make_png(4))},
    "data url, data empty": {"image_url": data_url_of(make_png(5)), "image_data": ""},
    "data url, data its own name": {"image_url": data_url_of(make_png(6)), "image_data": "image_data"},
    "both, the same": {"image_data": base64_of(make_png(7)), "image_url": data_url_of(make_png(7))},
    "both, two images": {"image_data": base64_of(make_png(8)), "image_url": data_url_of(make_png(9))},
    "both, the url no image": {"image_data": base64_of(make_png(10)), "image_url": "data:text/plain;base64,aGVsbG8="},
    "escaped": {"image_url": SVG},
    "raw bytes": {"image_data": make_png(11)},
    "base64 in a BLOB": {"image_data": base64_of(make_png(12)).encode(), "image_url": "/images/b.jpg"},
    "ragged lines": {"image_data": base64_of(make_png(13))[:9] + "\n \n" + base64_of(make_png(13))[9:]},
    "odd columns": {"image_data": base64_of(make_png(14)), "r2_key": "r2_key", "migration_status": "status",
                    "migrated_at": "migrated_at", "updated_at": "updated_at"},
    "seconds": {"image_data": base64_of(make_png(15)), "created_at": 1_757_000_000, "updated_at": 1_757_000_001},
}  # fmt: skip
ROWS |= {
    f"{name} in {column}": {column: text if column == "image_data" or text[:5].lower() == "data:" else f"data:,{text}"}
    for shade, (name, spelling) in enumerate(SPELLINGS.items(), start=100)
    for column in ("image_data", "image_url")
    for text in [spelling(make_png(shade), "image/png")]
    if column == "image_data" or text[:5].lower() == "data:"
}


@pytest.fixture
def filled(app: AppTable) -> AppTable:
    app.add_many([{"id": name, "persona_id": "p", **columns} for name, columns in ROWS.items()])
    return app


def test_every_row_is_what_it_was_after_migration_and_rollback(site, filled):
    before = filled.rows()
    site.migrate()
    assert {state for state, _ in site.ended().values()} == {ItemState.PUBLISHED}
    assert all(row["image_url"].startswith(PUBLIC_URL) for row in filled.rows().values())
    report = site.rollback()
    assert (report["total"], report["rolled_back"], report["failed"], report["skipped"]) == (len(ROWS), len(ROWS), 0, 0)
    assert typed(without_touched(filled.rows())) == typed(without_touched(before))
    assert {state for state, _ in site.ended().values()} == {ItemState.ROLLED_BACK}
    assert len(site.memory.keys()) == len(ROWS) + 1  # nothing is deleted unless asked for; one row has two images


def test_every_row_is_what_it_was_after_reclaim_too(r2_site, filled):
    before = filled.rows()
    r2_site.migrate()
    reclaimed = r2_site.reclaim()
    assert reclaimed["failed"] == 0
    with_data = [name for name, row in before.items() if row["image_data"] not in (None, "", "image_data")]
    assert reclaimed["reclaimed"] == len(with_data)
    assert {name for name, row in filled.rows().items() if row["image_data"] is None} >= set(with_data)
    report = r2_site.rollback()
    assert (report["rolled_back"], report["failed"], report["errors"]) == (len(ROWS), 0, [])
    assert typed(without_touched(filled.rows())) == typed(without_touched(before))


def test_updated_at_tells_the_time_of_the_rollback_in_the_rows_own_unit(site, filled):
    site.migrate()
    site.rollback(clock_ms=lambda: NOW_MS + 5_000)
    assert filled.row("data alone")["updated_at"] == NOW_MS + 5_000
    assert filled.row("seconds")["updated_at"] == (NOW_MS + 5_000) // 1000


def test_updated_at_never_goes_back(site, filled):
    site.migrate()
    filled.set("data alone", updated_at=NOW_MS + 9_000)
    site.rollback(clock_ms=lambda: NOW_MS + 5_000)
    assert filled.row("data alone")["updated_at"] == NOW_MS + 9_000


def test_a_dry_run_foretells_and_changes_nothing(site, filled):
    site.migrate()
    rows, states, keys = filled.as_stored(), site.ended(), site.memory.keys()
    foretold = site.rollback(delete_objects=True, dry_run=True)
    assert (filled.as_stored(), site.ended(), site.memory.keys()) == (rows, states, keys)
    assert site.events("data alone")[-1] == "published"
    assert foretold == {**site.rollback(delete_objects=True), "dry_run": True}


@pytest.fixture
def three(site: Site, app: AppTable) -> Site:
    """Three images in three batches, migrated."""
    for shade, name in enumerate(("a", "b", "c")):
        app.add(name, image_url=data_url_of(make_png(shade)), persona_id=name)
    site.batch_size = 1
    site.migrate()
    return site


@pytest.mark.parametrize("chosen", [Chosen(image_ids=("b",)), Chosen(batch_keys=("b000002",))])
def test_only_what_was_chosen_is_rolled_back(three, app, chosen):
    assert three.rollback(chosen)["total"] == 1
    assert app.row("b")["image_url"] == data_url_of(make_png(1))
    assert [three.state(name)[0] for name in "abc"] == ["published", "rolled_back", "published"]


EDITS = {
    "another url": {"image_url": "https://example.net/new.png"},
    "a new data url": {"image_url": data_url_of(make_png(77))},
    "new data beside our url": {"image_data": base64_of(make_png(78))},
    "no url": {"image_url": None},
    "another object of ours": {"image_url": f"{PUBLIC_URL}/images/x/1-abc.png"},
}


@pytest.mark.parametrize("edit", EDITS)
def test_what_the_app_wrote_since_is_left_alone_and_told(three, app, edit):
    app.set("b", **EDITS[edit])
    row = app.row("b")
    report = three.rollback()
    assert app.row("b") == row
    assert (report["rolled_back"], report["failed"]) == (2, 1)
    assert [(error["image_id"], error["reason"]) for error in report["errors"]] == [("b", "row_changed")]
    assert three.state("b")[0] is ItemState.PUBLISHED
    assert three.events("b")[-1] == "rollback_refused"


def test_other_columns_keep_what_the_app_wrote_since(three, app):
    app.set("b", prompt="new", status="locked", migration_status="their own", r2_key="theirs")
    three.rollback()
    row = app.row("b")
    assert (row["prompt"], row["status"], row["migration_status"], row["r2_key"]) == (
        "new", "locked", "their own", "theirs",
    )  # fmt: skip
    assert row["image_url"] == data_url_of(make_png(1))


class EditedAfterReading:
    """A store that lets the app write while a rollback holds what it has read."""

    def __init__(self, store: MemoryStore, edit) -> None:
        self._store = store
        self._edit = edit

    def __getattr__(self, name):
        return getattr(self._store, name)

    def read(self, key: str, *, size: int | None = None):
        if "/b/" in key:
            self._edit()
        return self._store.read(key, size=size)


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_between_reading_and_writing_is_not_lost(three, app, edit):
    three.store = EditedAfterReading(three.memory, lambda: app.set("b", **EDITS[edit]))
    report = three.rollback()
    assert (report["rolled_back"], report["failed"]) == (2, 1)
    assert {column: app.row("b")[column] for column in EDITS[edit]} == EDITS[edit]


def test_a_deleted_row_is_nothing_to_roll_back(three, app):
    app.delete("b")
    report = three.rollback(delete_objects=True)
    assert (report["rolled_back"], report["skipped"], report["failed"]) == (2, 1, 0)
    assert three.key("b") in set(three.memory.keys())  # an orphan now: validate reports it, nobody deletes it


def test_an_object_that_is_gone_or_differs_leaves_its_row_on_r2(three, app):
    keys = {name: three.key(name) for name in "abc"}
    three.memory.delete(keys["a"])
    three.memory.upload(keys["b"], make_png(55), overwrite=True)
    rows = app.rows()
    report = three.rollback(delete_objects=True)
    assert (report["rolled_back"], report["failed"]) == (1, 2)
    assert {error["image_id"]: error["reason"] for error in report["errors"]} == {
        "a": "object_missing", "b": "object_differs",
    }  # fmt: skip
    assert (app.row("a"), app.row("b")) == (rows["a"], rows["b"])
    assert keys["b"] in set(three.memory.keys())


def test_rows_that_still_hold_their_base64_need_nothing_of_r2(site, app):
    app.add("a", image_data=base64_of(make_png(1)))
    site.migrate()
    site.memory.delete(site.key("a"))
    assert site.rollback()["rolled_back"] == 1
    assert app.row("a")["image_url"] is None


def test_a_second_rollback_has_nothing_to_do(three):
    three.rollback()
    assert three.rollback()["total"] == 0


def test_a_row_that_is_back_already_is_only_recorded(three, app):
    """Killed after the row was written, before the ledger heard of it."""
    app.set("b", image_url=data_url_of(make_png(1)), r2_key=None, migration_status="pending", migrated_at=None)
    row = app.row("b")
    assert three.rollback()["rolled_back"] == 3
    assert app.row("b") == row
    assert three.state("b")[0] is ItemState.ROLLED_BACK


@pytest.mark.parametrize("switched", [True, False])
def test_a_switch_the_ledger_was_not_told_of_is_rolled_back_and_a_mere_upload_is_left_to_its_run(three, app, switched):
    row = app.row("b")
    three.rollback(Chosen(image_ids=("b",)))
    three.planner().try_again(Scope(image_ids=("b",)))
    with three.ledger._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE items SET state = 'stored', fingerprint = NULL WHERE image_id = 'b'")
    if switched:
        app.set("b", **{column: row[column] for column in ("image_url", "r2_key", "migration_status", "migrated_at")})
    report = three.rollback(Chosen(image_ids=("b",)))
    assert (report["rolled_back"], report["skipped"]) == ((1, 0) if switched else (0, 1))
    assert three.state("b")[0] is (ItemState.ROLLED_BACK if switched else ItemState.STORED)
    assert app.row("b")["image_url"] == data_url_of(make_png(1))


def test_a_rolled_back_image_stays_so_until_it_is_asked_for(three, app):
    three.rollback()
    report = three.report()
    assert report["planned"] == 0
    assert three.report(Scope(rolled_back=True))["planned"] == 0  # a scope alone asks nobody
    three.planner().try_again(Scope(image_ids=("a",)))
    assert three.report()["already_stored"] == 1
    three.planner().try_again(Scope(batch_keys=("b000002",), rolled_back=True))
    assert three.report()["already_stored"] == 1
    assert [three.state(name)[0] for name in "abc"] == ["published", "published", "rolled_back"]
    assert app.row("a")["image_url"] == f"{PUBLIC_URL}/{three.key('a')}"
    assert three.memory.requests["put"] == 3  # the same keys: what is there is not sent again


def test_a_new_image_in_a_rolled_back_row_is_new_work(three, app):
    three.rollback()
    app.set("b", image_url=data_url_of(with_comment(make_png(88), b"longer")))
    decisions = {head.id: decision for head, decision, _ in three.planner().unplanned()}
    assert decisions == {"b": Decision.PLAN_AGAIN}


def test_migrating_and_rolling_back_again_and_again_ends_where_it_began(three, app):
    migrated = app.rows()
    for _ in range(3):
        three.rollback()
        three.planner().try_again(Scope(rolled_back=True))
        assert three.report()["already_stored"] == 3
    assert without_touched(app.rows()) == without_touched(migrated)
    assert len(three.memory.keys()) == 3


def test_rows_that_were_on_r2_before_us_get_their_columns_back_and_keep_their_objects(site, app):
    url = f"{PUBLIC_URL}/images/old/1-a.png"
    site.memory.upload("images/old/1-a.png", make_png(1))
    site.memory.upload("images/old/1-b.png", make_png(2))
    app.add("native", image_url=url)
    app.add("complete", image_url=url.replace("-a", "-b"), r2_key="images/old/1-b.png", migration_status="completed")
    app.add("with data", image_url=url, image_data=base64_of(make_png(1)))
    before = app.rows()
    site.migrate()
    assert app.row("native")["migration_status"] == "completed"
    report = site.rollback(delete_objects=True)
    assert app.rows() == before
    assert (report["rolled_back"], report["skipped"], report["objects_deleted"]) == (2, 1, 0)
    assert len(site.memory.keys()) == 2


def test_deleted_objects_are_those_of_rows_that_hold_their_image_again(three, app):
    app.set("b", image_url="https://example.net/new.png")
    kept = three.key("b")
    report = three.rollback(delete_objects=True)
    assert (report["rolled_back"], report["objects_deleted"], report["objects_kept"]) == (2, 2, 0)
    assert three.memory.keys() == [kept]
    assert three.events("a")[-2:] == ["rolled_back", "objects_deleted"]
    three.planner().try_again(Scope(rolled_back=True))
    assert three.report()["migrated"] == 2
    assert app.row("a")["image_url"] == f"{PUBLIC_URL}/{three.key('a')}"
    assert three.memory.download(three.key("a")) == make_png(0)


def test_an_object_another_row_names_is_kept(three, app):
    app.add("copy", image_url=app.row("a")["image_url"])  # the app copied a row; nobody planned it yet
    report = three.rollback(delete_objects=True)
    assert (report["objects_deleted"], report["objects_kept"]) == (2, 1)
    assert three.memory.download(three.key("a")) == make_png(0)


def test_an_object_of_a_row_that_changed_again_is_kept(three, app):
    three.rollback()
    app.set("a", image_url=data_url_of(make_png(99)))
    report = three.rollback(delete_objects=True)
    assert (report["total"], report["objects_deleted"], report["objects_kept"]) == (0, 2, 1)


def test_a_later_rollback_deletes_what_an_earlier_one_kept(three):
    three.rollback()
    assert three.rollback(delete_objects=True)["objects_deleted"] == 3
    assert three.memory.keys() == []


def test_both_objects_of_a_row_with_two_images_are_deleted(site, app):
    app.add("two", image_data=base64_of(make_png(1)), image_url=data_url_of(make_png(2)))
    site.migrate()
    assert len(site.memory.keys()) == 2
    assert site.rollback(delete_objects=True)["objects_deleted"] == 2


def test_the_audit_trail_tells_what_was_done_by_which_run(three):
    three.rollback(delete_objects=True)
    history = three.ledger.ask.history("a")
    assert [event["event"] for event in history] == ["stored", "published", "rolled_back", "objects_deleted"]
    assert {event["run_id"] for event in history[2:]} == {"undo"}
    key = history[2]["facts"]["key"]
    assert history[2]["facts"]["columns"] == ["image_url", "migrated_at", "migration_status", "r2_key", "updated_at"]
    assert set(history[2]["facts"]["text_sha256"]) == {"image_url"}
    assert history[3]["facts"] == {"keys": [key]}


def test_a_stop_ends_it_with_all_that_was_begun_recorded(three):
    three.stop.set()
    assert three.rollback(delete_objects=True)["total"] == 0
    assert len(three.memory.keys()) == 3
