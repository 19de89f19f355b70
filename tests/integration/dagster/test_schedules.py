"""Schedules: what each starts, when, and which of them are on by themselves."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from tests.integration.dagster.installation import Installation, failures
from tests.integration.dagster.ticking import Ticks, ranges
from z_interact_assets.core.errors import SettingsError
from z_interact_assets.defs.build import build_defs
from z_interact_assets.settings import load_automation_settings
from z_interact_assets.storage.ledger.schema import items

ON, OFF = "RUNNING", "STOPPED"


def statuses(**environment: str) -> dict[str, str]:
    repository = build_defs(settings=load_automation_settings(environment)).get_repository_def()
    return {one.name: one.default_status.value for one in [*repository.schedule_defs, *repository.sensor_defs]}


def test_what_only_reads_is_on_and_what_writes_is_off_until_somebody_says_so():
    reading = {
        "daily_storage_report": ON,
        "weekly_full_validation": ON,
        "weekly_summary": ON,
        "reports_follow_the_migration": ON,
        "failed_runs_are_told": ON,
        "false_claims_are_told": ON,
        "lost_runs_are_failed": ON,
    }
    migrating = {"new_base64_images": OFF, "nightly_migration": OFF}
    assert statuses() == reading | migrating | {"nightly_reclaim": OFF}
    assert statuses(UNATTENDED="true") == reading | dict.fromkeys(migrating, ON) | {"nightly_reclaim": OFF}


def test_every_schedule_and_sensor_is_described():
    repository = build_defs(settings=load_automation_settings({})).get_repository_def()

    described = [*repository.schedule_defs, *repository.sensor_defs]
    assert [one.name for one in described if len(one.description or "") < 40] == []


def test_cron_and_zone_are_the_settings():
    settings = load_automation_settings(
        {
            "NIGHTLY_MIGRATION_CRON": "30 1 * * *",
            "SCHEDULE_TIME_ZONE": "Europe/Zurich",
            "WEEKLY_SUMMARY_CRON": "0 8 * * 5",
        }
    )
    schedules = {one.name: one for one in build_defs(settings=settings).get_repository_def().schedule_defs}

    assert schedules["nightly_migration"].cron_schedule == "30 1 * * *"
    assert schedules["weekly_summary"].cron_schedule == "0 8 * * 5"
    assert {one.execution_timezone for one in schedules.values()} == {"Europe/Zurich"}


def test_a_date_that_never_comes_is_refused_by_its_variable():
    with pytest.raises(SettingsError, match="NIGHTLY_RECLAIM_CRON: no date fulfils '0 0 30 2 \\*'"):
        build_defs(settings=load_automation_settings({"NIGHTLY_RECLAIM_CRON": "0 0 30 2 *"}))


def test_what_is_wrong_with_the_settings_is_what_the_code_location_says(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DAILY_STORAGE_REPORT_CRON", "99 * * * *")
    monkeypatch.setenv("SCHEDULE_TIME_ZONE", "Mars/Olympus")

    with pytest.raises(SettingsError) as caught:
        build_defs()
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "DAILY_STORAGE_REPORT_CRON",
        "SCHEDULE_TIME_ZONE",
    ]


def test_the_night_plans_what_is_new_and_migrates_it(migrated: Installation):
    migrated.add_rows(2, prefix="later")

    requests = Ticks(migrated).schedule("nightly_migration")

    assert ranges(requests) == [("b000004", "b000004")]
    assert requests[0].run_key == "2026-03-01T02:00:00+00:00 b000004-b000004"
    assert "b000004" in migrated.instance.get_dynamic_partitions("migration_batch")


@pytest.mark.slow
def test_the_night_leaves_what_a_run_has_in_hand_to_it(migrated: Installation):
    migrated.add_rows(22, prefix="later")
    night = Ticks(migrated)
    assert ranges(night.schedule("nightly_migration")) == [("b000004", "b000006")]
    migrated.instance.create_run_for_job(
        migrated.defs.resolve_job_def("migrate_images"),
        status=dg.DagsterRunStatus.STARTED,
        tags={"dagster/partition": "b000005"},
    )

    # A range may pass over a batch that is in hand: its run waits for it, or finds it done.
    assert ranges(night.schedule("nightly_migration")) == [("b000004", "b000006")]


@pytest.mark.slow
def test_reclaiming_takes_only_what_is_past_its_soak(migrated: Installation, monkeypatch: pytest.MonkeyPatch):
    night = Ticks(migrated)
    assert night.schedule("nightly_reclaim") == []

    week = int(timedelta(days=8).total_seconds() * 1000)
    with migrated.ledger._engine.begin() as connection:
        connection.execute(
            items.update().where(items.c.batch_key == "b000002").values(published_at=items.c.published_at - week)
        )

    (request,) = night.schedule("nightly_reclaim")
    assert ranges([request]) == [("b000002", "b000002")]
    assert request.run_config == {"ops": {"reclaimed_images": {"config": {"dry_run": False}}}}

    (result,) = night.launch([request], job="reclaim_base64")
    assert failures(result) == []
    left = migrated.sql("SELECT count(*) FROM images WHERE image_data IS NOT NULL")
    assert left == [(4,)]
    assert night.schedule("nightly_reclaim") == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["daily_storage_report", "weekly_full_validation"])
def test_what_only_reads_runs_as_it_is_scheduled(migrated: Installation, name: str):
    night = Ticks(migrated)
    (request,) = night.schedule(name)
    schedule = migrated.defs.resolve_schedule_def(name)

    (result,) = night.launch([request], job=schedule.job_name)

    assert failures(result) == []
    if name == "weekly_full_validation":
        modes = {str(check.metadata["mode"].value) for check in result.get_asset_check_evaluations()}
        assert modes == {"full"}


def test_the_weekly_summary_is_a_run_only_where_it_can_be_sent(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    monday = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
    assert Ticks(installation).schedule("weekly_summary", monday) == []

    monkeypatch.setenv("ALERT_WEBHOOK_URL", "https://hooks.example.com/hush")
    (request,) = Ticks(installation).schedule("weekly_summary", monday)
    assert "hush" not in str(request)
