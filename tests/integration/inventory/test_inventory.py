"""The bucket matched with ledger and table, and the numbers that come of it."""

from contextlib import closing

import pytest

from tests.support.images import base64_of, data_url_of, make_png
from tests.support.sites import PUBLIC_URL, Site
from tests.support.tables import AppTable
from z_interact_assets.core.errors import StorageUnavailableError
from z_interact_assets.inventory import inventory as inventory_module
from z_interact_assets.inventory import take_inventory


@pytest.fixture
def site(tmp_path):
    app = AppTable(tmp_path / "local.db")
    with closing(Site(tmp_path, app)) as made:
        yield made


@pytest.fixture
def migrated(site) -> Site:
    for n in range(6):
        site.app.add(f"{n}", image_url=data_url_of(make_png(n)), persona_id=f"p{n}")
    site.app.add("both", image_data=base64_of(make_png(7)), image_url=data_url_of(make_png(8)))
    site.migrate()
    return site


def inventory(site: Site):
    return take_inventory(site.store, site.table, site.ledger, site.bases)


def test_what_a_migration_made_is_known(migrated):
    found = inventory(migrated)
    assert (found.objects, found.known, found.orphans, found.missing) == (8, 8, [], [])
    assert found.bytes == sum(entry.size for entry in migrated.memory.list())


def test_orphans_and_missing_objects_are_named_wherever_they_sort(migrated):
    keys = migrated.memory.keys()
    strange = ["images/0-first.png", f"{keys[3]}x.png", "images/zzz/9-last.png"]
    for key in strange:
        migrated.memory.upload(key, make_png(9))
    gone = [keys[0], keys[4], keys[-1]]
    migrated.memory.delete_many(gone)
    found = inventory(migrated)
    assert (sorted(found.orphans), sorted(found.missing)) == (sorted(strange), sorted(gone))
    assert (found.objects, found.known, found.orphan_count, found.counts().missing) == (8, 5, 3, 3)


def test_an_object_only_a_row_knows_is_no_orphan(migrated):
    migrated.memory.upload("images/gen-z/1-old.png", make_png(9))
    migrated.app.add("old", image_url=f"{PUBLIC_URL}/images/gen-z/1-old.png?v=2")
    assert inventory(migrated).orphans == []


def test_after_a_lost_ledger_rows_still_answer_for_their_objects(tmp_path, migrated):
    """But for the second image of a row, of which only the ledger knew."""
    (tmp_path / "new").mkdir()
    other = [found.key for each in migrated.ledger.ask.alternates(range(1, 9)).values() for found in each]
    with closing(Site(tmp_path / "new", migrated.app, migrated.memory)) as again:
        assert inventory(again).orphans == other
        again.migrate()
        assert inventory(again).orphans == other
        assert len(other) == 1
        assert [found.key for found in again.ledger.ask.recorded_objects()] == [
            found.key for found in migrated.ledger.ask.recorded_objects() if found.key not in other
        ]


def test_objects_outside_images_are_not_ours_to_count(migrated):
    migrated.memory.upload("backups/a.png", make_png(1))
    assert inventory(migrated).objects == 8


def test_key_lists_are_bounded_and_counts_are_whole(site, monkeypatch):
    monkeypatch.setattr(inventory_module, "MAX_LISTED_KEYS", 3)
    for n in range(5):
        site.memory.upload(f"images/p/1-{n}.png", make_png(n))
    found = inventory(site)
    assert (len(found.orphans), found.orphan_count) == (3, 5)


def test_a_page_that_cannot_be_listed_is_an_error_not_an_empty_bucket(migrated, monkeypatch):
    entries = list(migrated.memory.list())

    def broken(_: str, **__: object):
        yield from entries[:2]
        raise StorageUnavailableError("R2 did not answer.")

    monkeypatch.setattr(migrated.memory, "list", broken)
    with pytest.raises(StorageUnavailableError):
        inventory(migrated)


def test_an_empty_bucket_and_ledger_are_an_empty_inventory(site):
    found = inventory(site).counts()
    assert (found.objects, found.bytes, found.known, found.orphans, found.missing) == (0, 0, 0, 0, 0)
