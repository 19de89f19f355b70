"""The verdict on a real table and bucket: safe once all was migrated, reclaimed and proved, and only then."""

from random import Random

import pytest

from tests.support.images import base64_of, data_url_of, make_png
from tests.support.sites import NOW_MS, Site
from z_interact_assets.core.planning import Rules
from z_interact_assets.reverse.reclaim import DAY_MS
from z_interact_assets.storage.public import PublicReader
from z_interact_assets.verdict import Verdict, Witnesses, gather, judge

AFTER_MS = NOW_MS + 9 * DAY_MS


def verdict_of(site: Site, *, at: int = AFTER_MS) -> Verdict:
    with PublicReader(retries=0) as public:
        witnesses = Witnesses(
            table=site.table, ledger=site.ledger, store=site.store, public=public, rules=Rules(site.bases),
            clock_ms=lambda: at, random=Random(1), cache_control="public, max-age=31536000",
        )  # fmt: skip
        return judge(gather(witnesses))


def false(site: Site, **options) -> set[str]:
    return {condition.name for condition in verdict_of(site, **options).conditions if not condition.holds}


@pytest.fixture
def reclaimed(r2_site, app) -> Site:
    for shade in range(3):
        app.add(f"data-{shade}", image_data=base64_of(make_png(shade)))
    app.add("url", image_url=data_url_of(make_png(9)))
    app.add("elsewhere", image_url="https://example.net/a.png")
    r2_site.migrate()
    assert r2_site.reclaim()["reclaimed"] == 3
    return r2_site


def test_it_is_safe_once_all_is_reclaimed_and_proved(reclaimed):
    # The data: URL's object was proved at its migration; a week later every proof has to be fresh.
    assert false(reclaimed) == {"every_byte_is_proved"}
    reclaimed.ledger.work.record_proofs([reclaimed.key("url")], proof="sha256", now_ms=AFTER_MS - 1)
    assert verdict_of(reclaimed).is_safe
    assert verdict_of(reclaimed).to_json()["safe_to_drop_base64"] is True


def test_it_is_not_safe_before_the_migration_nor_before_the_reclaim(r2_site, app):
    app.add("a", image_data=base64_of(make_png(1)))
    assert false(r2_site) >= {"no_row_holds_base64", "no_image_waits"}
    r2_site.migrate()
    assert false(r2_site, at=NOW_MS) == {"no_row_holds_base64", "every_byte_is_proved"}


def new_row(site: Site) -> None:
    site.app.add("new", image_data=base64_of(make_png(77)))


def broken_row(site: Site) -> None:
    site.app.add("broken", image_data="****")
    site.migrate()


def row_without_id(site: Site) -> None:
    site.app.sql("INSERT INTO images (id, persona_id, image_data, prompt, created_at) VALUES (NULL, 'p', 'x', 'p', 1)")


def rolled_back_row(site: Site) -> None:
    site.rollback()


def object_gone(site: Site) -> None:
    site.store.delete(site.key("data-1"))


def undo_record_gone(site: Site) -> None:
    with site.ledger._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE items SET originals = '{}' WHERE image_id = 'data-1'")


@pytest.mark.parametrize(("spoil", "conditions"), [
    (new_row, {"no_row_holds_base64", "no_image_waits"}),
    (broken_row, {"no_row_holds_base64"}),
    (row_without_id, {"every_row_was_looked_at"}),
    (rolled_back_row, {"no_row_holds_base64"}),
    (object_gone, {"bucket_matches", "public_urls_serve_the_images"}),
    (undo_record_gone, {"every_text_can_be_rebuilt"}),
])  # fmt: skip
def test_what_is_not_fine_is_named(reclaimed, spoil, conditions):
    reclaimed.ledger.work.record_proofs([reclaimed.key("url")], proof="sha256", now_ms=AFTER_MS - 1)
    spoil(reclaimed)
    assert false(reclaimed) - {"every_byte_is_proved"} == conditions


def test_a_bucket_out_of_reach_makes_it_unknown(reclaimed, standin):
    standin.stop()
    verdict = verdict_of(reclaimed, at=NOW_MS)
    holds = {condition.name: condition.holds for condition in verdict.conditions}
    assert (holds["bucket_matches"], holds["public_urls_serve_the_images"]) == (None, None)
    assert not verdict.is_safe


def test_it_changes_nothing(reclaimed, app):
    rows, states, keys = app.as_stored(), reclaimed.ended(), [entry.key for entry in reclaimed.store.list()]
    verdict_of(reclaimed)
    assert (app.as_stored(), reclaimed.ended(), [entry.key for entry in reclaimed.store.list()]) == (rows, states, keys)
