"""The event log that writes groups leaves what Dagster's own leaves, with fewer connections."""

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from z_interact_assets.defs import data_versions
from z_interact_assets.defs.beta import accepted_beta
from z_interact_assets.defs.event_log import GroupedEventLog, grouped, open_instance

PARTITIONS = dg.DynamicPartitionsDefinition(name="part")
KEYS = [f"k{number:03d}" for number in range(15)]
pytestmark = pytest.mark.slow

_connections: list[str] = []
sys.addaudithook(lambda event, arguments: _connections.append(arguments[0]) if event == "sqlite3.connect" else None)


@accepted_beta(dg.asset)(
    partitions_def=PARTITIONS, backfill_policy=dg.BackfillPolicy.single_run(),
    output_required=False, check_specs=[dg.AssetCheckSpec("is_well", asset="parts")],
)  # fmt: skip
def parts(context: dg.AssetExecutionContext) -> Iterator[dg.AssetCheckResult]:
    with grouped(context.instance):
        for key in context.partition_keys:
            tags = data_versions.observed(dg.DataVersion(key))
            context.log_event(dg.AssetMaterialization("parts", partition=key, metadata={"key": key}, tags=tags))
    context.log.info("between")
    context.log_event(dg.AssetMaterialization("parts", partition=KEYS[0], description="alone"))
    yield dg.AssetCheckResult(passed=True)


def dagsters_own(home: Path) -> dg.DagsterInstance:
    return dg.DagsterInstance.from_config(str(home))


@dataclass(frozen=True, slots=True)
class Home:
    """A home in which all parts were materialised in one run, and how many connections that took."""

    folder: Path
    run_id: str
    connections: int

    def rows(self, name: str, statement: str) -> list[tuple[Any, ...]]:
        return rows(self.folder / "history" / "runs" / name, statement)


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Home]:
    """The same run twice: with our event log, and with Dagster's own."""
    folder = tmp_path_factory.mktemp("homes")
    return made(folder / "grouped", open_instance), made(folder / "own", dagsters_own)


def made(home: Path, opened: Callable[[Path], dg.DagsterInstance]) -> Home:
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    job = dg.Definitions(assets=[parts]).resolve_implicit_global_asset_job_def()
    tags = {"dagster/asset_partition_range_start": KEYS[0], "dagster/asset_partition_range_end": KEYS[-1]}
    with opened(home) as instance:
        instance.add_dynamic_partitions("part", KEYS)
        _connections.clear()
        result = job.execute_in_process(instance=instance, tags=tags)
        return Home(home, result.run_id, len(_connections))


def rows(file: Path, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(statement).fetchall()


def test_the_files_hold_what_dagsters_own_log_writes_row_for_row(homes: tuple[Home, Home]) -> None:
    ours, own = homes
    events = "SELECT id, dagster_event_type, step_key, asset_key, partition FROM event_logs ORDER BY id"
    assert ours.rows(f"{ours.run_id}.db", events) == own.rows(f"{own.run_id}.db", events)
    assert ours.rows("index.db", events) == own.rows("index.db", events)
    tags = "SELECT event_id, asset_key, key, value FROM asset_event_tags ORDER BY id"
    assert ours.rows("index.db", tags) == own.rows("index.db", tags)
    assert len(ours.rows("index.db", tags)) == len(KEYS)


def test_the_assets_own_row_tells_of_its_newest_event(homes: tuple[Home, Home]) -> None:
    newest = "SELECT asset_key, json_extract(last_materialization, '$.storage_id') FROM asset_keys"
    ours, own = homes
    assert ours.rows("index.db", newest) == own.rows("index.db", newest)
    assert ours.rows("index.db", "SELECT last_run_id FROM asset_keys") == [(ours.run_id,)]


def test_dagster_reads_each_partitions_own_event(homes: tuple[Home, Home]) -> None:
    with dagsters_own(homes[0].folder) as instance:
        newest = instance.fetch_materializations(dg.AssetKey("parts"), limit=100).records
        statuses = instance.get_status_by_partition(dg.AssetKey("parts"), KEYS, PARTITIONS) or {}
    assert [record.partition_key for record in newest] == [KEYS[0], *reversed(KEYS)]
    told = [record.asset_materialization for record in newest[1:]]
    assert [event.metadata["key"].value for event in told if event] == KEYS[::-1]
    assert {status.name for status in statuses.values() if status} == {"MATERIALIZED"}


def test_a_partition_costs_no_connections_of_its_own(homes: tuple[Home, Home]) -> None:
    ours, own = homes
    assert ours.connections < own.connections - 4 * len(KEYS)


def test_what_is_read_inside_a_group_is_there_already(tmp_path: Path) -> None:
    with open_instance(tmp_path) as instance, grouped(instance):
        instance.report_runless_asset_event(dg.AssetMaterialization("parts", partition="k000"))
        assert not rows(tmp_path / "history" / "runs" / "index.db", "SELECT 1 FROM event_logs")
        assert len(instance.fetch_materializations(dg.AssetKey("parts"), limit=9).records) == 1


def test_an_error_inside_a_group_loses_no_event(tmp_path: Path) -> None:
    def fail_in_a_group(instance: dg.DagsterInstance) -> None:
        with grouped(instance):
            instance.report_runless_asset_event(dg.AssetMaterialization("parts", partition="k000"))
            raise ZeroDivisionError

    with open_instance(tmp_path) as instance:
        with pytest.raises(ZeroDivisionError):
            fail_in_a_group(instance)
        assert rows(tmp_path / "history" / "runs" / "index.db", "SELECT partition FROM event_logs") == [("k000",)]


def test_events_that_wait_are_written_when_the_instance_is_closed(tmp_path: Path) -> None:
    with open_instance(tmp_path) as instance:
        assert isinstance(instance.event_log_storage, GroupedEventLog)
        with instance.event_log_storage.group():
            instance.report_runless_asset_event(dg.AssetMaterialization("parts"))
            instance.event_log_storage.dispose()
            assert rows(tmp_path / "history" / "runs" / "index.db", "SELECT asset_key FROM event_logs") == [
                ('["parts"]',)
            ]


def test_a_home_that_names_its_own_storage_keeps_it(tmp_path: Path) -> None:
    storage = {"module": "dagster._core.storage.event_log", "class": "ConsolidatedSqliteEventLogStorage"}
    config = f"{{module: {storage['module']}, class: {storage['class']}, config: {{base_dir: {tmp_path / 'events'}}}}}"
    (tmp_path / "dagster.yaml").write_text(f"event_log_storage: {config}\n")
    with open_instance(tmp_path) as instance, grouped(instance):
        assert type(instance.event_log_storage).__name__ == storage["class"]
