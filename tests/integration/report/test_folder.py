"""The folder of reports: whole or not there at all, never written over, kept as long as asked, nothing else touched."""

import multiprocessing
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing.context import SpawnProcess
from pathlib import Path

import pytest

from tests.support.privileges import reachable_folder, without_privileges
from z_interact_assets.core.errors import ReportUnwritableError
from z_interact_assets.report.folder import MANIFEST, age_rank, drafted, name_of

DAY_MS = 86_400_000
NOW_MS = 1_764_059_400_000  # 2025-11-25T08:30:00Z
NAME = "2025-11-25T08-30-00Z"


def put(folder: Path, name: str = NAME, *, keep: int = 100, **files: bytes) -> Path:
    """A report of these files and a manifest."""
    with drafted(folder, name, keep=keep) as draft:
        for file, data in {**(files or {"a": b"1"}), MANIFEST: b"{}"}.items():
            (draft.folder / file).write_bytes(data)
    return draft.folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def kept(folder: Path) -> Mapping[str, bytes]:
    return {path.name: (path / "a").read_bytes() for path in folder.iterdir() if path.name != "latest"}


def test_a_report_is_named_by_its_time() -> None:
    assert name_of(NOW_MS) == NAME
    assert age_rank(NAME) == (NAME, 1)
    assert age_rank(f"{NAME}-12") == (NAME, 12)
    assert [age_rank(name) for name in ("latest", f"{NAME}-0", f"{NAME}-a", f"x{NAME}", f"{NAME}\n")] == [None] * 5


def test_latest_leads_to_the_newest_and_no_report_is_written_over(tmp_path: Path) -> None:
    made = [put(tmp_path, name, a=data) for name, data in (("one", b"1"), ("one", b"2"), ("two", b"3"))]
    assert [folder.name for folder in made] == ["one", "one-2", "two"]
    assert kept(tmp_path) == {"one": b"1", "one-2": b"2", "two": b"3"}
    assert (tmp_path / "latest" / "a").read_bytes() == b"3"
    assert (tmp_path / "latest").readlink() == Path("two")  # relative: the folder may be moved, or mounted elsewhere


def test_the_newest_are_kept_and_the_older_ones_go(tmp_path: Path) -> None:
    for day in range(5):
        put(tmp_path, name_of(NOW_MS + day * DAY_MS), keep=3)
    put(tmp_path, name_of(NOW_MS + 4 * DAY_MS), keep=3)
    assert names(tmp_path) == ["2025-11-28T08-30-00Z", "2025-11-29T08-30-00Z", "2025-11-29T08-30-00Z-2", "latest"]


def test_the_tenth_report_of_a_second_is_newer_than_its_ninth(tmp_path: Path) -> None:
    for _ in range(11):
        put(tmp_path, keep=2)
    assert names(tmp_path) == [f"{NAME}-10", f"{NAME}-11", "latest"]


def test_what_latest_leads_to_stays_even_if_a_clock_says_it_is_the_oldest(tmp_path: Path) -> None:
    put(tmp_path, name_of(NOW_MS + DAY_MS), keep=1)
    put(tmp_path, name_of(NOW_MS), keep=1)  # the clock was set back
    assert (tmp_path / "latest" / "a").exists()
    assert NAME in names(tmp_path)


def test_nothing_but_reports_of_ours_is_ever_removed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / MANIFEST).write_text("{}")
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "2020-01-01T00-00-00Z").mkdir()  # no manifest
    (folder / "2020-01-02T00-00-00Z").symlink_to(elsewhere, target_is_directory=True)
    (folder / "2020-01-03T00-00-00Z").write_text("a file")
    (folder / "my notes").mkdir()
    (folder / "my notes" / MANIFEST).write_text("{}")
    (folder / "2020-01-04T00-00-00Z").mkdir()
    (folder / "2020-01-04T00-00-00Z" / MANIFEST).symlink_to(elsewhere / MANIFEST)
    before = names(folder)
    put(folder, keep=1)
    assert names(folder) == sorted([*before, NAME, "latest"])
    assert (elsewhere / MANIFEST).read_text() == "{}"


def test_a_folder_that_takes_no_report_is_told_and_left_as_it_was(tmp_path: Path) -> None:
    put(tmp_path, "one")
    with pytest.raises(ReportUnwritableError), drafted(tmp_path, "two", keep=1) as draft:
        (draft.folder / "no" / "such" / "folder").write_bytes(b"")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ReportUnwritableError):
        put(tmp_path / "file", "three")
    assert names(tmp_path) == ["file", "latest", "one"]
    assert (tmp_path / "latest" / "a").read_bytes() == b"1"


def test_a_folder_that_may_not_be_written_to_is_told_with_a_remedy() -> None:
    with reachable_folder() as folder:
        folder.chmod(0o555)
        with without_privileges(), pytest.raises(ReportUnwritableError) as raised:
            put(folder / "reports")
    assert "REPORT_DIR" in raised.value.remedy


def test_a_report_that_fails_leaves_nothing_and_retires_nothing(tmp_path: Path) -> None:
    put(tmp_path, keep=1)
    with suppress(KeyError), drafted(tmp_path, name_of(NOW_MS + DAY_MS), keep=1) as draft:
        (draft.folder / "a").write_bytes(b"2")
        raise KeyError
    assert names(tmp_path) == [NAME, "latest"]


def test_what_a_killed_run_left_goes_after_a_day_and_what_one_is_writing_stays(tmp_path: Path) -> None:
    for name, age_s in ((".old.unfinished", 90_000), (".new.unfinished", 60)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_bytes(b"")
        then = (tmp_path / name).stat().st_mtime - age_s
        os.utime(tmp_path / name, (then, then))
    put(tmp_path, "one")
    assert names(tmp_path) == [".new.unfinished", "latest", "one"]


def publish_for_ever(folder: Path) -> None:
    number = 0
    while True:
        number += 1
        data = b"%d" % number * 50_000
        put(folder, keep=5, a=data, b=data)


@pytest.mark.slow
def test_a_reader_finds_whole_reports_whenever_the_writer_is_killed(tmp_path: Path) -> None:
    """Old reports go all the while: a reader that holds `latest` open is never left with half of one."""
    for _ in range(2):
        with writing(tmp_path) as writer:
            started = newest(tmp_path)
            while newest(tmp_path) < started + 8:
                assert writer.is_alive()
                assert_whole(tmp_path)
        assert_whole(tmp_path)
    for folder in tmp_path.glob(f"{NAME}*"):
        assert (folder / "a").read_bytes() == (folder / "b").read_bytes() != b""
    assert 1 <= len(list(tmp_path.glob(f"{NAME}*"))) <= 6


def newest(folder: Path) -> int:
    return max((rank[1] for path in folder.glob(f"{NAME}*") if (rank := age_rank(path.name))), default=0)


@contextmanager
def writing(folder: Path) -> Iterator[SpawnProcess]:
    """A process that publishes one report after the other; killed in the end, in the midst of one."""
    writer = multiprocessing.get_context("spawn").Process(target=publish_for_ever, args=(folder,))
    writer.start()
    try:
        yield writer
    finally:
        writer.kill()
        writer.join()


def assert_whole(folder: Path) -> None:
    if not (folder / "latest").is_symlink():
        assert newest(folder) <= 1
        return
    report = (folder / "latest").resolve()
    assert (report / "a").read_bytes() == (report / "b").read_bytes() != b""
