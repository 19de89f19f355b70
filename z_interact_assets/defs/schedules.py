"""Schedules: their cron and zone come from the settings; what destroys is off until somebody turns it on."""

from collections.abc import Sequence

import dagster as dg

from z_interact_assets.settings import AutomationSettings


def build_schedules(settings: AutomationSettings) -> Sequence[dg.ScheduleDefinition]:  # noqa: ARG001 - to come
    """Return the schedules."""
    return []
