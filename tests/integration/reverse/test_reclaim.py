"""Base64 is cleared only after its soak, only in rows as we left them, once everything it hangs on is proved."""

import threading

import pytest

from tests.support.images import base64_of, data_url_of, make_png, with_comment
from tests.support.sites import NOW_MS, Site
from tests.support.tables import AppTable
from z_interact_assets.core.errors import ReclaimRefusedError, StorageUnavailableError, TableUnusableError
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.reasons import Reason
from z_interact_assets.inventory import Inventory
from z_interact_assets.reverse import Chosen, Reclaim
from z_interact_assets.reverse.reclaim import DAY_MS
from z_interact_assets.storage.public import PublicReader


@pytest.fixture
def three(r2_site: Site, app: AppTable) -> Site:
    """Three images in three batches, migrated; their base64 is still there."""
    for shade, name in enumerate(("a", "b", "c")):
        app.add(name, image_data=base64_of(make_png(shade)), persona_id=name)
    r2_site.batch_size = 1
    r2_site.migrate()
    return r2_site


def cleared(app: AppTable) -> str:
    return "".join(name for name, row in sorted(app.rows().items()) if row["image_data"] is None)


def reasons(report) -> dict[str, str]:
    return {error["image_id"]: error["reason"] for error in report["errors"]}


def test_what_is_due_is_cleared_and_nothing_else_of_the_row_changes(three, app):
    before = app.rows()
    report = three.reclaim()
    texts = sum(len(row["image_data"]) for row in before.values())
    assert (report["total"], report["reclaimed"], report["not_due"], report["failed"]) == (3, 3, 0, 0)
    assert report["bytes_reclaimed"] == texts
    assert app.rows() == {name: {**row, "image_data": None} for name, row in before.items()}
    assert {state for state, _ in three.ended().values()} == {ItemState.RECLAIMED}
    assert three.plan().planned_again == 0


@pytest.mark.parametrize(("days", "after_days", "due"), [
    (6.99, 7, False), (7, 7, True), (0, 0, True), (0.4, 0.5, False), (0.5, 0.5, True),
])  # fmt: skip
def test_the_soak_counts_from_the_switch(three, app, days, after_days, due):
    report = three.reclaim(days=days, after_days=after_days)
    assert (report["reclaimed"], report["not_due"]) == ((3, 0) if due else (0, 3))
    assert cleared(app) == ("abc" if due else "")


def test_only_the_named_batches_are_reclaimed(three, app):
    assert three.reclaim(("b000002",))["total"] == 1
    assert cleared(app) == "b"


def test_a_dry_run_foretells_and_changes_nothing(three, app):
    rows, events = app.as_stored(), three.events("a")
    foretold = three.reclaim(dry_run=True)
    assert (app.as_stored(), three.events("a")) == (rows, events)
    assert foretold == {**three.reclaim(), "dry_run": True}


def test_rows_without_base64_have_nothing_to_reclaim(r2_site, app):
    app.add("url", image_url=data_url_of(make_png(1)))
    app.add("own name", image_url=data_url_of(make_png(2)), image_data="image_data")
    r2_site.migrate()
    assert r2_site.reclaim()["total"] == 0
    assert app.row("own name")["image_data"] == "image_data"


EDITS = {
    "another image of the same length": {"image_data": base64_of(make_png(99))},
    "another url": {"image_url": "https://example.net/x.png"},
    "no url": {"image_url": None},
    "a data url": {"image_url": data_url_of(make_png(98))},
    "one character of the text": {"image_data": base64_of(make_png(1)).replace("A", "B", 1)},
    "a line break behind the text": {"image_data": base64_of(make_png(1)) + "\n"},
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_row_that_is_not_as_we_left_it_keeps_its_text(three, app, edit):
    app.set("b", **EDITS[edit])
    row = app.row("b")
    report = three.reclaim()
    assert (report["reclaimed"], reasons(report)) == (2, {"b": "row_changed"})
    assert app.row("b") == row
    assert three.state("b")[0] is (ItemState.PUBLISHED if "image_url" in EDITS[edit] else ItemState.CONFLICT)
    assert "reclaim_refused" in three.events("b")


def test_another_image_beside_our_url_is_a_conflict_and_migrated_next(three, app):
    """The app replaced it by one of the same length: no plan had noticed."""
    app.set("b", image_data=base64_of(make_png(99)))
    assert three.plan().planned_again == 0
    three.reclaim()
    assert three.state("b") == (ItemState.CONFLICT, Reason.ROW_CHANGED)
    assert three.plan().planned_again == 1
    three.migrate()
    assert three.store.download(three.key("b")) == make_png(99)
    assert app.row("b")["image_url"] == three.store.public_url(three.key("b"))
    assert three.rollback(Chosen(image_ids=("b",)))["rolled_back"] == 1
    assert app.row("b")["image_data"] == base64_of(make_png(99))


def spoilt_object(three: Site, _: AppTable) -> None:
    three.store.upload(three.key("b"), make_png(55), overwrite=True)


def object_of_another_size(three: Site, _: AppTable) -> None:
    three.store.upload(three.key("b"), make_png(55) + b"more", overwrite=True)


def object_gone(three: Site, _: AppTable) -> None:
    three.store.delete(three.key("b"))


def undo_record_lost(three: Site, _: AppTable) -> None:
    with three.ledger._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE items SET originals = '{}' WHERE image_id = 'b'")


def undo_record_of_another_form(three: Site, _: AppTable) -> None:
    with three.ledger._engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE items SET originals = json_set(originals, '$.image_data.form', json('{\"suffix\":\"x\"}')) "
            "WHERE image_id = 'b'"
        )


def url_on_nobodys_base(three: Site, app: AppTable) -> None:
    app.set("b", image_url=f"https://pub-0123456789abcdef.r2.dev/{three.key('b')}")


def object_named_by_another_row(three: Site, app: AppTable) -> None:
    app.add("copy", image_url=app.row("b")["image_url"])


@pytest.mark.parametrize(("spoil", "reason"), [
    (spoilt_object, "object_differs"),
    (object_of_another_size, "object_differs"),
    (object_gone, "object_missing"),
    (undo_record_lost, "undo_record_unfit"),
    (undo_record_of_another_form, "undo_record_unfit"),
    (url_on_nobodys_base, "url_not_public"),
    (object_named_by_another_row, "object_shared"),
])  # fmt: skip
def test_what_cannot_be_proved_keeps_its_text(three, app, spoil, reason):
    spoil(three, app)
    report = three.reclaim()
    assert (report["reclaimed"], reasons(report)) == (2, {"b": reason})
    assert app.row("b")["image_data"] == base64_of(make_png(1))


def test_both_images_of_a_row_are_proved(r2_site, app):
    app.add("two", image_data=base64_of(make_png(1)), image_url=data_url_of(make_png(2)))
    r2_site.migrate()
    (other,) = r2_site.ledger.ask.alternates([r2_site.item("two").item_id]).popitem()[1]
    r2_site.store.delete(other.key)
    assert reasons(r2_site.reclaim()) == {"two": "object_missing"}
    assert app.row("two")["image_data"] is not None


def test_a_second_image_the_row_no_longer_had_is_not_asked_for(r2_site, app):
    """The row had two images, the app put one new one in their place: only that one's object is needed."""
    app.add("a", image_data=base64_of(make_png(1)), image_url=data_url_of(make_png(2)))
    r2_site.migrate()
    (former,) = r2_site.ledger.ask.alternates([r2_site.item("a").item_id]).popitem()[1]
    new = base64_of(with_comment(make_png(3), b"longer"))
    app.set("a", image_data=new, image_url=None)
    r2_site.migrate()
    assert r2_site.rollback(delete_objects=True, dry_run=True)["objects_deleted"] == 1
    r2_site.store.delete(former.key)  # an operator cleared the orphans
    assert r2_site.reclaim()["reclaimed"] == 1
    assert r2_site.rollback(delete_objects=True)["objects_deleted"] == 1
    assert app.row("a")["image_data"] == new


class EditedAfterProof:
    """A bucket that lets the app write once an object was read."""

    def __init__(self, store, edit) -> None:
        self._store = store
        self._edit = edit

    def __getattr__(self, name):
        return getattr(self._store, name)

    def read(self, key: str, *, size: int | None = None):
        answer = self._store.read(key, size=size)
        if "/b/" in key:
            self._edit()
        return answer


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_between_proof_and_clearing_is_not_lost(three, app, edit):
    three.store = EditedAfterProof(three.store, lambda: app.set("b", **EDITS[edit]))
    report = three.reclaim()
    assert (report["reclaimed"], reasons(report)) == (2, {"b": "row_changed"})
    assert {column: app.row("b")[column] for column in EDITS[edit]} == EDITS[edit]


def test_a_row_the_app_deletes_is_nothing_to_reclaim(three, app):
    three.store = EditedAfterProof(three.store, lambda: app.delete("b"))
    app.delete("a")
    report = three.reclaim()
    assert (report["reclaimed"], report["skipped"], report["failed"]) == (1, 2, 0)
    assert cleared(app) == "c"


def test_the_proof_is_in_the_ledger_before_the_text_is_gone(three, app, monkeypatch):
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(three.table, "apply", killed)
    with pytest.raises(KeyboardInterrupt):
        three.reclaim()
    assert cleared(app) == ""
    assert {three.item(name).proof for name in "abc"} == {"sha256"}


def test_a_clearing_the_ledger_was_not_told_of_is_proved_and_recorded(three, app):
    app.set("b", image_data=None)
    three.store.delete(three.key("a"))
    report = three.reclaim()
    assert (report["reclaimed"], reasons(report)) == (2, {"a": "object_missing"})
    assert three.state("b")[0] is ItemState.RECLAIMED
    assert report["bytes_reclaimed"] == len(base64_of(make_png(1))) + len(base64_of(make_png(2)))


def test_a_second_reclaim_has_nothing_to_do_and_asks_for_no_object(three, standin):
    three.reclaim()
    asked = dict(standin.requests)
    assert three.reclaim()["total"] == 0
    assert standin.requests["GET", "object"] == asked["GET", "object"]


def test_a_public_base_that_does_not_serve_the_images_refuses_all_of_it(three, app, standin):
    class Elsewhere(PublicReader):
        def get(self, url, **options):
            return super().get(f"{standin.public_url}/images/none.png", **options)

    with Elsewhere(retries=0) as public:
        reclaim = Reclaim(soaked(three), three.store, three.bases, public, after_days=7)
        with pytest.raises(ReclaimRefusedError, match="does not serve its bytes"):
            list(reclaim.run(three.inventory()))
    assert cleared(app) == ""
    assert {state for state, _ in three.ended().values()} == {ItemState.PUBLISHED}


def test_a_public_base_out_of_reach_refuses_all_of_it(three, app):
    class Silent(PublicReader):
        def get(self, url, **options):
            return super().get(url.replace(url.split("/")[2], "127.0.0.1:9"), **options)

    with Silent(retries=0) as public:
        reclaim = Reclaim(soaked(three), three.store, three.bases, public, after_days=7)
        with pytest.raises(StorageUnavailableError, match="Nothing is cleared"):
            list(reclaim.run(three.inventory()))
    assert cleared(app) == ""


def test_more_shared_objects_than_can_be_told_apart_refuse_all_of_it(three, app):
    with PublicReader() as public:
        reclaim = Reclaim(soaked(three), three.store, three.bases, public, after_days=7)
        with pytest.raises(ReclaimRefusedError, match="1,001 objects"):
            list(reclaim.run(Inventory(shared=["x"] * 1_000, shared_count=1_001)))
    assert cleared(app) == ""


def test_a_read_only_table_is_named(three, app):
    app.path.chmod(0o400)
    three.table._writer = None
    with pytest.raises(TableUnusableError):
        three.reclaim()


def test_a_former_public_base_will_do(three, app, standin):
    """R2_PUBLIC_URL moved: what the rows say is still read, and proved to be."""
    three.bases = type(three.bases)("https://new.example.com", former_public_urls=(standin.public_url,))
    assert three.reclaim()["reclaimed"] == 3


def test_a_row_that_pointed_at_its_object_before_us_is_reclaimed_too(r2_site, app):
    url = r2_site.store.upload("images/old/1-a.png", make_png(1)).url
    app.add("a", image_url=url, image_data=base64_of(make_png(1)))
    before = app.row("a")
    r2_site.migrate()
    assert r2_site.reclaim()["reclaimed"] == 1
    assert (app.row("a")["image_url"], app.row("a")["image_data"]) == (url, None)
    assert r2_site.rollback()["rolled_back"] == 1
    assert app.row("a") == before


def test_the_audit_trail_tells_the_proof(three):
    three.reclaim()
    *_, last = three.ledger.ask.history("a")
    item = three.item("a")
    assert (last["event"], last["run_id"], last["at"]) == ("reclaimed", "undo", NOW_MS + 8 * DAY_MS)
    facts = last["facts"]
    assert (facts["sha256"], facts["key"], facts["bytes"]) == (
        item.sha256, item.object_key, len(base64_of(make_png(0))),
    )  # fmt: skip


def soaked(site: Site):
    return site.means(clock_ms=lambda: NOW_MS + 8 * DAY_MS)


class SlowFor:
    """A bucket that answers for one image only once another one was asked for."""

    def __init__(self, store, slow: str, until: str) -> None:
        self._store = store
        self._slow, self._until = f"/{slow}/", f"/{until}/"
        self._asked = threading.Event()
        self.in_time = False

    def __getattr__(self, name):
        return getattr(self._store, name)

    def read(self, key: str, *, size: int | None = None):
        if self._until in key:
            self._asked.set()
        if self._slow in key:
            self.in_time = self._asked.wait(10)
        return self._store.read(key, size=size)


def test_no_batch_waits_for_another_to_end(r2_site, app):
    """A run claims sixteen batches at a time; it goes on to the next ones while one of these takes long."""
    for number in range(24):
        app.add(f"{number:02}", image_data=base64_of(make_png(number)), persona_id=f"{number:02}")
    r2_site.batch_size = 1
    r2_site.migrate()
    r2_site.store = SlowFor(r2_site.store, slow="00", until="20")
    assert r2_site.reclaim()["reclaimed"] == 24
    assert r2_site.store.in_time
