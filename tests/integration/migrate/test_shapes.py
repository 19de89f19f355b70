"""Each shape the table ever had: columns that are not there are not needed."""

from contextlib import closing

import pytest

from tests.support.images import base64_of, data_url_of, make_png
from tests.support.sites import NOW_MS, PUBLIC_URL, Site
from tests.support.tables import AppTable
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.reasons import Reason
from z_interact_assets.demo.shapes import SHAPES

WRITTEN_BY_THE_SWITCH = {"image_url", "r2_key", "migration_status", "migrated_at", "updated_at"}


@pytest.mark.parametrize("shape", SHAPES)
def test_rows_of_every_shape_are_switched_in_the_columns_it_has(tmp_path, shape):
    app = AppTable(tmp_path / "local.db", shape)
    columns = set(SHAPES[shape])
    images = {"url": make_png(1)}
    app.add("url", image_url=data_url_of(make_png(1)), updated_at=1)
    app.add("external", image_url="https://picsum.photos/seed/1/8/8")
    app.add("broken", image_url="data:image/png;base64,iVBORw0KGgo=")
    if "image_data" in columns:
        images["data"] = make_png(2)
        app.add("data", image_data=base64_of(make_png(2)), image_url="/images/a.jpg")
    before, stored = app.rows(), app.as_stored()
    with closing(Site(tmp_path, app)) as site:
        foretold = site.foretold()
        assert site.report() == {**foretold, "dry_run": False}
        for row_id, data in images.items():
            assert site.state(row_id) == (ItemState.PUBLISHED, None)
            key = site.key(row_id)
            assert site.memory.download(key) == data
            after = app.row(row_id)
            assert after["image_url"] == f"{PUBLIC_URL}/{key}"
            changed = {name for name in columns if after[name] != before[row_id][name]}
            assert changed == WRITTEN_BY_THE_SWITCH & columns
            assert after.get("updated_at", NOW_MS) == NOW_MS
        assert site.state("external") == (ItemState.EXTERNAL, None)
        assert site.state("broken") == (ItemState.QUARANTINED, Reason.TRUNCATED_IMAGE)
        assert {row_id: app.as_stored()[row_id] for row_id in ("external", "broken")} == {
            row_id: stored[row_id] for row_id in ("external", "broken")
        }
        assert site.table.shape.columns == tuple(SHAPES[shape])
        assert site.plan().planned == site.plan().planned_again == 0


def test_a_column_nobody_knows_is_named_and_never_touched(tmp_path, app):
    app.sql("ALTER TABLE images ADD COLUMN rating BLOB DEFAULT x'00ff'")
    app.sql("INSERT INTO images (id, persona_id, image_url, prompt, created_at) VALUES ('a', 'gen-z', ?, '', 1)",
            (data_url_of(make_png(1)),))  # fmt: skip
    with closing(Site(tmp_path, app)) as site:
        site.migrate()
        assert site.state("a") == (ItemState.PUBLISHED, None)
        assert site.table.shape.unknown_columns == ("rating",)
        assert app.row("a")["rating"] == b"\x00\xff"


@pytest.mark.parametrize(("created_at", "updated_at"), [
    (1_756_878_485, NOW_MS // 1000),
    (1_762_000_123_456, NOW_MS),
    ("1756878485", NOW_MS // 1000),
    ("created_at", NOW_MS),
])  # fmt: skip
def test_updated_at_is_in_the_rows_own_unit_and_migrated_at_in_seconds(site, app, created_at, updated_at):
    app.add("a", image_url=data_url_of(make_png(1)), created_at=created_at, updated_at=5)
    site.migrate()
    assert (app.row("a")["updated_at"], app.row("a")["migrated_at"]) == (updated_at, NOW_MS // 1000)
