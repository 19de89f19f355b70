"""The jobs `backup_images` and `restore_images`: safe by default, documented, and what they did is in the run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from tests.integration.dagster.installation import Installation, failures, op, plain
from z_interact_assets.core.models import ItemState
from z_interact_assets.defs.backup import BackupConfig, RestoreConfig

pytestmark = pytest.mark.slow  # two runs and more each


@pytest.fixture
def safe(tmp_path: Path) -> Path:
    return tmp_path / "safe"


def metadata_of(result: dg.ExecuteInProcessResult) -> Mapping[str, Any]:
    """What the one step's output says."""
    (output,) = [event for event in result.all_events if event.is_successful_output]
    return plain(output.step_output_data.metadata)


def rows(installation: Installation) -> list[Any]:
    return installation.sql("SELECT * FROM images ORDER BY id")


def test_a_backup_tells_what_is_in_it(migrated: Installation, safe: Path):
    result = migrated.run("backup_images", config=op("backup", out=str(safe)))
    metadata = metadata_of(result)
    assert not failures(result)
    assert (metadata["rows"], metadata["unaddressable"], metadata["finished"]) == (7, 0, True)
    assert metadata["bytes"] == sum(path.stat().st_size for path in safe.glob("*.parquet"))
    assert metadata["ledger_rows"] > 7
    assert metadata["folder"] == str(safe)


def test_a_restore_changes_nothing_until_it_is_told_to(installation: Installation, safe: Path):
    installation.add_rows(4)
    before = rows(installation)
    installation.run("backup_images", config=op("backup", out=str(safe)))
    installation.plan()
    installation.migrate()
    switched = rows(installation)
    foretold = metadata_of(installation.run("restore_images", config=op("restore", folder=str(safe))))
    assert (foretold["restored"], foretold["dry_run"]) == (4, True)
    assert rows(installation) == switched
    done = installation.run("restore_images", config=op("restore", folder=str(safe), dry_run=False))
    assert (metadata_of(done)["restored"], metadata_of(done)["dry_run"]) == (4, False)
    assert metadata_of(done)["ledger"] == "nothing_to_restore"
    assert rows(installation) == before
    assert installation.ledger.ask.states() == {ItemState.ROLLED_BACK: 4}
    assert installation.ledger.ask.history("image-000")[-1]["run_id"] == done.run_id


def test_rows_that_were_left_alone_are_listed_and_fail_nothing(migrated: Installation, safe: Path):
    migrated.run("backup_images", config=op("backup", out=str(safe)))
    migrated.sql("UPDATE images SET prompt = 'edited' WHERE id = 'image-003'")
    result = migrated.run("restore_images", config=op("restore", folder=str(safe), dry_run=False))
    assert result.success
    assert (metadata_of(result)["changed"], metadata_of(result)["unchanged"]) == (1, 6)
    (record,) = metadata_of(result)["rows_left_alone"].records
    assert (record.data["image_id"], record.data["reason"]) == ("image-003", "row_changed")
    only = op("restore", folder=str(safe), dry_run=False, image_ids=["image-003"], overwrite=True)
    assert metadata_of(migrated.run("restore_images", config=only))["restored"] == 1


def test_a_damaged_backup_fails_the_run_for_good(migrated: Installation, safe: Path):
    migrated.run("backup_images", config=op("backup", out=str(safe)))
    (safe / "rows-00001.parquet").write_bytes(b"")
    result = migrated.run("restore_images", config=op("restore", folder=str(safe), dry_run=False))
    (failure,) = [event.step_failure_data.user_failure_data for event in result.all_events if event.is_step_failure]
    assert failure is not None
    assert "rows-00001.parquet" in (failure.description or "")
    assert plain(failure.metadata)["error"] == "BackupDamagedError"


def test_a_backup_that_was_stopped_fails_the_run_and_says_how_to_go_on(migrated: Installation, safe: Path):
    migrated.observer.stop.set()
    result = migrated.run("backup_images", config=op("backup", out=str(safe)))
    (failure,) = [event.step_failure_data.user_failure_data for event in result.all_events if event.is_step_failure]
    assert failure is not None
    assert "Launch the same again" in (failure.description or "")
    migrated.observer.stop.clear()
    assert metadata_of(migrated.run("backup_images", config=op("backup", out=str(safe))))["resumed"]


@pytest.mark.parametrize(
    ("job", "config"),
    [("backup_images", op("backup", out="safe")), ("restore_images", op("restore", folder="safe"))],
)
def test_a_relative_path_is_refused(installation: Installation, job: str, config: dict[str, Any]):
    """Relative to which folder would be the launcher's secret."""
    assert not installation.run(job, config=config).success
    assert not Path("safe").exists()


@pytest.mark.parametrize("config", [BackupConfig, RestoreConfig])
def test_every_field_is_documented_and_none_can_hold_a_secret(config: type[dg.Config]):
    fields = config.model_fields
    assert all(field.description for field in fields.values())
    assert fields.keys() <= {"out", "folder", "image_ids", "overwrite", "dry_run"}


def test_the_defaults_are_the_safe_ones():
    assert RestoreConfig(folder="/safe").options().dry_run
    assert not RestoreConfig(folder="/safe").overwrite
