"""The bucket is matched while a run and the app are at work: only what is still wrong at the end is told."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing

import pytest

from tests.support.images import base64_of, make_png
from tests.support.sites import PUBLIC_URL, Site
from tests.support.tables import AppTable
from z_interact_assets.core.models import ImageMetadata, ObjectSummary, StoredObject
from z_interact_assets.inventory import Inventory, take_inventory
from z_interact_assets.storage.objects import MemoryStore

NEW = make_png(99)


class Moments:
    """A store that lets things happen at the moments of an inventory: when the table was read, when all was listed."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.before_listing: Callable[[], object] = lambda: None
        self.after_listing: Callable[[], object] = lambda: None
        self.before_look: Callable[[str], object] = lambda _: None
        self.looks: list[str] = []

    def head(self, key: str) -> StoredObject | None:
        self.before_look(key)
        self.looks.append(key)
        return self._store.head(key)

    def download(self, key: str) -> bytes:
        raise AssertionError("an inventory reads no object")

    def read(self, key: str, *, size: int | None = None) -> tuple[StoredObject, bytes | None]:
        raise AssertionError("an inventory reads no object")

    def list(self, prefix: str = "", *, cuts: Iterable[str] = ()) -> Iterator[ObjectSummary]:
        self.before_listing()
        yield from self._store.list(prefix)
        self.after_listing()


@pytest.fixture
def site(tmp_path) -> Iterator[Site]:
    with closing(Site(tmp_path, AppTable(tmp_path / "local.db"))) as made:
        for n in range(4):
            made.app.add(f"{n}", image_data=base64_of(make_png(n)), persona_id=f"p{n}")
        made.app.add("old", image_url=f"{PUBLIC_URL}/images/old/1-a.png")
        made.memory.upload("images/old/1-a.png", make_png(50))
        made.migrate()
        yield made


@pytest.fixture
def moments(site: Site) -> Moments:
    return Moments(site.memory)


def inventory(site: Site, moments: Moments) -> Inventory:
    return take_inventory(moments, site.table, site.ledger, site.bases)


def assert_clean(found: Inventory) -> None:
    assert (found.orphans, found.shared, found.problems, found.edited_count) == ([], [], [], 0)


def add_and_migrate(site: Site) -> None:
    site.app.add("new", image_data=base64_of(NEW), persona_id="p-new")
    site.migrate()


@pytest.mark.parametrize("moment", ["before_listing", "after_listing"])
def test_a_migration_beside_it_makes_no_orphan_and_nothing_missing(site, moments, moment):
    setattr(moments, moment, lambda: add_and_migrate(site))
    assert_clean(inventory(site, moments))


@pytest.mark.parametrize("moment", ["before_listing", "after_listing"])
@pytest.mark.parametrize("delete_objects", [False, True])
def test_a_rollback_beside_it_makes_nothing_missing_or_misdirected(site, moments, moment, delete_objects):
    setattr(moments, moment, lambda: site.rollback(delete_objects=delete_objects))
    assert_clean(inventory(site, moments))


@pytest.mark.parametrize("moment", ["before_listing", "after_listing"])
def test_a_row_the_app_deletes_with_its_object_is_missed_by_nobody(site, moments, moment):
    def delete() -> None:
        site.memory.delete(site.key("2"))
        site.app.delete("2")

    setattr(moments, moment, delete)
    assert_clean(inventory(site, moments))


@pytest.mark.parametrize("moment", ["before_listing", "after_listing"])
def test_a_row_the_app_deletes_without_its_object_leaves_an_orphan(site, moments, moment):
    """Seen by this inventory if the row was gone in time, by the next one in any case."""
    setattr(moments, moment, lambda: site.app.delete("2"))
    inventory(site, moments)
    assert inventory(site, Moments(site.memory)).orphans == [site.key("2")]


def test_an_object_that_vanishes_and_comes_back_while_it_is_listed_is_not_missing(site, moments):
    data, key = site.memory.download(site.key("1")), site.key("1")
    moments.before_listing = lambda: site.memory.delete(key)
    moments.after_listing = lambda: site.memory.upload(key, data)
    assert_clean(inventory(site, moments))
    assert moments.looks == [key]


def test_an_object_that_goes_just_before_the_second_look_is_missing(site, moments):
    key = site.key("1")
    moments.before_listing = lambda: site.memory.upload(key, NEW, overwrite=True)
    moments.before_look = site.memory.delete
    found = inventory(site, moments)
    assert (found.missing, found.corrupted) == ([key], [])


def test_a_row_the_app_puts_back_in_time_is_not_misdirected(site, moments):
    url = site.app.row("3")["image_url"]
    site.app.set("3", image_url="https://elsewhere.example/a.png")
    moments.after_listing = lambda: site.app.set("3", image_url=url)
    assert_clean(inventory(site, moments))


def test_a_row_the_app_edits_is_told_as_its_edit(site, moments):
    site.app.set("3", image_data=base64_of(NEW), image_url=None)
    found = inventory(site, moments)
    assert (found.misdirected, found.edited_count) == (["3"], 1)
    site.migrate()
    found = inventory(site, moments)
    assert (found.misdirected, found.edited_count, found.missing) == ([], 0, [])


def test_the_object_of_a_rows_former_image_is_an_orphan_once_the_row_has_another(site, moments):
    former = site.key("3")
    site.app.set("3", image_data=base64_of(NEW), image_url=None)
    site.migrate()
    assert site.key("3") != former
    assert inventory(site, moments).orphans == [former]


def test_two_rows_that_name_one_object_share_it_until_one_does_not(site, moments):
    site.app.add("copy", image_url=f"{PUBLIC_URL}/{site.key('0')}")
    assert inventory(site, moments).shared == [site.key("0")]
    moments.after_listing = lambda: site.app.delete("copy")
    assert_clean(inventory(site, moments))


def test_two_rows_that_name_an_object_nobody_recorded_share_it(site, moments):
    key = "images/zzz/1-foreign.png"
    site.memory.upload(key, NEW)
    for name in ("x", "y"):
        site.app.add(name, image_url=f"{PUBLIC_URL}/{key}?v={name}")
    found = inventory(site, moments)
    assert (found.shared, found.orphans, found.problems) == ([key], [], [])
    site.memory.delete(key)
    assert inventory(site, moments).missing == [key]


class KilledError(Exception):
    """The run's end."""


def kill_before_recording(site: Site, monkeypatch: pytest.MonkeyPatch) -> str:
    """Store row `new`'s object and go no further; its key."""

    def killed(*_: object, **__: object) -> None:
        raise KilledError

    site.app.add("new", image_data=base64_of(NEW), persona_id="p-new")
    with monkeypatch.context() as patch:
        patch.setattr(type(site.ledger.work), "record_stored", killed)
        with pytest.raises(KilledError):
            site.migrate()
    (key,) = set(site.memory.keys()) - {found.key for found in site.ledger.ask.recorded_objects()}
    return key


def test_an_object_that_was_stored_and_not_recorded_is_no_orphan_while_its_row_waits(site, moments, monkeypatch):
    key = kill_before_recording(site, monkeypatch)
    assert_clean(inventory(site, moments))
    site.app.delete("new")
    assert inventory(site, moments).orphans == [key]


def test_a_stored_object_is_an_orphan_once_its_row_was_done_with_other_bytes(site, moments, monkeypatch):
    key = kill_before_recording(site, monkeypatch)
    site.app.set("new", image_data=base64_of(make_png(98)))
    site.migrate()
    assert inventory(site, moments).orphans == [key]


def test_an_object_that_only_claims_to_be_a_waiting_rows_is_an_orphan(site, moments):
    site.app.add("new", image_data=base64_of(NEW), persona_id="p-new")
    site.plan()
    key = "images/p-new/1-whatever.png"
    site.memory.upload(key, NEW, metadata=ImageMetadata(original_id="new"))
    assert inventory(site, moments).orphans == [key]


def test_an_orphan_that_is_deleted_meanwhile_is_not_told(site, moments):
    site.memory.upload("images/p/1-x.png", NEW)
    moments.after_listing = lambda: site.memory.delete("images/p/1-x.png")
    assert_clean(inventory(site, moments))


@pytest.mark.parametrize("state", ["published", "already_in_r2"])
def test_an_object_of_other_bytes_is_corrupted_and_looked_at_once(site, moments, state):
    key = site.key("1" if state == "published" else "old")
    site.memory.upload(key, NEW, overwrite=True)
    assert inventory(site, moments).corrupted == [key]
    assert moments.looks == [key]


def test_rows_on_a_former_public_base_are_not_misdirected_and_hold_their_objects(site, moments):
    bases = type(site.bases)("https://new.example.com", former_public_urls=(PUBLIC_URL,), bucket=site.bases.bucket)
    assert_clean(take_inventory(moments, site.table, site.ledger, bases))
    strangers = type(site.bases)("https://new.example.com", bucket=site.bases.bucket)
    found = take_inventory(moments, site.table, site.ledger, strangers)
    assert sorted(found.misdirected) == ["0", "1", "2", "3", "old"]
