"""`backup` and `restore` as a user runs them: exit codes, documents, interruption, what is said and what is not."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.integration.cli.commandline import Result, Site, eventually, run
from tests.integration.cli.test_interruption import no_file_over
from z_interact_assets.cli import main
from z_interact_assets.cli.errors import FINISHED_WITH_FINDINGS, INTERRUPTED, OUT_OF_REACH, USAGE_OR_SETTINGS
from z_interact_assets.core.models import ItemState
from z_interact_assets.settings import setting_names

pytestmark = pytest.mark.slow  # a Dagster run for nearly every command

BACKUP = {
    "rows", "bytes", "parts", "ledger_rows", "unaddressable", "resumed", "folder", "finished", "duration_seconds",
}  # fmt: skip
RESTORE = {
    "total", "restored", "inserted", "unchanged", "changed", "failed", "ledger", "finished", "dry_run", "errors",
}  # fmt: skip


class Here(Site):
    """A site whose commands run in this process, as in a shell in its folder: starting one takes a second."""

    def run(self, *arguments: str, **changes: str) -> Result:
        with pytest.MonkeyPatch.context() as patch:
            for name in setting_names():
                patch.delenv(name, raising=False)
            patch.chdir(self.folder)
            ended = CliRunner().invoke(main, arguments, env={**self.settings, **changes})
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return Result(code=ended.exit_code, stdout=ended.stdout, stderr=ended.stderr)


@pytest.fixture
def here(site: Site) -> Here:
    return Here(site.folder, site.standin)


def said(result: Result) -> str:
    """What was said; never a traceback."""
    assert "Traceback" not in result.output
    return result.output


def test_the_whole_story(here: Here) -> None:
    """Back up, migrate, restore, migrate again: each command in turn, by a relative path."""
    here.add_images(12)
    before = here.app.as_stored()
    made = here.run("backup", "--out", "backups/first", "--json")
    assert (made.code, made.stderr, made.document.keys()) == (0, "", BACKUP)
    assert (made.document["rows"], made.document["finished"]) == (12, True)
    assert Path(made.document["folder"]) == here.folder / "backups" / "first"
    assert here.run("migrate").code == 0
    puts, migrated = here.puts, here.app.as_stored()

    foretold = here.run("restore", "backups/first", "--dry-run", "--json")
    assert (foretold.code, foretold.document.keys()) == (0, RESTORE)
    assert (foretold.document["restored"], foretold.document["dry_run"]) == (12, True)
    assert here.app.as_stored() == migrated

    here.app.set("image-003", prompt="edited")
    here.app.delete("image-004")
    done = here.run("restore", "backups/first", "--json")
    counted = {name: done.document[name] for name in ("restored", "inserted", "changed", "failed")}
    assert (done.code, counted) == (1, {"restored": 10, "inserted": 1, "changed": 1, "failed": 0})
    assert [entry["image_id"] for entry in done.document["errors"]] == ["image-003"]
    told = here.run("restore", "backups/first", "--image-id", "image-003", "--overwrite")
    assert (told.code, "1 of 1 rows are as in the backup" in told.stdout) == (0, True), told.output
    assert here.app.as_stored() == before
    assert {item.state for item in here.items()} == {ItemState.ROLLED_BACK}
    history = here.run("status", "--image-id", "image-004").stdout
    assert "restored" in history

    assert here.run("migrate", "--rolled-back").code == 0
    assert {item.state for item in here.items()} == {ItemState.PUBLISHED}
    assert here.puts == puts
    again = here.run("backup", "--out", "backups/first")
    assert again.code == USAGE_OR_SETTINGS
    assert "finished backup" in said(again)


@pytest.mark.exhaustive
def test_everything_but_backup_and_bucket_is_lost(here: Here) -> None:
    """Table, ledger and Dagster's home: they come back, and the migration goes on where it was."""
    here.add_images(12)
    assert here.run("migrate", "--limit", "6").code == 0
    before, puts = here.app.as_stored(), here.puts
    assert here.run("backup", "--out", "safe").code == 0
    here.app.sql("DELETE FROM images")
    (here.folder / ".dagster_home").rename(here.folder / "gone")
    done = here.run("restore", "safe", "--json")
    assert (done.code, done.document["inserted"], done.document["ledger"]) == (0, 12, "restored")
    assert here.app.as_stored() == before
    assert here.run("migrate", "--json").document["migrated"] == 6
    assert here.puts == puts + 6
    assert here.run("validate", "--json").document["is_valid"]


def test_a_dry_run_leaves_nothing_behind(here: Here) -> None:
    here.add_images(2)
    assert here.run("backup", "--out", "safe").code == 0
    (here.folder / ".dagster_home").rename(here.folder.parent / "gone")
    before = sorted(path.name for path in here.folder.iterdir())
    assert here.run("restore", "safe", "--dry-run").code == 0
    assert sorted(path.name for path in here.folder.iterdir()) == before


def test_what_a_person_sees(here: Here) -> None:
    here.add_images(3)
    here.app.add("evil\x1b[31m\n\u202e", image_data="x")
    here.app.sql("INSERT INTO images (id, persona_id, prompt, created_at) VALUES (NULL, 'p', 'p', 1)")
    made = here.run("backup", "--out", "safe")
    assert made.code == FINISHED_WITH_FINDINGS
    assert "4 rows backed up in" in made.stdout
    assert "1 rows without a usable id" in made.stdout
    here.app.sql("UPDATE images SET prompt = 'edited'")
    done = here.run("restore", "safe")
    assert done.code == FINISHED_WITH_FINDINGS
    assert "0 of 4 rows are as in the backup" in done.stdout
    assert "row_changed" in done.stdout
    assert all(line.isprintable() for line in (made.output + done.output).splitlines())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("backup",), "--out"),
        (("backup", "--out", "local.db"), "is a file"),
        (("backup", "--out", "."), "something else"),
        (("backup", "--out", "local.db/x"), "cannot be used"),
        (("restore",), "DIR"),
        (("restore", "nowhere"), "cannot be used"),
        (("restore", "."), "no backup"),
        (("restore", "local.db"), "cannot be used"),
    ],
    ids=" ".join,
)
def test_a_folder_that_cannot_be_used_ends_with_2(here: Here, arguments: tuple[str, ...], says: str) -> None:
    here.add_images(1)
    ended = here.run(*arguments, "--json")
    assert (ended.code, ended.stdout) == (USAGE_OR_SETTINGS, "")
    assert says in said(ended)


def test_a_damaged_backup_names_the_file_and_restores_nothing(here: Here) -> None:
    here.add_images(3)
    assert here.run("backup", "--out", "safe").code == 0
    part = here.folder / "safe" / "rows-00001.parquet"
    raw = part.read_bytes()
    part.write_bytes(raw[:99] + bytes([raw[99] ^ 1]) + raw[100:])
    here.app.sql("DELETE FROM images")
    ended = here.run("restore", "safe", "--json")
    assert (ended.code, ended.stdout) == (USAGE_OR_SETTINGS, "")
    assert "rows-00001.parquet does not have the SHA-256" in said(ended)
    assert "nothing was restored" in ended.stderr
    assert here.app.rows() == {}


def test_a_table_out_of_reach_ends_with_3(here: Here) -> None:
    here.add_images(1)
    assert here.run("backup", "--out", "safe").code == 0
    nowhere = "postgresql+psycopg://nobody:hunter2@127.0.0.1:9/none"
    for arguments in (("backup", "--out", "other"), ("restore", "safe")):
        ended = here.run(*arguments, DATABASE_URL=nowhere)
        assert ended.code == OUT_OF_REACH, ended.output
        assert "hunter2" not in said(ended)


@pytest.mark.exhaustive
def test_a_full_disk_ends_with_3_and_the_next_run_goes_on(here: Here) -> None:
    """No file may grow past 3 MB: Dagster's home has room, the backup's part of 4 MB has none."""
    here.app.add_many([{"id": f"row-{number}", "image_data": f"{number:x}" * 300_000} for number in range(16)])
    noise = "".join(f"{number * 2_654_435_761 % 2**32:08x}" for number in range(900_000))
    here.app.set("row-9", image_data=noise)
    ended = run("backup", "--out", "safe", folder=here.folder, settings=here.settings, preexec=no_file_over(3_000))
    assert ended.code == OUT_OF_REACH, ended.output
    assert "run the same again" in said(ended)
    assert not (here.folder / "safe" / "manifest.json").exists()
    assert here.run("backup", "--out", "safe", "--json").document["resumed"]
    here.app.sql("DELETE FROM images")
    assert here.run("restore", "safe", "--json").document["inserted"] == 16


def add_large(site: Site, megabytes: int) -> None:
    """Rows whose backup takes more than one part of 64 MB, and a second or two."""
    site.app.sql(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
        "INSERT INTO images (id, image_data, persona_id, prompt, created_at) "
        "SELECT printf('row-%04d', i), hex(randomblob(500000)), 'gen-z', 'p', 1 FROM n",
        (megabytes,),
    )


@pytest.mark.exhaustive
def test_ctrl_c_ends_with_130_and_a_kill_with_nothing_and_the_next_run_finishes(here: Here) -> None:
    add_large(here, 70)
    before = here.app.as_stored()
    first, second = here.folder / "safe" / "rows-00001.parquet", here.folder / "safe" / "rows-00002.parquet.unfinished"
    for number, code in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, INTERRUPTED)):
        ended = ended_amid("backup", "--out", "safe", site=here, number=number, sign=lambda: changed_at(second))
        assert ended.code == code, ended.output
        assert number == signal.SIGKILL or json.loads(ended.stdout)["finished"] is False
        assert number == signal.SIGKILL or "Run the same command again" in said(ended)
    kept = first.stat().st_ino
    made = here.run("backup", "--out", "safe", "--json").document
    assert (made["rows"], made["resumed"], first.stat().st_ino) == (70, True, kept)

    here.app.sql("DELETE FROM images")
    ended = ended_amid("restore", "safe", site=here, number=signal.SIGINT, sign=lambda: count_rows(here))
    assert ended.code == INTERRUPTED, ended.output
    assert 0 < count_rows(here) < 70
    assert here.run("restore", "safe").code == 0
    assert here.app.as_stored() == before


def ended_amid(*arguments: str, site: Site, number: signal.Signals, sign: Callable[[], object]) -> Result:
    """Start a command, and end it once what it leaves in its folder or table changes."""
    before = sign()
    with site.start(*arguments, "--json") as command:
        eventually(lambda: sign() not in (before, None) or command.process.poll() is not None, "its work")
        command.signal(number)
        return command.end()


def changed_at(path: Path) -> int | None:
    return path.stat().st_mtime_ns if path.exists() else None


def count_rows(site: Site) -> int:
    return site.app.sql("SELECT count(*) FROM images")[0][0]
