"""What SIGKILL cannot show: whatever must not be lost is on the disk before the next effect relies on it."""

import shutil

import pytest

from tests.crash.conftest import PlaceFor
from tests.crash.operations import OPERATIONS
from tests.crash.oracle import assert_nothing_lost
from tests.crash.places import TABLE, Place

pytestmark = pytest.mark.slow

FULL, EXTRA = 2, 3


# Its rows keep their texts, so one that is as it was before only makes work: see the test below.
MAY_BE_UNDONE = ("migrate", "commit LegacyTable.apply")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_commit_is_durable_whatever_the_defaults_of_the_build(place_for: PlaceFor, operation: str) -> None:
    """The watch turns `synchronous` off when a connection is made: what it is at the commit, our code has asked for.

    In WAL mode FULL is all there is; with a rollback journal it is not: the journal's removal, which is the commit, may
    be lost with the folder.
    """
    with place_for(operation) as place:
        seen = place.run(operation).finish()
    commits = [(name, facts) for name, facts in seen if "synchronous" in facts]
    for name, facts in commits:
        durable = FULL if facts["journal"] == "wal" or (operation, name) == MAY_BE_UNDONE else EXTRA
        assert facts["synchronous"] == durable, name
    assert commits or operation == "back up"


def test_rows_whose_switch_the_power_took_back_are_switched_again(place_for: PlaceFor) -> None:
    """The table as it was before all its commits, the ledger as it is after all of them.

    Only r2_key and migration_status of rows that were on R2 before us stay empty: nothing shows that they were filled.
    """
    with place_for("migrate") as place:
        shutil.copy(place.folder / TABLE, place.folder / "before.db")
        place.run("migrate").finish()
        outcome = _but_for_back_fills(place)
        shutil.copy(place.folder / "before.db", place.folder / TABLE)
        assert_nothing_lost(place)
        place.run("plan").finish()
        place.run("migrate").finish()
        assert_nothing_lost(place)
        assert _but_for_back_fills(place) == outcome


def test_a_file_of_a_backup_is_on_the_disk_before_it_has_its_name_and_the_name_before_the_next(
    place_for: PlaceFor,
) -> None:
    with place_for("back up") as place:
        seen = place.run("back up").finish()
    folder = str(place.backup)
    files = [(name.removesuffix(" BackupFolder.writing"), facts) for name, facts in seen if name.endswith("writing")]
    steps = [files[start : start + 4] for start in range(0, len(files), 4)]
    assert len(steps) > 5
    for (opened, a), (synced, b), (renamed, c), (named, d) in steps:
        assert (opened, synced, renamed, named) == ("open", "sync file", "rename", "sync folder")
        assert a["path"] == b["path"] == c["path"]
        assert c["to"] != c["path"]
        assert d["path"] == folder
    names = [step[2][1]["to"].removeprefix(f"{folder}/") for step in steps]
    parts = [number for number, name in enumerate(names) if name.startswith("rows-")]
    assert all(names[number + 1] == "progress.json" for number in parts)  # it names the part that is durable by then
    assert names[-1] == "manifest.json"
    assert [name for name, _ in seen[-2:]] == ["remove BackupFolder.remove", "sync folder BackupFolder.remove"]


def test_what_undoes_a_switch_is_committed_before_the_switch_and_its_end_after(place_for: PlaceFor) -> None:
    """Group by group: the object, its undo record, the row, the outcome."""
    with place_for("migrate") as place:
        seen = [name for name, _ in place.run("migrate").finish()]
    writes = [name for name in seen if name.split()[1] in {
        "WorkLog.record_stored", "LegacyTable.apply", "WorkLog.record_outcomes",
    }]  # fmt: skip
    switches = [number for number, name in enumerate(writes) if name == "commit LegacyTable.apply"]
    assert switches
    assert {writes[number - 1] for number in switches} == {"commit WorkLog.record_stored"}
    assert {writes[number + 1] for number in switches} == {"commit WorkLog.record_outcomes"}


def _but_for_back_fills(place: Place) -> dict[str, object]:
    rows = {row_id: (row["image_url"], row["image_data"]) for row_id, row in place.rows.items()}
    return {**place.outcome(), "rows": rows}
