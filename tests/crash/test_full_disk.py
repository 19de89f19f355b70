"""A disk that is really full under each thing we write to: the command says so and ends with 3; the next completes."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cli.commandline import Site
from tests.support.tables import AppTable
from z_interact_assets.cli.errors import OUT_OF_REACH
from z_interact_assets.demo.standin import StandIn

pytestmark = pytest.mark.slow

IMAGES = 40
DISK_KIB = 4096
_BLOCK = 1024


class SmallDisk:
    """A file system of its own, in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def leave(self, kibibytes: int) -> None:
        """Fill it, but for so much."""
        with self._filler.open("ab", buffering=0) as filler:
            while (free := self._free()) > kibibytes * _BLOCK:
                filler.write(b"\0" * (free - kibibytes * _BLOCK))

    def free_space(self) -> None:
        """Empty it of what filled it."""
        self._filler.unlink()

    def _free(self) -> int:
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={DISK_KIB}k", "tmpfs", str(folder)]
    try:
        subprocess.run(mounting, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("only root may mount a small disk")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with StandIn(tmp_path / "r2") as standin:
        yield Site(tmp_path / "site", standin)


def assert_named(stderr: str) -> None:
    """One clear line and its remedy."""
    assert "Traceback" not in stderr
    assert [line for line in stderr.splitlines() if "full" in line or "space" in line or "Check the disk" in line]


# Where a command's files are, by setting.
WHERE = {
    "table": lambda disk: {"DATABASE_URL": f"file:{disk / 'local.db'}"},
    "ledger": lambda disk: {"LEDGER_URL": f"sqlite:///{disk / 'ledger.db'}"},
    "home": lambda disk: {"DAGSTER_HOME": str(disk / "home")},
}


@pytest.mark.parametrize(("what", "left_kib"), [
    pytest.param("table", 0, marks=pytest.mark.exhaustive),
    ("ledger", 200),  # among the batches
    ("home", 700),  # while Dagster has led stdout and stderr into a file of it
])  # fmt: skip
def test_a_full_disk_ends_a_migration_with_3_and_the_next_one_completes(
    disk: SmallDisk, site: Site, what: str, left_kib: int
) -> None:
    settings = WHERE[what](disk.folder)
    if what == "table":
        site.app = AppTable(disk.folder / "local.db")
    site.add_images(IMAGES)
    written = site.app.rows()
    disk.leave(left_kib)
    ended = site.run("migrate", "--json", **settings)
    assert ended.code == OUT_OF_REACH, ended.output
    assert_named(ended.stderr)
    for row_id, row in site.app.rows().items():
        assert row["image_data"] == written[row_id]["image_data"]
    disk.free_space()
    assert site.run("migrate", "--json", **settings).code == 0
    urls = sorted(row["image_url"] for row in site.app.rows().values())
    assert urls == [f"{site.standin.public_url}/{key}" for key in site.stored_keys()]
    assert len(urls) == IMAGES


def test_a_full_disk_ends_a_backup_with_3_and_the_next_one_completes(disk: SmallDisk, site: Site) -> None:
    site.add_images(IMAGES)
    assert site.run("plan", "--quick", "--json").code == 0
    out = disk.folder / "backup"
    disk.leave(8)
    ended = site.run("backup", "--out", str(out), "--json")
    assert ended.code == OUT_OF_REACH, ended.output
    assert_named(ended.stderr)
    disk.free_space()
    assert site.run("backup", "--out", str(out), "--json").document["rows"] == IMAGES
    site.app.sql("DELETE FROM images")
    assert site.run("restore", str(out), "--json").document["inserted"] == IMAGES
