"""storage_report: files whose numbers are those of the newest snapshot, and none of numbers that contradict."""

import json
import re
import sqlite3
from contextlib import closing
from typing import Any

import dagster as dg
import pytest

from tests.integration.dagster.installation import Installation, check_of, failures, op, plain

pytestmark = pytest.mark.slow


def test_the_job_counts_anew_and_writes_the_report_of_it(migrated: Installation) -> None:
    assert not failures(migrated.run("take_stock"))
    migrated.add_rows(2, prefix="new")
    result = migrated.run("storage_report")
    assert not failures(result)
    assert check_of(result, "totals_reconcile").passed
    metadata = metadata_of(result)
    folder = migrated.folder / "home" / "reports"
    assert metadata["path"] == str((folder / "latest").resolve() / "index.html")
    document = json.loads((folder / "latest" / "storage_stats.json").read_text())
    snapshot = migrated.ledger.snapshots.stats(limit=1)[0]
    assert {**document, "generated_at": snapshot["generated_at"]} == snapshot
    assert (document["total_images"], document["r2_objects"]) == (9, 7)
    assert (metadata["total_images"], metadata["health_score"]) == (9, document["health"]["score"])
    assert metadata["in_r2_percent"] == pytest.approx(100 * 7 / 9, abs=0.01)
    assert metadata["monthly_cost_usd"] == document["costs"]["now"]["total"]
    assert len(metadata["summary"]) <= 1_000  # more than that the UI shows behind a click


def test_findings_files_and_what_needs_a_hand_are_tables(migrated: Installation) -> None:
    assert not failures(migrated.run("take_stock"))
    migrated.add_external_row("=elsewhere")
    metadata = metadata_of(migrated.run("storage_report"))
    latest = migrated.folder / "home" / "reports" / "latest"
    document = json.loads((latest / "storage_stats.json").read_text())
    assert [record.data["issue"] for record in metadata["findings"].records] == document["health"]["issues"]
    files = {record.data["file"]: record.data["bytes"] for record in metadata["files"].records}
    assert files == {path.name: path.stat().st_size for path in latest.iterdir()}
    (row,) = metadata["needs_a_hand"].records
    assert (row.data["image_id"], row.data["problem"]) == ("=elsewhere", "outside R2")


def test_a_second_report_of_the_same_state_has_the_same_data_version(migrated: Installation) -> None:
    assert not failures(migrated.run("take_stock"))
    versions = [version_of(migrated.run("storage_report")) for _ in range(2)]
    migrated.add_rows(1, prefix="new")
    versions.append(version_of(migrated.run("storage_report")))
    assert versions[0] == versions[1] != versions[2]


def test_a_published_report_is_told_by_its_keys_alone(migrated: Installation) -> None:
    result = migrated.run("storage_report", config=op("write_storage_report", publish=True))
    assert not failures(result)
    keys = {record.data["file"]: record.data["key"] for record in metadata_of(result)["published"].records}
    assert all(re.fullmatch(r"private/reports/[0-9TZ-]+-[0-9a-f]{32}/[a-z_.]+", key) for key in keys.values())
    try:
        assert {entry.key for entry in migrated.store.list("private/")} == set(keys.values())
    finally:
        migrated.store.delete_many(keys.values())
    events = "".join(str(event) for event in result.all_events)
    assert "X-Amz" not in events


def test_before_the_first_inventory_the_buckets_numbers_are_unknown(migrated: Installation) -> None:
    result = migrated.run("storage_report")
    assert not failures(result)
    metadata = metadata_of(result)
    assert not {"r2_objects", "r2_bytes", "orphan_objects", "missing_objects", "health_score"} & metadata.keys()
    assert "(unknown)" in metadata["summary"]


def test_no_report_is_made_of_totals_that_do_not_reconcile(migrated: Installation) -> None:
    assert not failures(migrated.run("storage_report"))
    before = (migrated.folder / "home" / "reports" / "latest").resolve()
    # A trigger stands in for the bug: whatever snapshot is appended, it has one image more than its classes.
    with_one_more = "UPDATE storage_stats_history SET stats = json_set(stats, '$.total_images', 8)"
    ledger_sql(migrated, f"CREATE TRIGGER bug AFTER INSERT ON storage_stats_history BEGIN {with_one_more}; END")
    result = migrated.run("storage_report")
    assert not result.success
    evaluation = check_of(result, "totals_reconcile")
    assert (evaluation.passed, evaluation.blocking) == (False, True)
    assert (plain(evaluation.metadata)["counted"], plain(evaluation.metadata)["total"]) == (7, 8)
    assert result.asset_materializations_for_node("write_storage_report") == []
    assert (migrated.folder / "home" / "reports" / "latest").resolve() == before


def test_a_report_folder_that_cannot_be_written_fails_the_run_with_its_remedy(
    migrated: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPORT_DIR", str(migrated.database))
    result = migrated.run("storage_report")
    (failure,) = [event.step_failure_data.user_failure_data for event in result.all_events if event.is_step_failure]
    assert failure is not None
    assert "REPORT_DIR" in plain(failure.metadata)["remedy"]


def test_statistics_show_what_lowers_the_score_and_what_to_do(migrated: Installation) -> None:
    migrated.add_rows(2, prefix="new")
    migrated.store.delete(migrated.key_of("image-002"))
    result = migrated.run("take_stock")
    metadata = plain(result.asset_materializations_for_node("storage_stats")[0].metadata)
    issues = [record.data["issue"] for record in metadata["issues"].records]
    assert "2 images are still base64 in the database." in issues
    assert "- `z-interact-assets migrate`" in metadata["next_steps"]
    inventory = plain(result.asset_materializations_for_node("r2_inventory")[0].metadata)
    (problem,) = inventory["problem_examples"].records
    assert (problem.data["problem"], problem.data["image_id"]) == ("missing", "image-002")


def test_the_statistics_alone_can_be_taken_without_a_report(migrated: Installation) -> None:
    result = migrated.run("count_table", config=op("storage_stats", bucket_listed=False))
    assert not failures(result)
    assert migrated.instance.get_latest_materialization_event(dg.AssetKey("storage_report")) is None


def metadata_of(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    return plain(result.asset_materializations_for_node("write_storage_report")[0].metadata)


def version_of(result: dg.ExecuteInProcessResult) -> str | None:
    return (result.asset_materializations_for_node("write_storage_report")[0].tags or {}).get("dagster/data_version")


def ledger_sql(installation: Installation, statement: str) -> None:
    with closing(sqlite3.connect(installation.folder / "home" / "ledger.db")) as connection, connection:
        connection.execute(statement)
