"""The app writes before, during and after: none of its edits is lost, and the ledger hears of what was put back."""

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tests.integration.backup.shelf import add_images, backup, counts, ledger_contents, reasons, reclaim, restore
from tests.support.images import base64_of, make_png
from tests.support.sites import Site
from tests.support.tables import AppTable
from z_interact_assets.backup import Restore
from z_interact_assets.core.errors import TableUnavailableError
from z_interact_assets.core.models import ItemState
from z_interact_assets.execution.groups import SWITCH_ROWS
from z_interact_assets.migrate.scope import Scope
from z_interact_assets.storage.ledger.archive import Archive
from z_interact_assets.storage.ledger.undo import UndoBook
from z_interact_assets.storage.ledger.work import WorkLog
from z_interact_assets.storage.legacy import LegacyTable

pytestmark = pytest.mark.slow

OTHER = base64_of(make_png(70_000))

# What the app does to a row after the backup and the migration; each must survive.
EDITS: dict[str, dict[str, Any]] = {
    "another image": {"image_data": OTHER, "image_url": None},
    "another image beside our URL": {"image_data": OTHER},
    "another URL": {"image_url": "https://app.example.com/new.png"},
    "our URL with a query": {"image_url": "?"},
    "another prompt": {"prompt": "a better prompt"},
    "another status": {"status": "locked"},
    "another participant": {"participant_id": "somebody"},
    "another key": {"r2_key": "images/gen-z/other.png"},
    "another migration status": {"migration_status": "failed"},
    "a NULL": {"persona_title": None},
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_of_the_app_is_never_written_over_unless_told(site: Site, shelf: Path, name: str):
    add_images(site, 4)
    before = site.app.as_stored()
    backup(site, shelf)
    site.migrate()
    edit = EDITS[name]
    if edit.get("image_url") == "?":
        edit = {"image_url": site.app.row("image-001")["image_url"] + "?v=2"}
    site.app.set("image-001", **edit)
    edited = site.app.as_stored()["image-001"]
    report = restore(site, shelf)
    assert (counts(report), reasons(report)) == ({"restored": 3, "changed": 1}, {"image-001": "row_changed"})
    assert site.app.as_stored()["image-001"] == edited
    assert counts(restore(site, shelf, overwrite=True)) == {"restored": 1, "unchanged": 3}
    assert site.app.as_stored() == before


def test_an_image_the_app_wrote_before_its_migration_is_not_undone(site: Site, shelf: Path):
    """The row points at its object as the ledger says, but it is not the backup's image that is in there."""
    add_images(site, 3)
    backup(site, shelf)
    site.app.set("image-001", image_data=OTHER)
    site.migrate()
    before = site.app.as_stored()["image-001"]
    report = restore(site, shelf)
    assert (counts(report), reasons(report)) == ({"restored": 2, "changed": 1}, {"image-001": "row_changed"})
    assert site.app.as_stored()["image-001"] == before
    assert site.state("image-001") == (ItemState.PUBLISHED, None)


def test_a_text_the_backup_does_not_have_is_not_taken_away(site: Site, shelf: Path):
    """The backup was made after a reclaim; then the image was rolled back and migrated anew, its base64 kept."""
    add_images(site, 2)
    site.migrate()
    kept = site.app.rows()
    reclaim(site)
    backup(site, shelf)
    site.app.set("image-000", image_data=kept["image-000"]["image_data"])
    assert counts(restore(site, shelf)) == {"changed": 1, "unchanged": 1}
    assert site.app.row("image-000") == kept["image-000"]


def test_the_ledger_hears_of_rows_that_were_put_back(site: Site, shelf: Path):
    add_images(site, 3)
    backup(site, shelf)
    site.migrate()
    reclaim(site)
    restore(site, shelf)
    assert {state for state, _ in site.ended().values()} == {ItemState.ROLLED_BACK}
    told = site.ledger.ask.history("image-000")[-1]
    assert (told["event"], told["run_id"]) == ("restored", "restoring")
    assert (told["facts"]["was"], told["facts"]["state"]) == ("reclaimed", "rolled_back")
    assert len(told["facts"]["backup"]) == 64
    assert site.plan().planned_again == 0


def test_restored_rows_can_be_migrated_again(site: Site, shelf: Path):
    ids = add_images(site, 6)
    backup(site, shelf)
    site.migrate()
    objects = site.memory.keys()
    restore(site, shelf)
    scope = Scope(image_ids=tuple(ids))
    site.planner().try_again(scope)
    migrated = {row_id: row["image_url"] for row_id, row in site.app.rows().items()}
    assert not any(str(url).startswith("https://img") for url in migrated.values())
    site.migrate(scope)
    assert {state for state, _ in site.ended().values()} == {ItemState.PUBLISHED}
    assert site.memory.keys() == objects
    assert all(str(row["image_url"]).startswith("https://img") for row in site.app.rows().values())


def test_base64_that_was_reclaimed_after_the_backup_comes_back_beside_the_url(site: Site, shelf: Path):
    """The row goes on pointing at its object; the ledger hears that its text is there again, to be reclaimed anew."""
    add_images(site, 2)
    site.migrate()
    before = site.app.as_stored()
    backup(site, shelf)
    reclaim(site)
    assert counts(restore(site, shelf)) == {"restored": 2}
    assert site.app.as_stored() == before
    assert {state for state, _ in site.ended().values()} == {ItemState.PUBLISHED}
    assert site.report()["planned"] == 0


def test_a_row_the_ledger_does_not_know_is_restored_without_it(site: Site, shelf: Path):
    add_images(site, 2)
    backup(site, shelf)
    site.app.delete("image-000")
    assert counts(restore(site, shelf)) == {"inserted": 1, "unchanged": 1}
    assert site.ended() == {}


def test_a_deleted_row_of_a_migrated_image_comes_back_as_one_to_be_migrated(site: Site, shelf: Path):
    add_images(site, 2)
    backup(site, shelf)
    site.migrate()
    site.app.sql("DELETE FROM images")
    assert counts(restore(site, shelf)) == {"inserted": 2}
    assert {state for state, _ in site.ended().values()} == {ItemState.ROLLED_BACK}


def test_chosen_rows_alone_are_restored(site: Site, shelf: Path):
    add_images(site, 30)
    backup(site, shelf)
    site.migrate()
    migrated = site.app.as_stored()
    report = restore(site, shelf, image_ids=("image-007", "image-021", "nobody"))
    assert counts(report) == {"restored": 2, "failed": 1}
    assert reasons(report) == {"nobody": "not_in_backup"}
    now = site.app.as_stored()
    assert {row_id for row_id in now if now[row_id] != migrated[row_id]} == {"image-007", "image-021"}
    assert site.state("image-006") == (ItemState.PUBLISHED, None)


def test_a_row_the_database_refuses_does_not_keep_others_from_coming_back(site: Site, shelf: Path):
    add_images(site, 5)
    site.app.set("image-002", persona_title=None)
    backup(site, shelf)
    site.app.sql("DELETE FROM images")
    site.app.sql(
        "CREATE TRIGGER strict BEFORE INSERT ON images WHEN NEW.persona_title IS NULL "
        "BEGIN SELECT RAISE(ABORT, 'no title'); END"
    )
    report = restore(site, shelf)
    assert (counts(report), reasons(report)) == ({"inserted": 4, "failed": 1}, {"image-002": "row_refused"})
    assert "no title" in report.errors[0].message


def test_a_row_whose_unique_value_another_has_is_refused(site: Site, shelf: Path):
    add_images(site, 2)
    site.app.set("image-001", session_id="mine")
    backup(site, shelf)
    site.app.delete("image-001")
    site.app.sql("CREATE UNIQUE INDEX one ON images (session_id)")
    site.app.set("image-000", session_id="mine")
    report = restore(site, shelf)
    assert reasons(report) == {"image-000": "row_changed", "image-001": "not_unique"}


def test_a_row_that_comes_back_otherwise_than_written_is_told(site: Site, shelf: Path):
    add_images(site, 1)
    backup(site, shelf)
    site.app.sql("DELETE FROM images")
    site.app.sql("CREATE TRIGGER up AFTER INSERT ON images BEGIN UPDATE images SET prompt = 'x' WHERE id = NEW.id; END")
    report = restore(site, shelf)
    assert reasons(report) == {"image-000": "not_as_written"}


class AtWrite:
    """Lets the app write at the moment between a row's decision and its write."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, app: Callable[[], object]) -> None:
        for name in ("apply", "insert"):
            monkeypatch.setattr(LegacyTable, name, self._after(app, getattr(LegacyTable, name)))

    @staticmethod
    def _after(app: Callable[[], object], real: Callable[..., Any]) -> Callable[..., Any]:
        def write(table: LegacyTable, rows: Any) -> Any:
            if rows:
                app()
            return real(table, rows)

        return write


@pytest.mark.parametrize(
    ("edit", "row"),
    [
        (lambda app: app.set("image-000", prompt="just now"), "just now"),
        (lambda app: app.set("image-000", image_data=OTHER), OTHER),
        (lambda app: app.set("image-000", updated_at=1), 1),
    ],
    ids=["prompt", "image", "time"],
)
def test_an_edit_during_the_restore_wins(
    site: Site, shelf: Path, monkeypatch: pytest.MonkeyPatch, edit: Callable[[AppTable], object], row: object
):
    add_images(site, 2)
    backup(site, shelf)
    site.migrate()
    AtWrite(monkeypatch, lambda: edit(site.app))
    report = restore(site, shelf, overwrite=True)
    assert (counts(report), reasons(report)) == ({"restored": 1, "changed": 1}, {"image-000": "row_changed"})
    assert row in site.app.row("image-000").values()
    assert site.state("image-000") == (ItemState.PUBLISHED, None)


def test_a_delete_during_the_restore_wins(site: Site, shelf: Path, monkeypatch: pytest.MonkeyPatch):
    add_images(site, 2)
    backup(site, shelf)
    site.migrate()
    AtWrite(monkeypatch, lambda: site.app.delete("image-000"))
    assert reasons(restore(site, shelf)) == {"image-000": "row_changed"}
    assert set(site.app.rows()) == {"image-001"}


def test_an_insert_during_the_restore_wins(site: Site, shelf: Path, monkeypatch: pytest.MonkeyPatch):
    add_images(site, 2)
    backup(site, shelf)
    site.app.sql("DELETE FROM images")
    AtWrite(monkeypatch, lambda: site.app.add("image-000", prompt="new") if not site.app.rows() else None)
    report = restore(site, shelf)
    assert (counts(report), reasons(report)) == ({"inserted": 1, "changed": 1}, {"image-000": "row_changed"})
    assert site.app.row("image-000")["prompt"] == "new"


def test_the_app_inserts_edits_and_deletes_during_a_backup(site: Site, shelf: Path, monkeypatch: pytest.MonkeyPatch):
    add_images(site, 9)
    real = LegacyTable.read
    done: list[str] = []

    def read(table: LegacyTable, row_id: str) -> Any:
        if row_id == "image-004" and not done:
            done.append(row_id)
            site.app.delete("image-005")
            site.app.set("image-006", prompt="edited")
            site.app.set("image-001", prompt="too late")
            site.app.add("image-999")
        return real(table, row_id)

    monkeypatch.setattr(LegacyTable, "read", read)
    report = backup(site, shelf)
    assert report.rows == 8
    now = site.app.as_stored()
    found = restore(site, shelf)
    assert (counts(found), reasons(found)) == ({"unchanged": 7, "changed": 1}, {"image-001": "row_changed"})
    assert site.app.as_stored() == now


def test_a_migration_during_a_backup_leaves_every_text_in_it(
    site: Site, tmp_path: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch
):
    """In its row, or, where that was read after its switch, as an undo record in a ledger that was read later still."""
    ids = add_images(site, 9)
    real, done = LegacyTable.read, list[str]()

    def read(table: LegacyTable, row_id: str) -> Any:
        if row_id == "image-004" and not done:
            done.append(row_id)
            site.migrate()
            reclaim(site)
        return real(table, row_id)

    with monkeypatch.context() as patch:
        patch.setattr(LegacyTable, "read", read)
        backup(site, shelf)
    site.app.sql("DELETE FROM images")
    with closing(Site(tmp_path, site.app, site.store, ledger_url=f"sqlite:///{tmp_path}/new.db")) as later:
        assert counts(restore(later, shelf)) == {"inserted": 9}
        states = {row_id: later.item(row_id).state for row_id in ids}
        rows = later.app.rows()
    texts = [row_id for row_id in ids if rows[row_id]["image_data"] or str(rows[row_id]["image_url"])[:5] == "data:"]
    assert texts == ids[:4]
    assert {states[row_id] for row_id in texts} == {ItemState.ROLLED_BACK}
    assert {states[row_id] for row_id in ids[4:]} <= {ItemState.PUBLISHED, ItemState.RECLAIMED}


class Killed(BaseException):
    """The end of a process."""


class Effects:
    """Every effect of a restore; the chosen one kills it, before or after it happened."""

    OWNERS = (
        (LegacyTable, "apply"), (LegacyTable, "insert"), (UndoBook, "record_rolled_back"),
        (WorkLog, "record_outcomes"), (Archive, "load"),
    )  # fmt: skip

    def __init__(self, monkeypatch: pytest.MonkeyPatch, deadly: int = -1, *, after: bool = False) -> None:
        self.number = 0
        self._deadly, self._after = deadly, after
        for owner, name in self.OWNERS:
            monkeypatch.setattr(owner, name, self._counted(getattr(owner, name)))

    def _counted(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def effect(*arguments: Any, **options: Any) -> Any:
            number, self.number = self.number, self.number + 1
            if number == self._deadly and not self._after:
                raise Killed
            result = real(*arguments, **options)
            if number == self._deadly:
                raise Killed
            return result

        return effect


@pytest.mark.slow
@pytest.mark.exhaustive
def test_killed_at_any_instant_the_same_command_finishes(site: Site, shelf: Path, tmp_path: Path):
    """Rows to insert, to put back, to give their reclaimed text; one edited; and the ledger lost."""
    add_images(site, 60)
    site.migrate(Scope(limit=30))
    backup(site, shelf)
    site.migrate()
    reclaim(site)
    site.app.sql("DELETE FROM images WHERE id IN ('image-010', 'image-050')")
    site.app.set("image-020", prompt="edited")
    site.ledger.close()

    def outcome(name: str, lost: bool, **deadly: Any) -> tuple[Any, int]:
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(site.app.path, folder)
        if not lost:
            shutil.copy(site.ledger_path, folder)
        with closing(Site(folder, AppTable(folder / "local.db"), site.store)) as copy:
            with pytest.MonkeyPatch.context() as patch:
                effects = Effects(patch, **deadly)
                if deadly:
                    with pytest.raises(Killed):
                        restore(copy, shelf)
                else:
                    restore(copy, shelf)
            restore(copy, shelf)
            return (copy.app.as_stored(), copy.ended(), told(copy)), effects.number

    def told(copy: Site) -> list[Any]:
        return [(row["item_id"], row["event"]) for row in ledger_contents(copy.ledger, ["events"])["events"]]

    for lost in (False, True):
        whole, number = outcome(f"whole-{lost}", lost)
        assert number >= 8
        for deadly in range(number):
            for after in (False, True):
                found, _ = outcome(f"{lost}-{deadly}-{after}", lost, deadly=deadly, after=after)
                assert [sorted(found[2]), found[:2]] == [sorted(whole[2]), whole[:2]], (lost, deadly, after)


def test_a_locked_table_ends_it_and_the_next_run_finishes(tmp_path: Path, app: AppTable, shelf: Path):
    with closing(Site(tmp_path, app, busy_timeout=0.05)) as site:
        add_images(site, 3)
        before = app.as_stored()
        backup(site, shelf)
        site.migrate()
        with closing(app.lock()), pytest.raises(TableUnavailableError):
            restore(site, shelf)
        assert counts(restore(site, shelf)) == {"restored": 3}
        assert app.as_stored() == before


def test_a_stopped_restore_says_so_and_the_next_one_finishes(site: Site, shelf: Path):
    add_images(site, 120)
    backup(site, shelf)
    site.migrate()

    def stop_after_the_first_group(moment: Any) -> None:
        if not moment.stage:
            stop.set()

    stop = Event()
    service = Restore(site.table, site.ledger, site.bases, clock_ms=lambda: 1)
    report = service.run(shelf, listen=stop_after_the_first_group, stop=stop)
    assert (report.finished, counts(report)) == (False, {"restored": SWITCH_ROWS})
    assert counts(restore(site, shelf)) == {"restored": 120 - SWITCH_ROWS, "unchanged": SWITCH_ROWS}
    stopped = service.run(shelf, stop=stop)
    assert (stopped.finished, stopped.total, stopped.ledger) == (False, 0, None)
