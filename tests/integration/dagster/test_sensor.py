"""The sensor `new_base64_images`: each piece of new work is requested once, whatever happens between two ticks."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
from sqlalchemy import event
from werkzeug.wrappers import Response

from tests.integration.dagster.conftest import Install
from tests.integration.dagster.installation import Installation, op
from tests.integration.dagster.ticking import SENSOR, Ticks, ranges
from z_interact_assets.defs.build import build_defs
from z_interact_assets.defs.requests import GRACE_S, unfinished_runs
from z_interact_assets.defs.sensors import LOOK_AFTER_MS, TickCursor
from z_interact_assets.demo.standin_app import IncomingRequest
from z_interact_assets.migrate.migration import clock_ms
from z_interact_assets.settings import AutomationSettings, load_automation_settings


@pytest.fixture
def ticks(installation: Installation) -> Ticks:
    return Ticks(installation)


@contextmanager
def statements() -> Iterator[list[str]]:
    """Every SQL statement of ours in this process."""
    found: list[str] = []

    def note(_connection, _cursor, statement, *_) -> None:
        found.append(statement)

    event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(sa.Engine, "before_cursor_execute", note)


def refuse_puts(request: IncomingRequest) -> Response | None:
    return Response(status=503) if (request.method, request.kind) == ("PUT", "object") else None


def unfinished(installation: Installation, status: dg.DagsterRunStatus, batches: tuple[str, str]) -> str:
    """Enter a run of `migrate_images` that is not over, without any process behind it; its id."""
    run = installation.instance.create_run_for_job(
        installation.defs.resolve_job_def("migrate_images"),
        status=status,
        tags={"dagster/asset_partition_range_start": batches[0], "dagster/asset_partition_range_end": batches[1]},
    )
    return run.run_id


@pytest.mark.slow
def test_new_images_are_planned_and_requested_as_one_run_which_migrates_them(installation: Installation, ticks: Ticks):
    installation.add_rows(25)

    first = ticks.sensor()
    assert ranges(first.run_requests) == [("b000001", "b000003")]
    ticks.launch(list(first.run_requests or ()))

    assert installation.statuses() == dict.fromkeys(["b000001", "b000002", "b000003"], "MATERIALIZED")
    assert ranges(ticks.sensor().run_requests) == []


def test_what_comes_later_is_requested_alone(migrated: Installation):
    ticks = Ticks(migrated)
    assert ranges(ticks.sensor().run_requests) == []
    migrated.add_rows(2, prefix="later")

    assert ranges(ticks.sensor().run_requests) == [("b000004", "b000004")]


def test_an_image_the_app_replaced_in_its_row_is_requested_again(migrated: Installation):
    ticks = Ticks(migrated)
    assert ranges(ticks.sensor().run_requests) == []
    migrated.sql("UPDATE images SET image_data = image_data || '====' WHERE id = 'image-000'")

    assert ranges(ticks.sensor().run_requests) == [("b000001", "b000001")]


def test_batches_per_run_splits_what_is_requested(installation: Installation):
    ticks = Ticks(installation, load_automation_settings({"BATCHES_PER_RUN": "2"}))
    installation.add_rows(45)

    requests = ticks.sensor().run_requests

    assert ranges(requests) == [("b000001", "b000002"), ("b000003", "b000004"), ("b000005", "b000005")]
    assert len({request.run_key for request in requests or ()}) == 3


@pytest.mark.parametrize(
    "status", [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
)
def test_nothing_is_requested_while_a_migration_waits_or_runs(migrated: Installation, status: dg.DagsterRunStatus):
    ticks = Ticks(migrated)
    migrated.add_rows(2, prefix="later")
    run_id = unfinished(migrated, status, ("b000001", "b000001"))

    busy = ticks.sensor()
    assert (ranges(busy.run_requests), run_id in str(busy.skip_reason)) == ([], True)

    run = migrated.instance.get_run_by_id(run_id)
    assert run is not None
    migrated.instance.report_run_failed(run)
    assert ranges(ticks.sensor().run_requests) == [("b000004", "b000004")]


def test_a_run_whose_process_was_killed_is_not_waited_for(migrated: Installation):
    run_id = unfinished(migrated, dg.DagsterRunStatus.STARTED, ("b000001", "b000001"))

    def waited_for(now_ms: float) -> list[str]:
        return [run.run_id for run in unfinished_runs(migrated.instance, migrated.ledger, now_ms=int(now_ms))]

    assert waited_for(clock_ms()) == [run_id]
    assert waited_for(clock_ms() + 1000 * GRACE_S + 60_000) == []


def test_work_that_was_planned_by_a_tick_that_died_is_requested_by_the_next(installation: Installation, ticks: Ticks):
    installation.add_rows(3)

    lost = ticks.sensor(forget=True)
    assert ticks.cursor is None
    again = ticks.sensor()

    assert ranges(again.run_requests) == ranges(lost.run_requests) == [("b000001", "b000001")]
    # Had the daemon launched the run before it died, it would know it by its key.
    assert [one.run_key for one in again.run_requests or ()] == [one.run_key for one in lost.run_requests or ()]
    assert ranges(ticks.sensor().run_requests) == []


def test_work_somebody_else_planned_is_requested(installation: Installation, ticks: Ticks):
    installation.add_rows(4)
    installation.plan()

    assert ranges(ticks.sensor().run_requests) == [("b000001", "b000002")]


@pytest.mark.slow
def test_a_batch_that_failed_is_left_to_the_nightly_migration(install: Install):
    installation = install(refuse_puts)
    ticks = Ticks(installation)
    installation.add_rows(3)
    (result,) = ticks.launch(list(ticks.sensor().run_requests or ()))
    assert not result.success

    assert [ranges(ticks.sensor().run_requests) for _ in range(3)] == [[], [], []]
    assert ranges(ticks.schedule("nightly_migration")) == [("b000001", "b000001")]

    installation.add_rows(1, prefix="later")
    assert ranges(ticks.sensor().run_requests) == [("b000002", "b000002")]


@pytest.mark.slow
def test_rows_rolled_back_or_set_aside_are_not_requested_again(installation: Installation, ticks: Ticks):
    installation.add_rows(1)
    installation.add_row("broken", "bm90IGFuIGltYWdl")
    ticks.launch(list(ticks.sensor().run_requests or ()))
    assert installation.item("broken").state == "quarantined"
    installation.run("rollback_migration", config=op("rollback", everything=True, dry_run=False))
    assert installation.item("image-000").state == "rolled_back"

    assert ranges(ticks.sensor().run_requests) == []
    assert ranges(ticks.schedule("nightly_migration")) == []


def test_an_idle_tick_asks_nothing_of_the_table(migrated: Installation):
    ticks = Ticks(migrated)
    ticks.sensor()
    ticks.sensor()

    with statements() as found:
        assert ranges(ticks.sensor().run_requests) == []

    assert [statement for statement in found if "images" in statement] == []
    assert len(found) < 10


def test_a_change_that_left_no_sign_is_found_a_quarter_of_an_hour_later(migrated: Installation):
    ticks = Ticks(migrated)
    ticks.sensor()
    ticks.sensor()
    seen = migrated.database.stat()
    migrated.sql("UPDATE images SET image_data = substr(image_data, 1, 40) WHERE id = 'image-000'")
    assert migrated.database.stat().st_size == seen.st_size
    os.utime(migrated.database, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    now = clock_ms()
    cursor = TickCursor.parse(ticks.cursor)
    ticks.cursor = str(replace(cursor, looked_at=now - LOOK_AFTER_MS + 60_000))
    assert ranges(ticks.sensor().run_requests) == []

    ticks.cursor = str(replace(cursor, looked_at=now - LOOK_AFTER_MS))
    assert ranges(ticks.sensor().run_requests) == [("b000001", "b000001")]


def test_a_table_that_is_written_all_the_time_is_not_looked_at_all_the_time():
    cursor = TickCursor(sign="a", looked_at=1_000_000, took=4_000)

    assert not cursor.is_worth_a_look("b", 1_000_000 + 60_000)
    assert cursor.is_worth_a_look("b", 1_000_000 + 80_000)
    assert not cursor.is_worth_a_look("a", 1_000_000 + 80_000)


@pytest.mark.parametrize("text", [None, "", "{", "[]", "7", '{"of": "an older version"}', '{"batch": 3}'])
def test_a_cursor_of_anybody_is_read(text: str | None):
    assert TickCursor.parse(text).batch in (0, 3)


def test_a_dump_is_not_even_loaded(installation: Installation, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATABASE_URL", "dump:not-there.sql")

    assert "dump" in str(Ticks(installation).sensor().skip_reason)
    assert Ticks(installation).schedule("nightly_migration") == Ticks(installation).schedule("nightly_reclaim") == []


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql+psycopg://app:hush@127.0.0.1:1/app", "The app's database is not available"),
        ("file:gone.db", "There is no database file"),
    ],
)
def test_a_table_out_of_reach_fails_the_tick_in_one_sentence_without_a_secret(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, url: str, says: str
):
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(Exception) as caught:
        Ticks(installation).sensor()

    error = dg._utils.error.serializable_error_info_from_exc_info((caught.type, caught.value, caught.tb))
    told = json.dumps(dg.serialize_value(error))
    assert says in told
    assert "hush" not in told


@pytest.mark.slow
def test_a_tick_leaves_nothing_open(installation: Installation, ticks: Ticks):
    installation.add_rows(3)
    ticks.sensor()
    before = open_files(installation.folder)
    for _ in range(3):
        installation.add_rows(1, prefix=f"more-{_}")
        ticks.cursor = None
        ticks.sensor()

    assert open_files(installation.folder) == before


def open_files(folder: Path) -> list[str]:
    found = (str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.exists())
    return sorted(name for name in found if name.startswith(str(folder)))


def test_a_large_table_is_planned_by_a_run_and_requested_by_a_later_tick(installation: Installation):
    ticks = Ticks(installation, most_rows=3)
    installation.add_rows(4)

    (planning,) = list(ticks.sensor().run_requests or ())
    assert planning.job_name == "plan_batches"
    assert installation.batches == []
    again = ticks.sensor()
    assert ranges(again.run_requests) == []

    ticks.launch([planning], job="plan_batches")
    (migrating,) = list(ticks.sensor().run_requests or ())
    assert (migrating.job_name, ranges([migrating])) == ("migrate_images", [("b000001", "b000001")])


def test_the_sensor_is_on_by_itself_only_when_unattended():
    def status(settings: AutomationSettings) -> dg.DefaultSensorStatus:
        return build_defs(settings=settings).resolve_sensor_def(SENSOR).default_status

    assert status(load_automation_settings({})) is dg.DefaultSensorStatus.STOPPED
    assert status(load_automation_settings({"UNATTENDED": "true"})) is dg.DefaultSensorStatus.RUNNING
