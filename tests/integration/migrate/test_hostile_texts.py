"""Any text in an id or in any text column: it migrates, stays what it was, and its object says it as far as it can."""

from pathlib import Path

import pytest

from tests.support.hostile import TEXTS
from tests.support.images import base64_of, make_png
from tests.support.sites import PUBLIC_URL, Site
from tests.support.tables import AppTable
from z_interact_assets.core.keys import is_valid_key
from z_interact_assets.core.metadata import MAX_VALUE_BYTES
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.reasons import Reason
from z_interact_assets.storage.objects import R2Store

pytestmark = pytest.mark.slow

PUBLISHED = (ItemState.PUBLISHED, None)
# Each is a part of the key or of the metadata, or is read by the switch.
COLUMNS = (
    "session_id", "participant_id", "persona_id", "persona_title", "table_id", "image_mime_type", "prompt", "provider",
    "status", "r2_key", "migration_status",
)  # fmt: skip
IN_THE_METADATA = ("session_id", "participant_id", "persona_id", "provider")
NO_UTF_8 = {
    "latin-1": b"caf\xe9",
    "cut in two": b"\xe2\x82",
    "surrogate": b"\xed\xa0\x80",
    "bytes": bytes(range(1, 256)),
}


def fill(app: AppTable, columns: tuple[str, ...] = COLUMNS) -> dict[str, str]:
    """A row for each text, which is its id and all its columns, and a good row between any two; text by id."""
    rows = [{"id": text, "image_data": base64_of(make_png(number + 1)), **dict.fromkeys(columns, text)}
            for number, text in enumerate(TEXTS.values())]  # fmt: skip
    good = [{"id": f"{row['id']} good", "image_data": row["image_data"]} for row in rows]
    app.add_many([*rows, *good])
    return {str(row["id"]): str(row["id"]) for row in rows}


def assert_migrated(site: Site, texts: dict[str, str]) -> None:
    for row_id, text in texts.items():
        # The key has the session and the persona in it, and at most 1,024 bytes.
        expected = (ItemState.QUARANTINED, Reason.BAD_KEY_PART) if len(text) > 1_000 else PUBLISHED
        assert site.state(row_id) == expected, ascii(text)
        assert site.state(f"{row_id} good") == PUBLISHED, ascii(text)


def test_every_text_migrates_as_foretold_and_once(site, app):
    texts = fill(app)
    foretold = site.foretold()
    assert site.report() == {**foretold, "dry_run": False}
    assert_migrated(site, texts)
    assert (site.plan().planned, site.plan().planned_again) == (0, 0)


def test_columns_that_the_switch_does_not_write_stay_as_they_were(site, app):
    texts = fill(app)
    before = app.rows()
    site.migrate()
    for row_id in texts:
        now = app.row(row_id)
        written = {"image_url", "r2_key", "migration_status", "migrated_at", "updated_at"}
        assert {name: now[name] for name in now if name not in written} == {
            name: value for name, value in before[row_id].items() if name not in written
        }


def test_keys_and_urls_hold_nothing_of_a_text_but_letters(site, app):
    texts = fill(app)
    site.migrate()
    for row_id in texts:
        if site.state(row_id) == PUBLISHED:
            key = site.key(row_id)
            assert is_valid_key(key)
            assert app.row(row_id)["image_url"] == f"{PUBLIC_URL}/{key}"


def test_over_http_the_metadata_come_back_as_the_texts_were(r2_site, app):
    texts = fill(app)
    r2_site.migrate()
    assert isinstance(r2_site.store, R2Store)
    for row_id, text in texts.items():
        if r2_site.state(row_id) != PUBLISHED:
            continue
        found = r2_site.store.head(r2_site.key(row_id))
        assert found is not None
        storable = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
        assert found.metadata.prompt == storable
        short = storable.encode()[:MAX_VALUE_BYTES].decode(errors="ignore")
        assert {getattr(found.metadata, name) for name in (*IN_THE_METADATA, "original_id")} == {short}


@pytest.mark.parametrize("name", NO_UTF_8)
@pytest.mark.parametrize("column", COLUMNS)
def test_bytes_that_are_no_utf8_stop_nothing_in_any_column(site, app, column, name):
    app.add("hostile", image_data=base64_of(make_png(1)))
    app.add("hostile too", image_data=base64_of(make_png(2)))
    app.sql(f"UPDATE images SET {column} = CAST(? AS TEXT)", (NO_UTF_8[name],))
    site.migrate()
    assert set(site.ended().values()) == {PUBLISHED}


@pytest.mark.parametrize("column", ["created_at", "updated_at", "migrated_at"])
@pytest.mark.parametrize("value", [9e999, -9e999, 2**63 - 1, -(2**63), "", "NaN", b"\0", *list(TEXTS.values())[:3]])
def test_any_value_where_a_time_belongs_stops_nothing(site, app, column, value):
    app.add("hostile", image_data=base64_of(make_png(1)))
    app.set("hostile", **{column: value})
    site.migrate()
    assert site.state("hostile") == PUBLISHED
    if column != "created_at":
        assert site.undo_record("hostile")[1][column] is not None


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_alone_where_a_url_belongs_is_never_fetched_nor_changed(site, app, text):
    app.add("hostile", image_url=text)
    stored = app.as_stored()
    site.migrate()
    assert app.as_stored() == stored
    assert site.memory.keys() == []
    state, reason = site.state("hostile")
    assert (state, reason) in {
        (ItemState.QUARANTINED, Reason.UNRECOGNISED_URL), (ItemState.EXTERNAL, None),
    }  # fmt: skip


def test_no_text_reaches_the_file_system(site, app, tmp_path: Path):
    fill(app)
    site.migrate()
    assert not [path for path in tmp_path.rglob("*") if "needle" in path.name]
