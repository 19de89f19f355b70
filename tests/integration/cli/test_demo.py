"""`demo`: everything on made-up data, from nothing, with nothing of the caller's."""

import stat
from pathlib import Path

import pytest

from tests.integration.cli.commandline import Result, run
from z_interact_assets.cli.errors import USAGE_OR_SETTINGS
from z_interact_assets.settings.sources import read_dotenv

ROWS = "100"
PLANTED = "a-secret-of-the-callers-own"
HOSTILE = {
    "R2_ENDPOINT_URL": "http://127.0.0.1:9",
    "R2_ACCESS_KEY_ID": PLANTED,
    "R2_SECRET_ACCESS_KEY": PLANTED,
    "R2_BUCKET_NAME": "production",
    "R2_PUBLIC_URL": "https://production.example.com",
    "DATABASE_URL": f"postgresql+psycopg://root:{PLANTED}@127.0.0.1:9/production",
    "LEDGER_URL": f"postgresql+psycopg://root:{PLANTED}@127.0.0.1:9/ledger",
    "MIGRATION_BATCH_SIZE": "no number",
    "AWS_PROFILE": "production",
}


class Demo:
    """A working folder with hostile settings around the demo, and what the first demo said."""

    def __init__(self, around: Path) -> None:
        self.around = around
        self.folder = around / "it's a demo"
        (around / ".env").write_text("".join(f"{name}={value}\n" for name, value in HOSTILE.items()))
        self.first = self.run("--rows", ROWS)

    def run(self, *arguments: str) -> Result:
        return run("demo", "--folder", str(self.folder), *arguments, folder=self.around, settings=HOSTILE)

    def inside(self, *arguments: str) -> Result:
        return run(*arguments, folder=self.folder, settings={})


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return Demo(tmp_path_factory.mktemp("demo"))


@pytest.mark.slow
def test_it_ends_with_a_summary_and_the_next_commands(demo: Demo) -> None:
    assert demo.first.code == 0, demo.first.output
    happened, _, following = demo.first.stdout.partition("What happened")[2].partition("Next")
    assert f"of {ROWS} rows now point at an object in the bucket" in happened
    assert "set aside with a reason" in happened
    assert "z-interact-assets status --image-id" in following


@pytest.mark.slow
def test_it_says_nothing_on_stderr_and_no_colour_in_a_pipe(demo: Demo) -> None:
    assert demo.first.remarks == []
    assert "\x1b" not in demo.first.stdout


@pytest.mark.slow
def test_settings_of_the_caller_are_not_used_nor_shown(demo: Demo) -> None:
    assert "z-interact-images at http://127.0.0.1:" in demo.first.stdout
    assert "production" not in demo.first.output
    assert PLANTED not in demo.first.output


@pytest.mark.slow
def test_its_own_secrets_are_in_files_of_the_user_alone_and_never_shown(demo: Demo) -> None:
    settings = read_dotenv(demo.folder)
    assert stat.S_IMODE((demo.folder / ".env").stat().st_mode) == 0o600
    assert stat.S_IMODE(demo.folder.stat().st_mode) == 0o700
    assert settings["R2_SECRET_ACCESS_KEY"] not in demo.first.output
    assert settings["R2_ACCESS_KEY_ID"] not in demo.first.output


@pytest.mark.slow
def test_commands_in_its_folder_work_from_its_dotenv(demo: Demo) -> None:
    status = demo.inside("status", "--json")
    assert status.document["batches_pending"] == 0
    assert status.document["states"]["published"] > 50
    plan = demo.inside("plan", "--json")
    assert (plan.code, plan.document["images"]) == (0, 0)


@pytest.mark.exhaustive
def test_a_second_demo_uploads_nothing_and_says_so_and_a_fresh_one_starts_over(demo: Demo) -> None:
    objects = {path: path.stat().st_mtime_ns for path in (demo.folder / "r2" / "buckets").rglob("*.json")}
    again = demo.run()
    assert again.code == 0, again.output
    assert "uploaded nothing: running again is always safe" in again.stdout
    assert {path: path.stat().st_mtime_ns for path in (demo.folder / "r2" / "buckets").rglob("*.json")} == objects
    (demo.folder / "notes.txt").write_text("the user's own")
    fresh = demo.run("--fresh", "--rows", ROWS)
    assert fresh.code == 0, fresh.output
    assert "drawn now" in fresh.stdout
    assert "running again is always safe" not in fresh.stdout
    assert (demo.folder / "notes.txt").read_text() == "the user's own"


@pytest.mark.parametrize("arguments", [("demo",), ("demo", "--fresh"), ("dev",)], ids=" ".join)
def test_a_folder_that_is_no_demo_is_refused_and_left_alone(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """A demo there would migrate the app's own table, and write over its .env."""
    (tmp_path / "r2").mkdir()
    for name in ("local.db", ".env", "r2/mine.txt"):
        (tmp_path / name).write_text("mine")
    refused = run(*arguments, "--folder", ".", folder=tmp_path, settings={})
    assert refused.code == USAGE_OR_SETTINGS
    assert "holds other files and no demo" in refused.stderr
    found = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert [(path.name, path.read_text()) for path in found] == [(n, "mine") for n in (".env", "local.db", "mine.txt")]
