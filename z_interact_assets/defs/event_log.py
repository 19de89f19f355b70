"""Dagster's event log in SQLite, for runs of this process: events of assets are written a group at a time.

Dagster opens three connections an event and commits two or three times. A run that reports hundreds of batches spends
more on that than on their images. What is written is the same, row for row, in the same files; webserver and daemon
read it with Dagster's own class.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from threading import RLock
from typing import Any

import dagster as dg
from dagster._core.events import DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.instance import InstanceRef
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection

_PLANNED = DagsterEventType.ASSET_MATERIALIZATION_PLANNED
_GROUPED = frozenset({_PLANNED, DagsterEventType.ASSET_MATERIALIZATION})
_ID = SqlEventLogStorageTable.c.id
MOST_HELD = 1_000  # events; each is some KB


class GroupedEventLog(SqliteEventLogStorage):
    """Writes events that tell of assets together: those of a `group`, and those of what a run is about to make.

    Whatever else is written or read meanwhile comes after them, as it came.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._held: list[EventLogEntry] = []
        self._grouping = 0
        self._tables: set[str] = set()
        self._holding = RLock()
        super().__init__(base_dir, inst_data)

    @contextmanager
    def group(self) -> Iterator[None]:
        """Hold the events until the end, then write them; an error of that is the caller's."""
        self._grouping += 1
        try:
            yield
        finally:
            self._grouping -= 1
            self._write_held()

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event, or hold it if more of its kind are to come."""
        kind = event.dagster_event_type if event.is_dagster_event else None
        # Dagster writes what is planned in a row, and the start of the run right after it.
        if kind is _PLANNED or (self._grouping and kind in _GROUPED):
            with self._holding:
                self._held.append(event)
                if len(self._held) >= MOST_HELD:
                    self._write_held()
            return
        self._write_held()
        super().store_event(event)

    def run_connection(self, run_id: str | None = None) -> Any:
        """Connect to a run's events."""
        self._write_held()
        return super().run_connection(run_id)

    def index_connection(self) -> AbstractContextManager[Connection]:
        """Connect to what is kept across runs."""
        self._write_held()
        return super().index_connection()

    def has_table(self, table_name: str) -> bool:
        """Tell whether the index has it: asked for each event, with a connection of its own; none is ever dropped."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def dispose(self) -> None:
        """Write what is held, and let go."""
        self._write_held()
        super().dispose()

    def _write_held(self) -> None:
        with self._holding:
            held, self._held = self._held, []
            for run_id in dict.fromkeys(event.run_id for event in held):
                self._write_group(run_id, [event for event in held if event.run_id == run_id])

    def _write_group(self, run_id: str, events: Sequence[EventLogEntry]) -> None:
        """Write them as `store_event` does one by one: to the file of the run, then to the index over all runs."""
        insert = SqlEventLogStorageTable.insert()
        rows = [self._event_to_row(event) for event in events]
        with self.run_connection(run_id) as connection:
            connection.execute(insert, rows)
        with self.index_transaction() as connection:
            ids: list[int] = [connection.execute(insert.returning(_ID), row).scalar_one() for row in rows]
            self._store_asset_event_tags(connection, events, ids)
            # An asset's own row holds the newest event of a kind: those before it would only be written over.
            newest = {
                (event.get_dagster_event().asset_key, event.dagster_event_type): (event, id_)
                for event, id_ in zip(events, ids, strict=True)
            }
            for event, id_ in newest.values():
                self._store_asset_event(connection, event, id_)


class GroupedSqliteStorage(DagsterSqliteStorage):
    """Dagster's own storage of a home, with that event log."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        self._event_log_storage = GroupedEventLog(f"{base_dir}/history/runs/")

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "GroupedSqliteStorage":
        """Make one of an instance's configuration; the base class would make one of its own."""
        return cls(config_value["base_dir"], inst_data)


def grouped(instance: dg.DagsterInstance) -> AbstractContextManager[None]:
    """Write the events of assets that are logged meanwhile together, where the instance's storage can."""
    log = instance.event_log_storage
    return log.group() if isinstance(log, GroupedEventLog) else nullcontext()


def open_instance(home: Path) -> dg.DagsterInstance:
    """Open the instance of a home for runs of this process; a storage that its dagster.yaml names stays as it is."""
    ref = InstanceRef.from_dir(str(home))
    if ref.storage_data is not None and ref.storage_data.class_name == DagsterSqliteStorage.__name__:
        storage = ConfigurableClassData(__name__, GroupedSqliteStorage.__name__, ref.storage_data.config_yaml)
        ref = ref._replace(storage_data=storage)
    return dg.DagsterInstance.from_ref(ref)
