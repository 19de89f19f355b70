"""The app goes on writing: rows it edits, deletes or makes anew between our reading and our switch."""

import pytest

from tests.support.images import base64_of, data_url_of, make_png
from tests.support.sites import PUBLIC_URL
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.reasons import Reason
from z_interact_assets.migrate.migration import Scope

EDITED, OTHERS = "b", ("a", "c")
NEW = data_url_of(make_png(99))


@pytest.fixture
def three(site, app):
    for shade, row_id in enumerate(("a", "b", "c")):
        app.add(row_id, image_data=base64_of(make_png(shade)), image_url="/images/a.jpg", persona_id=row_id)

    def during_upload(edit):
        def hook(key: str) -> None:
            if key.startswith(f"images/{EDITED}/"):
                site.memory.before_upload = None
                edit()

        site.memory.before_upload = hook

    site.during_upload = during_upload
    return site


EDITS = {
    "another image": {"image_data": base64_of(make_png(98))},
    "an image of the same length": {"image_data": base64_of(make_png(1))[:-8] + "AAAAAA=="},
    "another url": {"image_url": "/images/b.jpg"},
    "no url": {"image_url": None},
    "the image moved to the url": {"image_data": None, "image_url": NEW},
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_row_is_left_alone_and_planned_again(three, app, name):
    three.during_upload(lambda: app.set(EDITED, **EDITS[name]))
    report = three.report()
    assert (report["migrated"], report["conflicts"]) == (2, 1)
    assert report["errors"][0]["reason"] == "row_changed"
    assert three.state(EDITED) == (ItemState.CONFLICT, Reason.ROW_CHANGED)
    row = app.row(EDITED)
    assert {column: row[column] for column in EDITS[name]} == EDITS[name]
    assert (row["r2_key"], row["migration_status"], row["updated_at"]) == (None, "pending", None)
    assert all(three.state(row_id) == (ItemState.PUBLISHED, None) for row_id in OTHERS)
    planned = three.plan()
    assert (planned.planned, planned.planned_again) == (0, 1)


def test_the_next_run_migrates_the_new_image_in_the_same_batch(three, app):
    three.during_upload(lambda: app.set(EDITED, image_data=base64_of(make_png(98))))
    three.migrate()
    old_key = three.item(EDITED).object_key
    planned = three.plan()
    assert (planned.planned, planned.planned_again, planned.new_batches) == (0, 1, ())
    _, batches = three.migrate()
    assert three.state(EDITED) == (ItemState.PUBLISHED, None)
    item = three.item(EDITED)
    assert item.object_key != old_key
    assert three.memory.download(item.object_key) == make_png(98)
    assert app.row(EDITED)["image_url"] == f"{PUBLIC_URL}/{item.object_key}"
    assert [(batch.key, batch.pending) for batch in batches] == [("b000001", 0)]
    assert three.events(EDITED) == ["stored", "conflict", "planned_again", "stored", "published"]
    assert three.memory.download(old_key) == make_png(1)  # nothing is ever deleted


def test_an_edit_of_another_column_is_no_conflict_and_is_kept(three, app):
    three.during_upload(lambda: app.set(EDITED, prompt="changed meanwhile", status="locked"))
    assert three.report()["conflicts"] == 0
    assert (app.row(EDITED)["prompt"], app.row(EDITED)["status"]) == ("changed meanwhile", "locked")


def test_a_row_deleted_during_its_upload_never_blocks_its_batch(three, app):
    three.during_upload(lambda: app.delete(EDITED))
    _, batches = three.migrate()
    assert three.state(EDITED) == (ItemState.CONFLICT, Reason.ROW_DELETED)
    assert [(batch.key, batch.pending, batch.set_aside) for batch in batches] == [("b000001", 0, 1)]
    assert three.plan().planned_again == 0


def test_a_row_deleted_after_it_was_planned_is_reported_so(three, app):
    three.plan()
    app.delete(EDITED)
    list(three.migration().run(Scope()))
    assert three.state(EDITED) == (ItemState.CONFLICT, Reason.ROW_DELETED)
    assert three.memory.requests["put"] == 2


def test_a_row_made_anew_under_its_id_is_migrated_with_its_new_image(three, app):
    def make_anew() -> None:
        app.delete(EDITED)
        app.add(EDITED, image_url=NEW, persona_id=EDITED)

    three.during_upload(make_anew)
    three.migrate()
    assert three.state(EDITED) == (ItemState.CONFLICT, Reason.ROW_CHANGED)
    assert app.row(EDITED)["image_url"] == NEW
    three.migrate()
    assert three.memory.download(three.item(EDITED).object_key) == make_png(99)
    assert app.row(EDITED)["image_url"].startswith(PUBLIC_URL)


def test_a_row_that_came_back_after_its_deletion_is_planned_again(three, app):
    three.during_upload(lambda: app.delete(EDITED))
    three.migrate()
    app.add(EDITED, image_url=NEW)
    three.migrate()
    assert three.state(EDITED) == (ItemState.PUBLISHED, None)


def test_an_image_changed_after_its_migration_is_new_work_in_its_old_batch(three, app):
    three.migrate()
    app.set(EDITED, image_data=None, image_url=NEW)
    planned = three.plan()
    assert (planned.planned, planned.planned_again) == (0, 1)
    three.migrate()
    assert three.memory.download(three.item(EDITED).object_key) == make_png(99)


def test_a_quarantined_row_is_tried_again_only_after_the_app_changed_it(three, app):
    app.set(EDITED, image_data="****")
    three.migrate()
    assert three.state(EDITED) == (ItemState.QUARANTINED, Reason.BAD_BASE64)
    assert three.plan().planned_again == 0
    app.set(EDITED, image_data=base64_of(make_png(5)))
    assert three.plan().planned_again == 1
    three.migrate()
    assert three.state(EDITED) == (ItemState.PUBLISHED, None)
