"""Runs of the real definitions with the real resources record no secret, whatever became of them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.dagster.conftest import Install
from tests.integration.dagster.installation import REPOSITORY, Installation, failures, op
from tests.support.planted import MISTAKES, SECRETS, SETTINGS, add_rows
from tests.support.tables import AppTable
from tests.support.traces import contents, traces
from z_interact_assets.defs.jobs import ALL_JOBS
from z_interact_assets.defs.resources import R2Resource, WorkspaceResource
from z_interact_assets.migrate.worker import Worker
from z_interact_assets.settings import load_settings

pytestmark = pytest.mark.slow

# The one place that must hold what was in a row's URL, to give it back byte for byte.
UNDO_RECORD = {f"signature in {place}" for place in ("ledger.db", "ledger.db-wal", "ledger.db items.before")}
# Refused by the settings, refused by a database, refused by R2.
SOME_MISTAKES = (
    "batch size", "encryption key", "public URL with a parameter", "DATABASE_URL: escaped password",
    "LEDGER_URL: password as a parameter", "wrong key id",
)  # fmt: skip


@pytest.fixture
def planted(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """An installation whose settings and rows are secrets."""
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    add_rows(AppTable(installation.database))
    installation.plan()
    return installation


def assert_no_traces(installation: Installation, *said: str) -> None:
    standin = installation.standin
    secrets = {**SECRETS, "secret key": standin.secret_access_key, "key id": standin.access_key_id}
    assert traces((("output", each.encode()) for each in said), secrets) == []
    assert set(traces(contents(installation.folder / "home"), secrets)) <= UNDO_RECORD
    assert traces(contents(standin.folder / "buckets"), secrets) == []


def test_every_job_records_none(planted: Installation, capfd: pytest.CaptureFixture[str]) -> None:
    planted.migrate()
    folder = str(planted.folder / "backup")
    config = {
        "rollback_migration": op("rollback", everything=True, dry_run=False),
        "backup_images": op("backup", out=folder),
        "restore_images": op("restore", folder=folder, dry_run=False),
    }
    # What is left out is run above and by the fixture, or is only for batches.
    names = [job.name for job in ALL_JOBS if job.name not in {"migrate_images", "plan_batches", "reclaim_base64"}]
    told = {name: failures(planted.run(name, config=config.get(name))) for name in names}
    assert not any(told.values()), told
    tags = {"dagster/asset_partition_range_start": "b000001", "dagster/asset_partition_range_end": "b000001"}
    planted.run("reclaim_base64", config=op("reclaimed_images", dry_run=False), tags=tags)
    out, err = capfd.readouterr()
    assert_no_traces(planted, out, err)


@pytest.mark.parametrize("name", SOME_MISTAKES)
def test_a_failed_run_records_none(
    planted: Installation, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    for setting, value in MISTAKES[name].items():
        monkeypatch.setenv(setting, value)
    assert not planted.migrate().success
    out, err = capfd.readouterr()
    assert_no_traces(planted, out, err)


def test_a_bug_that_quotes_every_part_of_a_run_records_none(
    planted: Installation, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def quote_everything(self: Worker, *of_an_image: object) -> None:
        settings, resource = load_settings(), R2Resource()
        parts = [settings, settings.require_r2(), resource, resource.config(), WorkspaceResource(), of_an_image]
        raise RuntimeError(f"a bug: {[*parts, vars(self), str(settings), settings.model_dump_json()]!r}")

    monkeypatch.setattr(Worker, "_sent", quote_everything)
    (message,) = failures(planted.migrate())
    assert "a bug" in message
    out, err = capfd.readouterr()
    assert_no_traces(planted, message, out, err)


@pytest.mark.parametrize(
    "secret",
    [pytest.param("", marks=pytest.mark.exhaustive), "planted-wrong-r2-secret-0123456789"],
    ids=["works", "R2 refuses"],
)
def test_dagsters_own_command_says_and_records_none(
    install: Install, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, secret: str
) -> None:
    installation = install(None)
    for name, value in {**SETTINGS, **({"R2_SECRET_ACCESS_KEY": secret} if secret else {})}.items():
        monkeypatch.setenv(name, value)
    add_rows(AppTable(installation.database))
    command = [sys.executable, "-m", "dagster", "job", "execute", "-m", "z_interact_assets.definitions", "-j"]
    ended = subprocess.run(
        [*command, "take_stock"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ended.returncode != 0) is bool(secret), ended.stderr
    assert "RUN_FAILURE" in ended.stderr if secret else "RUN_SUCCESS" in ended.stderr
    assert_no_traces(installation, ended.stdout, ended.stderr)
