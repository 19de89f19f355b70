"""Ticks of sensors and schedules as the daemon evaluates them, on the real definitions and the real instance."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

import dagster as dg
from dagster._core.definitions.sensor_definition import SensorExecutionData

from tests.integration.dagster.installation import Installation
from z_interact_assets.defs.build import build_defs
from z_interact_assets.defs.sensors import TickCursor, build_sensors
from z_interact_assets.settings import AutomationSettings, load_automation_settings

SENSOR = "new_base64_images"


class Ticks:
    """Evaluates, and keeps each sensor's cursor as the daemon does."""

    def __init__(
        self, installation: Installation, settings: AutomationSettings | None = None, *, most_rows: int | None = None
    ) -> None:
        self._installation = installation
        self._most_rows = most_rows
        self._defs = build_defs(settings=settings or load_automation_settings())
        self.cursor: str | None = None

    def sensor(self, *, forget: bool = False) -> dg.SensorResult:
        """Evaluate the sensor once, well rested; with `forget` its daemon dies before it has noted anything."""
        if self.cursor is not None:
            self.cursor = str(replace(TickCursor.parse(self.cursor), took=0))
        data = self._evaluated()
        if not forget:
            self.cursor = data.cursor
        return dg.SensorResult(run_requests=data.run_requests, skip_reason=data.skip_message, cursor=data.cursor)

    def _evaluated(self) -> SensorExecutionData:
        defs = self._defs
        if self._most_rows is not None:
            sensors = build_sensors(load_automation_settings({}), most_rows=self._most_rows)
            defs = dg.Definitions(sensors=[one for one in sensors if one.name == SENSOR], resources=defs.resources)
        return tick_of(self._installation, SENSOR, self.cursor, defs)

    def schedule(self, name: str, at: datetime | None = None) -> list[dg.RunRequest]:
        schedule = self._defs.resolve_schedule_def(name)
        with dg.build_schedule_context(
            instance=self._installation.instance,
            scheduled_execution_time=at or datetime(2026, 3, 1, 2, 0, tzinfo=UTC),
            resources=self._defs.resources,
        ) as context:
            return list(schedule.evaluate_tick(context).run_requests or ())

    def launch(self, requests: list[dg.RunRequest], job: str = "migrate_images") -> list[dg.ExecuteInProcessResult]:
        """Run what was requested, as the daemon would."""
        return [
            self._installation.run(job, config=dict(request.run_config), tags=dict(request.tags))
            for request in requests
        ]


def tick_of(
    installation: Installation, sensor: str, cursor: str | None, defs: dg.Definitions | None = None
) -> SensorExecutionData:
    """Evaluate a sensor as the code server does; its resources are of this tick alone."""
    defs = defs or build_defs()
    with dg.build_sensor_context(
        instance=installation.instance,
        cursor=cursor,
        resources=defs.resources,
        repository_def=defs.get_repository_def(),
    ) as context:
        return defs.resolve_sensor_def(sensor).evaluate_tick(context)


def ranges(requests: object) -> list[tuple[str, str]]:
    """The batches of each request."""
    return [
        (request.tags["dagster/asset_partition_range_start"], request.tags["dagster/asset_partition_range_end"])
        for request in cast("list[dg.RunRequest]", requests or [])
    ]
