"""The folder of a backup: killed, shared, full or spoilt, it never passes for a whole backup."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.backup.shelf import SMALL, add_images, backup, counts, ledger_contents, restore
from tests.support.sites import Site
from tests.support.tables import AppTable, contents
from z_interact_assets.backup.folder import BackupFolder, GrowingFile
from z_interact_assets.backup.manifest import seal
from z_interact_assets.core.errors import (
    BackupDamagedError,
    BackupUnavailableError,
    BackupUnusableError,
    LedgerUnusableError,
)
from z_interact_assets.storage.ledger.archive import Snapshot

pytestmark = pytest.mark.slow

AFTER_TWO_PARTS = 19  # steps: two for the folder, four for each file, the progress file before and after each part


class Killed(BaseException):
    """The end of a process."""


class Steps:
    """Every step of a backup that changes its folder; the chosen one never happens, nor anything after it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.taken: list[str] = []
        self.deadly = -1
        for owner, name in ((os, "open"), (os, "fsync"), (Path, "replace"), (Path, "unlink"), (Path, "mkdir")):
            monkeypatch.setattr(owner, name, self._counted(name, getattr(owner, name)))

    def _counted(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **options: Any) -> Any:
            writes = name != "open" or arguments[1] & os.O_CREAT
            if writes:
                if 0 <= self.deadly <= len(self.taken):
                    raise Killed
                self.taken.append(name)
            return real(*arguments, **options)

        return step


def documents(folder: Path) -> tuple[Any, dict[str, bytes]]:
    """The manifest, and every file's bytes."""
    return json.loads((folder / "manifest.json").read_text()), {
        path.name: path.read_bytes() for path in folder.iterdir()
    }


@pytest.mark.slow
def test_killed_between_any_two_steps_it_ends_the_same(site: Site, tmp_path: Path):
    add_images(site, 5)
    site.plan()
    with pytest.MonkeyPatch.context() as patch:
        steps = Steps(patch)
        backup(site, tmp_path / "whole", limits=SMALL)
    whole = documents(tmp_path / "whole")
    assert len(steps.taken) > 30
    resumed = 0
    for number in range(len(steps.taken) - 1):  # at the very last one the backup is finished, for whoever looks
        out = tmp_path / "killed" / "backup"
        with pytest.MonkeyPatch.context() as patch:
            Steps(patch).deadly = number
            with pytest.raises(Killed):
                backup(site, out, limits=SMALL)
        resumed += backup(site, out, limits=SMALL).resumed
        assert documents(out) == whole, (number, steps.taken[number])
        assert counts(restore(site, out, dry_run=True)) == {"unchanged": 5}
        shutil.rmtree(tmp_path / "killed")
    assert resumed > len(steps.taken) / 2


@pytest.mark.parametrize("number", range(6))
def test_killed_amid_a_file_it_ends_the_same(site: Site, shelf: Path, tmp_path: Path, number: int):
    """Progress, part, progress, part, progress, manifest: half of a file never has its name."""
    add_images(site, 6)
    backup(site, tmp_path / "whole", limits=SMALL)
    begun = 0

    def write_half(file: GrowingFile, data: Any) -> int:
        nonlocal begun
        begun += file.size == 0
        if begun <= number:
            return real(file, data)
        real(file, bytes(data)[: len(data) // 2])
        raise Killed

    real = GrowingFile.write
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GrowingFile, "write", write_half)
        with pytest.raises(Killed):
            backup(site, shelf, limits=SMALL)
    backup(site, shelf, limits=SMALL)
    assert documents(shelf) == documents(tmp_path / "whole")


def test_a_part_that_was_spoilt_before_the_resumption_is_written_anew(site: Site, shelf: Path, tmp_path: Path):
    add_images(site, 11)
    backup(site, tmp_path / "whole", limits=SMALL)
    with pytest.MonkeyPatch.context() as patch:
        Steps(patch).deadly = AFTER_TWO_PARTS
        with pytest.raises(Killed):
            backup(site, shelf, limits=SMALL)
    assert (shelf / "rows-00002.parquet").exists()
    flip(shelf / "rows-00001.parquet", 40)
    backup(site, shelf, limits=SMALL)
    assert documents(shelf) == documents(tmp_path / "whole")


def test_a_stopped_backup_is_no_backup_until_it_is_finished(site: Site, shelf: Path):
    add_images(site, 11)

    class StopSoon:
        asked = 0

        def is_set(self) -> bool:
            self.asked += 1
            return self.asked > 6

    report = backup(site, shelf, limits=SMALL, stop=StopSoon())
    assert (report.finished, report.rows) == (False, 6)
    with pytest.raises(BackupUnusableError, match="not finished"):
        restore(site, shelf)
    again = backup(site, shelf, limits=SMALL)
    assert (again.finished, again.resumed, again.rows) == (True, True, 11)
    site.app.sql("DELETE FROM images")
    assert counts(restore(site, shelf)) == {"inserted": 11}


def flip(path: Path, position: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[position] ^= 1
    path.write_bytes(raw)


@pytest.fixture
def lost(site: Site, shelf: Path) -> Path:
    """A backup of six rows, all of which and whose ledger are lost; nothing may be written from a damaged one."""
    add_images(site, 6)
    site.migrate()
    backup(site, shelf, limits=SMALL)
    return shelf


@contextmanager
def writing_nothing(site: Site, folder: Path) -> Iterator[Site]:
    """A site with an empty table and an empty ledger, which stay empty."""
    (folder / "lost").mkdir()
    app = AppTable(folder / "lost" / "local.db")
    with closing(Site(folder / "lost", app, site.store)) as empty:
        before = contents(app.path), ledger_contents(empty.ledger)
        yield empty
        assert (contents(app.path), ledger_contents(empty.ledger)) == before


def forged(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    """Change what the manifest says, and give it the right checksum."""

    def spoil(folder: Path) -> None:
        document = json.loads((folder / "manifest.json").read_text())
        document.pop("checksum")
        change(document)
        (folder / "manifest.json").write_bytes(seal(document))

    return spoil


def swap(folder: Path) -> None:
    (folder / "rows-00001.parquet").rename(folder / "x")
    (folder / "rows-00002.parquet").rename(folder / "rows-00001.parquet")
    (folder / "x").rename(folder / "rows-00002.parquet")


def cut(name: str, by: int = 1) -> Callable[[Path], object]:
    return lambda folder: os.truncate(folder / name, (folder / name).stat().st_size - by)


def pipe(folder: Path) -> None:
    (folder / "rows-00001.parquet").unlink()
    os.mkfifo(folder / "rows-00001.parquet")


def first_part(document: dict[str, Any]) -> dict[str, Any]:
    return document["table"]["parts"][0]


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a part is missing": (lambda folder: (folder / "rows-00002.parquet").unlink(), "rows-00002.parquet"),
    "a part of the ledger is missing": (
        lambda folder: (folder / "ledger-items-00001.parquet").unlink(), "ledger-items-00001.parquet",
    ),
    "the manifest is missing": (lambda folder: (folder / "manifest.json").unlink(), "manifest.json"),
    "the last byte of a part is missing": (cut("rows-00001.parquet"), "rows-00001.parquet"),
    "the last byte of the ledger is missing": (cut("ledger-events-00001.parquet"), "ledger-events-00001.parquet"),
    "the end of the manifest is missing": (cut("manifest.json", 2), "manifest.json"),
    "a part is empty": (lambda folder: os.truncate(folder / "rows-00001.parquet", 0), "rows-00001.parquet"),
    "two parts are swapped": (swap, "rows-00001.parquet"),
    "a part is a folder": (
        lambda folder: ((folder / "rows-00001.parquet").unlink(), (folder / "rows-00001.parquet").mkdir()),
        "rows-00001.parquet",
    ),
    "a part is a pipe": (pipe, "rows-00001.parquet"),
    "there is a part too many": (
        lambda folder: shutil.copy(folder / "rows-00001.parquet", folder / "rows-00003.parquet"), "rows-00003.parquet",
    ),
    "there is a stranger's file": (lambda folder: (folder / "notes.txt").write_text("mine"), "notes.txt"),
    "the manifest is no JSON": (lambda folder: (folder / "manifest.json").write_text("hello"), "manifest.json"),
    "the manifest leads out of the folder": (
        forged(lambda found: first_part(found).update(name="../../local.db")), "manifest.json",
    ),
    "the manifest has another checksum for a part": (
        forged(lambda found: first_part(found).update(sha256="0" * 64)), "rows-00001.parquet",
    ),
    "the manifest has another size for a part": (
        forged(lambda found: first_part(found).update(bytes=10**30)), "rows-00001.parquet",
    ),
    "the manifest has a row too many": (
        forged(lambda found: (first_part(found).update(rows=5), found["table"].update(rows=7))), "rows-00001.parquet",
    ),
    "the manifest has a part twice": (
        forged(lambda found: found["table"].update(parts=found["table"]["parts"] * 2, rows=12)), "manifest.json",
    ),
    "the manifest has other columns": (
        forged(lambda found: found["table"]["columns"].pop()), "rows-00001.parquet",
    ),
    "the manifest has another kind of column": (
        forged(lambda found: found["table"]["columns"][6].update(kind="blob")), "rows-00001.parquet",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_backup_is_refused_before_anything_is_written(lost: Path, site: Site, tmp_path: Path, name: str):
    spoil, file = DAMAGES[name]
    spoil(lost)
    with writing_nothing(site, tmp_path) as empty, pytest.raises(BackupDamagedError) as caught:
        restore(empty, lost)
    assert caught.value.file == file
    assert file in caught.value.message


def test_a_damaged_byte_in_any_file_is_refused_before_anything_is_written(lost: Path, site: Site, tmp_path: Path):
    files = sorted(lost.iterdir())
    with writing_nothing(site, tmp_path) as empty:
        for path in files:
            size = path.stat().st_size
            for position in {0, 1, size // 3, size // 2, size - 9, size - 1}:
                flip(path, position)
                with pytest.raises(BackupDamagedError) as caught:
                    restore(empty, lost)
                assert caught.value.file == path.name, position
                flip(path, position)
        assert len(files) > 5
        assert restore(empty, lost, dry_run=True).inserted == 6


UNUSABLE: dict[str, Callable[[Path], object]] = {
    "another table": forged(lambda found: found["table"].update(name="users")),
    "a newer format": forged(lambda found: found.update(format=2)),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_backup_of_something_else_is_refused(lost: Path, site: Site, tmp_path: Path, name: str):
    UNUSABLE[name](lost)
    with writing_nothing(site, tmp_path) as empty, pytest.raises(BackupUnusableError):
        restore(empty, lost)


def test_a_table_without_a_column_of_the_backup_is_refused(lost: Path, site: Site):
    site.app.sql("ALTER TABLE images DROP COLUMN participant_id")
    before = contents(site.app.path)
    with closing(Site(lost.parent, site.app, site.store)) as narrower:
        with pytest.raises(BackupUnusableError, match="participant_id"):
            restore(narrower, lost)
        assert contents(site.app.path) == before
        assert narrower.ledger.archive.is_empty()


def test_a_column_added_since_is_no_difference(lost: Path, site: Site):
    restore(site, lost)
    site.app.sql("ALTER TABLE images ADD COLUMN alt TEXT DEFAULT 'none'")
    with closing(Site(lost.parent, site.app, site.store)) as wider:
        site.app.delete("image-003")
        assert counts(restore(wider, lost)) == {"unchanged": 5, "inserted": 1}
        assert site.app.row("image-003")["alt"] == "none"


@pytest.mark.parametrize("part", ["table", "column"])
def test_a_ledger_of_a_newer_version_is_refused_before_anything_is_written(
    site: Site, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
):
    add_images(site, 2)
    site.migrate()
    tables, pages = Snapshot.tables, Snapshot.pages

    def newer(self: Snapshot) -> dict[str, Any]:
        known = dict(tables.__get__(self))
        return known | ({"faces": known["batches"]} if part == "table" else {"items": {**known["items"], "face": str}})

    def rows(self: Snapshot, table: str) -> Iterator[list[Any]]:
        yield from pages(self, "batches" if table == "faces" else table)

    with monkeypatch.context() as patch:
        patch.setattr(Snapshot, "tables", property(newer))
        patch.setattr(Snapshot, "pages", rows)
        backup(site, shelf)
    with writing_nothing(site, tmp_path) as empty, pytest.raises(LedgerUnusableError, match="face"):
        restore(empty, shelf)


def test_two_backups_into_one_folder_at_once(site: Site, shelf: Path):
    add_images(site, 2)
    with BackupFolder(shelf).held():
        with pytest.raises(BackupUnusableError, match="being made"):
            backup(site, shelf)
        with pytest.raises(BackupUnusableError, match="being made"):
            restore(site, shelf)
    backup(site, shelf)
    with BackupFolder(shelf).held_for_reading():
        assert counts(restore(site, shelf)) == {"unchanged": 2}


@pytest.mark.parametrize("name", ["notes.txt", "rows-00001.parquet", "rows.parquet", "manifest.json.bak"])
def test_a_folder_with_something_else_in_it_is_left_alone(site: Site, shelf: Path, name: str):
    shelf.mkdir(parents=True)
    (shelf / name).write_text("mine")
    with pytest.raises(BackupUnusableError):
        backup(site, shelf)
    assert {path.name: path.read_text() for path in shelf.iterdir()} == {name: "mine"}


def test_a_finished_backup_is_never_written_over(site: Site, shelf: Path):
    add_images(site, 2)
    backup(site, shelf)
    before = documents(shelf)
    site.app.add("later")
    with pytest.raises(BackupUnusableError, match="finished backup"):
        backup(site, shelf)
    assert documents(shelf) == before


def test_the_beginning_of_another_tables_backup_is_not_gone_on_with(site: Site, shelf: Path, tmp_path: Path):
    add_images(site, 6)
    with pytest.MonkeyPatch.context() as patch:
        Steps(patch).deadly = AFTER_TWO_PARTS
        with pytest.raises(Killed):
            backup(site, shelf, limits=SMALL)
    before = {path.name: path.read_bytes() for path in shelf.iterdir()}
    (tmp_path / "other").mkdir()
    app = AppTable(tmp_path / "other" / "local.db", "six_columns")
    with (
        closing(Site(tmp_path / "other", app)) as other,
        pytest.raises(BackupUnusableError, match="another table"),
    ):
        backup(other, shelf)
    assert {path.name: path.read_bytes() for path in shelf.iterdir()} == before


@pytest.mark.parametrize("where", ["nowhere", "file", "empty"])
def test_where_there_is_no_backup_there_is_nothing_to_restore(site: Site, tmp_path: Path, where: str):
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BackupUnusableError):
        restore(site, tmp_path / where)
    assert not (tmp_path / "nowhere").exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk]
    mounted = subprocess.run(command, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.decode().strip()}")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk_is_named_and_the_next_run_goes_on(site: Site, small_disk: Path, tmp_path: Path):
    noise = os.urandom(60_000).hex()
    site.app.add_many([{"id": f"row-{number}", "image_data": f"{number}{noise}"} for number in range(12)])
    out = small_disk / "backup"
    with pytest.raises(BackupUnavailableError, match="No space left"):
        backup(site, out, limits=SMALL)
    finished = sorted(path.name for path in out.glob("rows-*.parquet"))
    assert finished
    assert "manifest.json" not in {path.name for path in out.iterdir()}
    subprocess.run(["mount", "-o", "remount,size=4m", small_disk], check=True)
    kept = [(out / name).stat().st_ino for name in finished]
    report = backup(site, out, limits=SMALL)
    assert (report.resumed, report.rows) == (True, 12)
    assert [(out / name).stat().st_ino for name in finished] == kept
    backup(site, tmp_path / "whole", limits=SMALL)
    assert documents(out) == documents(tmp_path / "whole")


def test_each_file_is_durable_before_it_has_its_name_and_the_name_is_after(
    site: Site, shelf: Path, monkeypatch: pytest.MonkeyPatch
):
    add_images(site, 2)
    steps = Steps(monkeypatch)
    backup(site, shelf)
    rest = steps.taken[steps.taken.index("open") :]
    while "open" in rest:
        assert rest[:4] == ["open", "fsync", "replace", "fsync"]
        rest = rest[4:]
    assert rest == ["unlink", "fsync"]
