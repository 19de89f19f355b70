"""Reports on disk: whole or not there at all, never written over, honest about what is unknown."""

import json
import multiprocessing
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import pytest

from tests.support.ledgers import put_new_ledger
from z_interact_assets.core.errors import ReportUnwritableError
from z_interact_assets.report import write_report
from z_interact_assets.report.folder import publish
from z_interact_assets.storage.ledger import Ledger, open_ledger

NOW_MS = 1_764_059_400_000  # 2025-11-25T08:30:00Z
STATS: dict[str, Any] = {
    "total_images": 12_345, "r2_images": 0, "base64_images": 5, "mixed_images": 12_340, "imageless_images": 0,
    "external_images": 0, "local_images": 0, "unfinished_images": 0, "unrecognised_images": 0, "quarantined_images": 3,
    "r2_objects": 12_340, "r2_bytes": 5 * 1024**3, "base64_bytes": 2_048, "orphan_objects": 0, "missing_objects": 0,
    "health": {"status": "good", "score": 99, "issues": ["5 images are still base64."], "recommendations": ["migrate"]},
    "generated_at": "2025-11-25T08:29:59+00:00",
}  # fmt: skip
BUCKET = ("r2_objects", "r2_bytes", "orphan_objects", "missing_objects")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    put_new_ledger(tmp_path / "ledger.db")
    with closing(open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")) as opened:
        yield opened


def add_stats(ledger: Ledger, **changes: Any) -> None:
    ledger.snapshots.add_stats(STATS | changes, now_ms=NOW_MS, run_id=None)


def test_a_report_holds_the_newest_snapshot_and_its_summary(ledger: Ledger, tmp_path: Path) -> None:
    add_stats(ledger, total_images=1)
    add_stats(ledger)
    counts = {"objects": 12_340, "bytes": 1, "known": 1, "orphans": 0, "missing": 0}
    ledger.snapshots.add_inventory(counts, now_ms=NOW_MS - 60_000, run_id=None)
    report = write_report(ledger, tmp_path / "reports", now_ms=NOW_MS)
    assert report.folder == tmp_path / "reports" / "2025-11-25T08-30-00Z"
    assert json.loads((report.folder / "storage_stats.json").read_text()) == STATS
    text = (report.folder / "summary.md").read_text()
    assert text == report.summary
    for said in ("12,345", "99 of 100", "5.0 GiB (5,368,709,120 bytes)", "- 5 images are still base64.", "`migrate`"):
        assert said in text
    assert "Listed: 2025-11-25T08:29:00+00:00." in text
    assert "unknown" not in text


def test_what_is_not_known_is_called_unknown_and_never_zero(ledger: Ledger, tmp_path: Path) -> None:
    health = {**STATS["health"], "status": "unknown", "score": None}
    add_stats(ledger, health=health, **dict.fromkeys(BUCKET))
    text = write_report(ledger, tmp_path, now_ms=NOW_MS).summary
    bucket = text.partition("## Bucket")[2].partition("## What is not")[0]
    assert "0" not in bucket
    assert bucket.count("unknown") == 5
    assert "Health: **unknown** (unknown)" in text


def test_an_inventory_taken_since_is_not_said_to_be_the_snapshots(ledger: Ledger, tmp_path: Path) -> None:
    add_stats(ledger)
    counts = {"objects": 1, "bytes": 1, "known": 1, "orphans": 0, "missing": 0}
    ledger.snapshots.add_inventory(counts, now_ms=NOW_MS + 60_000, run_id=None)
    assert "Listed: unknown." in write_report(ledger, tmp_path, now_ms=NOW_MS).summary


def test_without_a_snapshot_there_is_nothing_to_report(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(ReportUnwritableError) as raised:
        write_report(ledger, tmp_path / "reports", now_ms=NOW_MS)
    assert "storage_stats" in raised.value.remedy
    assert not (tmp_path / "reports").exists()


def test_latest_leads_to_the_newest_and_no_report_is_written_over(tmp_path: Path) -> None:
    first = publish(tmp_path, "one", {"a.txt": b"1"})
    second = publish(tmp_path, "one", {"a.txt": b"2"})
    third = publish(tmp_path, "two", {"a.txt": b"3"})
    assert [folder.name for folder in (first, second, third)] == ["one", "one-2", "two"]
    assert [(folder / "a.txt").read_bytes() for folder in (first, second, third)] == [b"1", b"2", b"3"]
    assert (tmp_path / "latest" / "a.txt").read_bytes() == b"3"
    assert (tmp_path / "latest").readlink() == Path("two")  # relative: the folder may be moved, or mounted elsewhere
    assert sorted(path.name for path in tmp_path.iterdir()) == ["latest", "one", "one-2", "two"]


def test_a_folder_that_takes_no_report_is_told_and_left_as_it_was(tmp_path: Path) -> None:
    publish(tmp_path, "one", {"a.txt": b"1"})
    with pytest.raises(ReportUnwritableError):
        publish(tmp_path, "two", {"a.txt": b"2", "no/such/folder": b""})
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ReportUnwritableError):
        publish(tmp_path / "file", "three", {"a.txt": b"3"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "latest", "one"]
    assert (tmp_path / "latest" / "a.txt").read_bytes() == b"1"


def test_what_a_killed_run_left_goes_after_a_day_and_what_one_is_writing_stays(tmp_path: Path) -> None:
    for name, age_s in ((".old.unfinished", 90_000), (".new.unfinished", 60)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_bytes(b"")
        then = (tmp_path / name).stat().st_mtime - age_s
        os.utime(tmp_path / name, (then, then))
    publish(tmp_path, "one", {"a.txt": b"1"})
    assert sorted(path.name for path in tmp_path.iterdir()) == [".new.unfinished", "latest", "one"]


def publish_for_ever(folder: Path) -> None:
    number = 0
    while True:
        number += 1
        publish(folder, "report", {"a.bin": b"%d" % number * 50_000, "b.bin": b"%d" % number * 50_000})


@pytest.mark.slow
def test_a_reader_finds_whole_reports_whenever_the_writer_is_killed(tmp_path: Path) -> None:
    for _ in range(3):
        with writing(tmp_path) as writer:
            started = len(list(tmp_path.glob("report*")))
            while len(list(tmp_path.glob("report*"))) < started + 20:
                assert writer.is_alive()
                assert_whole(tmp_path)
        assert_whole(tmp_path)
    for folder in tmp_path.glob("report*"):
        assert (folder / "a.bin").read_bytes() == (folder / "b.bin").read_bytes() != b""


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
        assert not list(folder.glob("report-*"))
        return
    newest = (folder / "latest").resolve()
    assert (newest / "a.bin").read_bytes() == (newest / "b.bin").read_bytes() != b""
