"""Sensors: new rows, automation conditions, failed runs."""

from collections.abc import Sequence

import dagster as dg

from z_interact_assets.settings import AutomationSettings


def build_sensors(settings: AutomationSettings) -> Sequence[dg.SensorDefinition]:  # noqa: ARG001 - to come
    """Return the sensors."""
    return []
