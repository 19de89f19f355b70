"""Two runs, two planners, two rows at one object: what one has proved or can undo, the other must not take away."""

import threading
from contextlib import closing

import pytest

from tests.support.images import base64_of, data_url_of, make_png
from tests.support.sites import NOW_MS, PUBLIC_URL, Site
from z_interact_assets.core.base64_text import TextForm, rebuild_text
from z_interact_assets.core.errors import TableUnavailableError
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.reasons import Reason
from z_interact_assets.inventory import take_inventory
from z_interact_assets.migrate.migration import Scope


def test_a_run_overtaken_by_another_erases_no_undo_record(site, app):
    """The second run was handed its items before the first one switched their rows."""
    texts = {f"d{n}": data_url_of(make_png(n)) for n in range(4)}
    for row_id, text in texts.items():
        app.add(row_id, image_url=text)
    app.add("both", image_data=base64_of(make_png(50)), image_url="https://elsewhere.example.com/a.png")
    site.plan()
    items = list(site.ledger.work.hand_out(["b000001"], now_ms=NOW_MS))
    list(site.migration().run(Scope()))
    before = {row_id: (site.undo_record(row_id), site.item(row_id)) for row_id in (*texts, "both")}

    overtaken = site.migration()
    site.ledger.work.hand_out = lambda *_, **__: iter(items)  # what the second run had in hand
    overtaken._ledger.work.pending = lambda *_, **__: {"b000001": len(items)}
    list(overtaken.run(Scope()))

    for row_id, (undo, item) in before.items():
        assert site.undo_record(row_id) == undo
        assert site.item(row_id) == item
        assert site.state(row_id) == (ItemState.PUBLISHED, None)
    for row_id, text in texts.items():
        form = TextForm.from_json(site.undo_record(row_id)[0]["image_url"]["form"])
        assert rebuild_text(site.store.download(site.item(row_id).object_key), form) == text


def test_two_runs_at_once_store_each_image_once_and_can_undo_each(tmp_path, app, site):
    texts = {f"{n:03}": data_url_of(make_png(n)) for n in range(150)}
    app.add_many([{"id": row_id, "image_url": text} for row_id, text in texts.items()])
    site.plan()
    with closing(Site(tmp_path, app, site.memory)) as other:
        runs = [threading.Thread(target=lambda one=one: list(one.migration().run(Scope()))) for one in (site, other)]
        for run in runs:
            run.start()
        for run in runs:
            run.join()
        site.migrate()
    assert len(site.memory.keys()) == len(texts)
    for row_id, text in texts.items():
        assert site.state(row_id) == (ItemState.PUBLISHED, None)
        assert site.item(row_id).sha256 is not None
        form = TextForm.from_json(site.undo_record(row_id)[0]["image_url"]["form"])
        assert rebuild_text(site.store.download(site.item(row_id).object_key), form) == text


def test_a_row_that_points_at_anothers_object_takes_no_proof_away(site, app):
    app.add("a", image_url=data_url_of(make_png(1)))
    site.migrate()
    proved = site.item("a")
    app.add("b", image_url=app.row("a")["image_url"])
    site.migrate()
    assert site.state("b") == (ItemState.ALREADY_IN_R2, None)
    assert site.item("a") == proved
    assert proved.sha256 is not None
    assert proved.proof == "sha256"


def test_images_another_planner_has_batched_stay_in_their_batch(site, app):
    app.add_many([{"id": f"{n}", "image_data": base64_of(make_png(n))} for n in range(3)])
    site.migrate()
    assert site.ledger.planning.add_batches([["0", "1"], ["2"]], now_ms=NOW_MS) == []
    assert site.ledger.planning.add_batches([["0", "new"]], now_ms=NOW_MS) == ["b000002"]
    assert {site.item(f"{n}").batch_key for n in range(3)} == {"b000001"}
    assert {site.item(f"{n}").state for n in range(3)} == {ItemState.PUBLISHED}
    assert site.ledger.ask.batch("b000002").items == 1


def test_a_literal_column_name_beside_our_url_is_an_image_in_r2(site, app):
    """What a switch leaves of a row whose image_data is its own name: a run that broke off must recognise it."""
    app.add("a", image_data="image_data", image_url=data_url_of(make_png(1)))
    site.migrate()
    assert site.state("a") == (ItemState.PUBLISHED, None)
    item_id = site.item("a").item_id
    site.ledger.planning.plan_again({item_id: "as after a crash"}, now_ms=NOW_MS, run_id=None)
    site.migrate()
    assert site.state("a") == (ItemState.PUBLISHED, None)
    assert "image_url" in site.undo_record("a")[0]


def test_a_row_at_the_s3_endpoint_gets_its_public_url(site, app):
    key = "images/gen-z/1-a.png"
    site.memory.upload(key, make_png(1))
    endpoint = f"https://{'0' * 32}.r2.cloudflarestorage.com/{site.store.bucket}/{key}"
    app.add("a", image_url=endpoint)
    site.migrate()
    assert site.state("a") == (ItemState.ALREADY_IN_R2, None)
    assert app.row("a")["image_url"] == f"{PUBLIC_URL}/{key}"
    assert site.undo_record("a")[1]["image_url"] == endpoint
    assert site.plan().planned_again == 0


@pytest.mark.parametrize("reason", [Reason.BAD_BASE64, Reason.OBJECT_MISSING])
def test_a_quarantined_image_is_tried_again_when_it_is_named(site, app, reason):
    key = "images/gen-z/1-a.png"
    good = base64_of(make_png(1))
    if reason is Reason.BAD_BASE64:
        app.add("a", image_data=f"!{good[1:]}")
    else:
        app.add("a", image_url=f"{PUBLIC_URL}/{key}")
    site.migrate()
    assert site.state("a") == (ItemState.QUARANTINED, reason)
    if reason is Reason.BAD_BASE64:
        app.set("a", image_data=good)  # of the same length: no head shows it
    else:
        site.memory.upload(key, make_png(1))
    assert site.plan().planned_again == 0
    foretold = site.foretold(Scope(image_ids=("a",)))
    assert (foretold["planned"], foretold["quarantined"]) == (1, 0)
    site.planner().try_again(Scope(image_ids=("a",)))
    list(site.migration().run(Scope(image_ids=("a",))))
    assert site.state("a")[0] in (ItemState.PUBLISHED, ItemState.ALREADY_IN_R2)


@pytest.mark.slow
@pytest.mark.exhaustive
def test_a_table_that_stays_locked_ends_the_run_before_the_bucket_is_full(tmp_path, app):
    app.add_many([{"id": f"{n:04}", "image_data": base64_of(make_png(n % 250))} for n in range(1500)])
    with closing(Site(tmp_path, app, busy_timeout=0.01)) as site:
        site.plan()
        locks = []

        def lock(_: str) -> None:
            site.memory.before_upload = None
            locks.append(app.lock())

        site.memory.before_upload = lock
        migration = site.migration()
        with pytest.raises(TableUnavailableError):
            list(migration.run(Scope()))
        assert migration.totals.failed < 1500
        for connection in locks:
            connection.close()
        memory = site.memory
    with closing(Site(tmp_path, app, memory)) as later:  # as patient as a real one
        assert later.report()["failed"] == 0
        assert set(later.ended().values()) == {(ItemState.PUBLISHED, None)}


def test_an_object_deleted_with_its_row_is_not_missing(site, app):
    for row_id in ("a", "b"):
        app.add(row_id, image_data=base64_of(make_png(ord(row_id))))
    site.migrate()
    for row_id in ("a", "b"):
        site.memory.delete(site.item(row_id).object_key)
    app.sql("DELETE FROM images WHERE id = 'a'")
    inventory = take_inventory(site.store, site.table, site.ledger, site.bases)
    assert inventory.missing == [site.item("b").object_key]
