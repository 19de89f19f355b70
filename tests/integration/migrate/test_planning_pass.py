"""Planning over a real table and ledger: every migratable row in exactly one batch that never changes again."""

from dataclasses import replace

import pytest

from tests.support.images import base64_of, data_url_of, make_png
from tests.support.reading import bytes_read
from tests.support.tables import contents
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.planning import HeadKind, Rules, TooManyBatchesError
from z_interact_assets.migrate import planner as planner_module
from z_interact_assets.migrate.planner import Planner
from z_interact_assets.migrate.static_files import StaticFolder


def members(site) -> dict[str, list[str]]:
    return {
        key: [item.image_id for item in site.ledger.ask.batch_items(key)] for key in site.ledger.planning.batch_keys()
    }


def add(app, *ids: str) -> None:
    app.add_many([{"id": row_id, "image_data": "AAAA"} for row_id in ids])


@pytest.mark.parametrize("size", [1, 3, 10, 1_000])
def test_each_row_is_in_exactly_one_batch_of_at_most_the_size(site, app, monkeypatch, size):
    monkeypatch.setattr("z_interact_assets.storage.legacy.table.PAGE_ROWS", 7)
    ids = [f"{n:03}" for n in range(50)]
    add(app, *ids)
    result = site.planner(size).plan()
    batches = members(site)
    assert [row_id for batch in batches.values() for row_id in batch] == ids
    assert all(0 < len(batch) <= size for batch in batches.values())
    assert list(batches) == [f"b{n:06}" for n in range(1, -(-50 // size) + 1)] == list(result.new_batches)
    assert sum(len(batch) < size for batch in batches.values()) <= 1
    assert (result.planned, result.planned_again, result.batches, result.rows) == (50, 0, len(batches), 50)


def test_new_rows_go_to_new_batches_and_old_batches_keep_theirs(site, app):
    add(app, *"bdfhj")
    site.planner(3).plan()
    before = members(site)
    add(app, *"acegik")
    result = site.planner(3).plan()
    assert result.new_batches == ("b000003", "b000004")
    assert members(site) == before | {"b000003": ["a", "c", "e"], "b000004": ["g", "i", "k"]}


def test_planning_again_with_nothing_new_writes_nothing(site, app):
    add(app, *"abc")
    app.add("external", image_url="https://picsum.photos/1")
    app.add("local", image_url="/images/a.jpg")
    app.add("imageless")
    app.add("failed", status="failed")
    site.plan()
    before = contents(site.ledger_path)
    result = site.plan()
    assert (result.planned, result.planned_again, result.new_batches) == (0, 0, ())
    assert contents(site.ledger_path) == before


def test_rows_are_counted_by_what_they_are(site, app):
    rows = {
        HeadKind.EMBEDDED: {"image_data": "AAAA"}, HeadKind.DATA_URL: {"image_url": "data:image/png;base64,AAAA"},
        HeadKind.ON_R2: {"image_url": site.store.public_url("images/p/1-a.png")},
        HeadKind.LOCAL: {"image_url": "/images/a.jpg"}, HeadKind.EXTERNAL: {"image_url": "https://r2.example.org/a.png"},
        HeadKind.IMAGELESS: {}, HeadKind.UNFINISHED: {"status": " Generating "},
        HeadKind.UNRECOGNISED: {"image_url": "blob:x"},
    }  # fmt: skip
    for kind, columns in rows.items():
        app.add(kind.value, **columns)
    result = site.plan()
    assert result.kinds == dict.fromkeys(HeadKind, 1)
    assert members(site) == {"b000001": ["data_url", "embedded", "on_r2", "unrecognised"]}
    assert "unfinished" not in site.ended()


def test_a_row_that_gets_an_image_later_is_planned_then(site, app):
    app.add("a", status="generating")
    app.add("b", image_url="https://picsum.photos/1")
    assert site.plan().planned == 0
    for row_id in "ab":
        app.set(row_id, image_data=base64_of(make_png(1)), status="completed")
    assert site.plan().planned == 2
    site.migrate()
    assert site.state("a") == site.state("b") == (ItemState.PUBLISHED, None)


def test_no_payload_is_read_to_plan(site, app):
    app.add_many([{"id": f"{n:02}", "image_data": "A" * 2_000_000, "image_url": "/images/a.jpg"} for n in range(15)])
    app.add_many([{"id": f"u{n:02}", "image_url": data_url_of(b"A" * 1_500_000)} for n in range(15)])
    before = bytes_read()
    assert site.plan().planned == 30
    assert bytes_read() - before < 2_000_000  # of 60 MB


def test_many_batches_are_warned_about_with_a_better_size(site, app, monkeypatch):
    monkeypatch.setattr(planner_module, "WARN_BATCHES", 5)
    monkeypatch.setattr(planner_module, "advised_batch_size", lambda rows: rows // 2)
    add(app, *(f"{n:02}" for n in range(12)))
    result = site.planner(2).plan()
    assert len(result.new_batches) == 6
    assert "MIGRATION_BATCH_SIZE=6" in result.warnings[0]
    assert site.planner(2).plan().warnings == ()  # only who makes batches can make fewer


@pytest.mark.slow
def test_more_than_5000_batches_are_warned_about(site, app):
    add(app, *(f"{n:05}" for n in range(5_001)))
    result = site.planner(1).plan()
    assert "5,001 batches" in result.warnings[0]
    assert "MIGRATION_BATCH_SIZE=3 " in result.warnings[0]


@pytest.mark.slow
def test_too_many_batches_are_refused_before_anything_is_written(site, app):
    add(app, *(f"{n:05}" for n in range(50_001)))
    before = contents(site.ledger_path)
    with pytest.raises(TooManyBatchesError) as caught:
        site.planner(1).plan()
    assert (caught.value.batches, caught.value.batch_size) == (50_001, 26)
    assert "MIGRATION_BATCH_SIZE=26" in caught.value.remedy
    assert contents(site.ledger_path) == before


def test_batches_made_before_count_and_rows_that_need_none_do_not(site, app, monkeypatch):
    monkeypatch.setattr(planner_module, "MAX_BATCHES", 4)
    add(app, *"abc")
    site.planner(1).plan()
    app.add_many([{"id": f"external-{n}", "image_url": "https://picsum.photos/1"} for n in range(9)])
    add(app, "d")
    assert site.planner(1).plan().new_batches == ("b000004",)
    add(app, "e")
    with pytest.raises(TooManyBatchesError):
        site.planner(1).plan()
    assert site.planner(1)._ledger.planning.batch_count() == 4


def test_a_static_folder_that_is_new_turns_local_rows_into_work(tmp_path, site, app):
    app.add("there", image_url="/images/there.jpg")
    app.add("not-there", image_url="/images/nowhere.jpg")
    site.migrate()
    assert site.state("there") == (ItemState.LOCAL_ONLY, None)
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "there.jpg").write_bytes(make_png(1))
    folder = StaticFolder(tmp_path, max_bytes=1_000)
    site.engine = replace(site.engine, preparation=replace(site.engine.preparation, read_static=folder.read))
    rules = Rules(site.bases, static_files=True)
    site.planner = lambda: Planner(site.table, site.ledger, rules, batch_size=10, clock_ms=lambda: 1)
    foretold = site.foretold()
    assert site.report() == {**foretold, "dry_run": False}
    assert site.state("there") == (ItemState.PUBLISHED, None)
    assert site.state("not-there") == (ItemState.LOCAL_ONLY, None)
    assert app.row("not-there")["image_url"] == "/images/nowhere.jpg"
    item = site.item("there")
    assert (item.source, item.content_type) == ("static", "image/png")
    assert site.undo_record("there")[1]["image_url"] == "/images/there.jpg"


def test_what_was_seen_a_moment_ago_with_nothing_to_plan_is_not_looked_at_again(site, app):
    app.add("new", image_data=base64_of(make_png(1)))
    app.add("elsewhere", image_url="https://example.net/a.png")
    site.migrate()
    seen = site.planner().survey()
    whole = site.plan()
    app.add("late", image_data=base64_of(make_png(2)))
    assert site.planner().plan(seen=seen) == whole
    assert (whole.rows, seen.changes) == (2, 0)
    assert site.plan().planned == 1


@pytest.mark.parametrize(
    "columns", [{"image_data": base64_of(make_png(1))}, {"image_url": "https://example.net/a.png"}, {}],
    ids=["an image to migrate", "an image elsewhere", "no image"],
)  # fmt: skip
def test_whatever_planning_would_write_makes_it_look_again(site, app, columns):
    app.add("row", **columns)
    seen = site.planner().survey()
    assert seen.changes == 1
    site.planner().plan(seen=seen)
    assert site.ledger.planning.known(["row"])
    assert site.planner().survey().changes == 0
