"""Rows no app should ever have written. None may stop the others, change by our hand, or be planned for ever."""

import sqlite3
from contextlib import closing

import pytest

from tests.support.images import base64_of, data_url_of, make_png
from tests.support.sites import PUBLIC_URL, Site
from tests.support.tables import AppTable
from z_interact_assets.core.models import ImageLimits, ItemState
from z_interact_assets.core.reasons import Reason
from z_interact_assets.migrate.migration import Scope

GOOD = base64_of(make_png(1))
PUBLISHED = (ItemState.PUBLISHED, None)
BIDI = "\u202egnp\u200b.\u2066x\ufeff\u0000y"

HOSTILE = {
    "NUL in image_data": ({"image_data": f"{GOOD[:8]}\0{GOOD[8:]}"}, Reason.BAD_BASE64),
    "NUL in image_url": ({"image_url": "/images/a\0.jpg"}, Reason.UNRECOGNISED_URL),
    "NUL after a data URL": ({"image_url": f"{data_url_of(make_png(1))}\0"}, Reason.BAD_BASE64),
    "number as data": ({"image_data": 12345}, Reason.BAD_BASE64),
    "white space": ({"image_data": " \n"}, Reason.EMPTY),
    "script url": ({"image_url": "javascript:alert(1)"}, Reason.UNRECOGNISED_URL),
    "path out of the folder": ({"image_url": "/images/../../etc/passwd"}, Reason.UNRECOGNISED_URL),
    "BLOB of garbage": ({"image_data": b"\x00\xff\xfe garbage"}, Reason.BAD_BASE64),
    "BLOB url": ({"image_url": b"\xff\xfe"}, Reason.UNRECOGNISED_URL),
}


def add_invalid_utf8(app: AppTable, row_id: str, column: str, value: bytes) -> None:
    app.add(row_id)
    app.sql(f"UPDATE images SET {column} = CAST(? AS TEXT) WHERE id = ?", (value, row_id))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_value_is_set_aside_once_and_stays_byte_for_byte(site, app, name):
    columns, reason = HOSTILE[name]
    app.add("hostile", **columns)
    app.add("good", image_data=GOOD)
    stored = app.as_stored()["hostile"]
    foretold = site.foretold()
    assert site.report() == {**foretold, "dry_run": False}
    assert site.state("hostile") == (ItemState.QUARANTINED, reason)
    assert site.state("good") == PUBLISHED
    assert app.as_stored()["hostile"] == stored
    assert (site.plan().planned, site.plan().planned_again) == (0, 0)


@pytest.mark.parametrize(("column", "value", "state"), [
    ("image_data", b"\xff\xfe\x80", (ItemState.QUARANTINED, Reason.BAD_BASE64)),
    ("image_url", b"\xed\xa0\x80http", (ItemState.QUARANTINED, Reason.UNRECOGNISED_URL)),
    ("image_url", b"/images/\xff.jpg", (ItemState.LOCAL_ONLY, None)),
    ("image_url", b"data:image/png\xff;base64," + GOOD.encode(), PUBLISHED),
])  # fmt: skip
def test_text_that_is_no_utf8_is_judged_once(site, app, column, value, state):
    add_invalid_utf8(app, "hostile", column, value)
    site.migrate()
    assert site.state("hostile") == state
    assert (site.plan().planned, site.plan().planned_again) == (0, 0)


def test_invalid_utf8_beside_a_good_image_neither_stops_the_switch_nor_the_metadata(site, app):
    add_invalid_utf8(app, "a", "prompt", b"caf\xe9 \xed\xa0\x80")
    app.sql("UPDATE images SET image_data = ?, image_url = CAST(? AS TEXT), persona_id = CAST(? AS TEXT)",
            (GOOD, b"\xff?", b"gen\xff-z"))  # fmt: skip
    site.migrate()
    assert site.state("a") == PUBLISHED
    metadata = site.memory.head(site.item("a").object_key).metadata
    assert metadata.prompt.startswith("caf")
    assert app.sql("SELECT CAST(prompt AS BLOB) FROM images") == [(b"caf\xe9 \xed\xa0\x80",)]


IDS = {
    "10 KB": "i" * 10_240,
    "bidi and zero width": BIDI,
    "quote": "a'b\"; DROP TABLE images; --",
    "empty": "",
    "space": " ",
}


@pytest.mark.parametrize("name", IDS)
def test_any_text_is_an_id(site, app, name):
    app.add(IDS[name], image_data=GOOD)
    foretold = site.foretold()
    assert site.report() == {**foretold, "dry_run": False}
    assert site.state(IDS[name]) == PUBLISHED
    assert app.row(IDS[name])["image_url"].startswith(f"{PUBLIC_URL}/images/gen-z/")
    assert site.plan().planned_again == 0


def test_ids_that_are_no_text_are_left_out_and_counted(tmp_path, app):
    with closing(sqlite3.connect(app.path)) as connection, connection:
        connection.execute("DROP TABLE images")
        connection.execute("CREATE TABLE images (id, image_url TEXT, image_data TEXT)")
        for row_id in (None, None, 7, 1.5, b"blob", "text"):
            connection.execute("INSERT INTO images VALUES (?, NULL, ?)", (row_id, GOOD))
        connection.execute("INSERT INTO images VALUES (CAST(? AS TEXT), NULL, ?)", (b"\xff\xfe", GOOD))
    stored = app.sql("SELECT typeof(id), image_url, image_data FROM images WHERE id IS NOT 'text' ORDER BY 1")
    with closing(Site(tmp_path, app)) as site:
        result = site.plan()
        assert (result.planned, result.rows, result.unaddressable) == (1, 1, 6)
        site.migrate()
        assert site.state("text") == PUBLISHED
    assert app.sql("SELECT typeof(id), image_url, image_data FROM images WHERE id IS NOT 'text' ORDER BY 1") == stored


def test_a_payload_too_long_is_refused_by_its_length_and_never_read(tmp_path, app, monkeypatch):
    app.add("long", image_data="A" * 200_000)
    app.add("long-url", image_url=f"data:image/png;base64,{'A' * 200_000}")
    with closing(Site(tmp_path, app, limits=ImageLimits(max_bytes=1_000))) as site:
        monkeypatch.setattr(site.table, "read", lambda _: pytest.fail("the payload was read"))
        site.migrate()
        for row_id in ("long", "long-url"):
            assert site.state(row_id) == (ItemState.QUARANTINED, Reason.TOO_LARGE)
            assert "200," in site.item(row_id).detail
        assert site.plan().planned_again == 0


def test_an_image_over_the_limit_in_a_text_below_it_is_refused_too(tmp_path, app):
    app.add("a", image_data=base64_of(make_png(1) + b"\0" * 1_000))
    with closing(Site(tmp_path, app, limits=ImageLimits(max_bytes=1_000))) as site:
        site.migrate()
        assert site.state("a") == (ItemState.QUARANTINED, Reason.TOO_LARGE)


TABLES = {
    "WITHOUT ROWID": "CREATE TABLE images (id TEXT PRIMARY KEY, image_url, image_data TEXT, status) WITHOUT ROWID",
    "id is no key": "CREATE TABLE images (image_data, status, id TEXT, image_url TEXT)",
    "id is unique": "CREATE TABLE images (id TEXT UNIQUE, n INTEGER PRIMARY KEY, image_data BLOB, image_url, status)",
}


@pytest.mark.parametrize("name", TABLES)
def test_any_table_with_these_columns_will_do(tmp_path, app, name):
    app.sql("DROP TABLE images")
    app.sql(TABLES[name])
    values = [("a", None, GOOD), ("b", data_url_of(make_png(2)), None), ("c", "\0", "*"), ("d", "ü" * 3_000, None)]
    for row in values:
        app.sql("INSERT INTO images (id, image_url, image_data) VALUES (?, ?, ?)", row)
    app.sql("INSERT INTO images (id, status) VALUES ('e', 'generating'), ('f', 'completed')")
    with closing(Site(tmp_path, app)) as site:
        site.migrate()
        assert (site.state("a"), site.state("b")) == (PUBLISHED, PUBLISHED)
        assert site.state("c") == (ItemState.QUARANTINED, Reason.BAD_BASE64)
        assert site.state("d") == (ItemState.QUARANTINED, Reason.UNRECOGNISED_URL)
        assert site.state("f") == (ItemState.IMAGELESS, Reason.COMPLETED_WITHOUT_IMAGE)
        assert "e" not in site.ended()
        assert (site.plan().planned, site.plan().planned_again) == (0, 0)


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_the_journal_mode_is_the_apps_and_stays(site, app, mode):
    app.sql(f"PRAGMA journal_mode = {mode}")
    app.add("a", image_data=GOOD)
    with closing(sqlite3.connect(app.path, timeout=0)) as reader:  # as the app holds a connection, with no patience
        reader.execute("SELECT count(*) FROM images").fetchone()
        site.migrate()
        assert site.state("a") == PUBLISHED
        assert reader.execute("PRAGMA journal_mode").fetchone() == (mode,)


def test_rows_deleted_and_added_during_a_scan_do_not_disturb_it(site, app):
    app.add_many([{"id": f"{n:03}", "image_data": GOOD} for n in range(30)])
    pages = site.table.heads(page_rows=10)
    seen = [head.id for head in next(pages)]
    for row_id in ("005", "009", "010", "011"):
        app.delete(row_id)
    app.add("0095", image_data=GOOD)
    seen += [head.id for page in pages for head in page]
    assert seen == sorted(seen)
    assert set(seen) == {f"{n:03}" for n in range(30)} - {"010", "011"} | {"0095"}


def test_a_table_emptied_after_planning_ends_every_item(site, app):
    app.add_many([{"id": f"{n:03}", "image_data": GOOD} for n in range(30)])
    site.plan()
    app.sql("DELETE FROM images")
    batches = list(site.migration().run(Scope()))
    assert [batch.pending for batch in batches] == [0, 0, 0]
    assert set(site.ended().values()) == {(ItemState.CONFLICT, Reason.ROW_DELETED)}
