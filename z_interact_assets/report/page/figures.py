"""The charts in the order of the page, and the main one as a picture for elsewhere."""

from collections.abc import Iterator, Mapping
from typing import Any

from z_interact_assets.report.page.by_group import by_month, by_persona, by_size
from z_interact_assets.report.page.charts import line_chart
from z_interact_assets.report.page.data import PageData
from z_interact_assets.report.page.drawing import to_png
from z_interact_assets.report.page.figure import Figure, Snapshots, snapshots
from z_interact_assets.report.page.over_time import (
    IMAGE_SERIES,
    bytes_over_time,
    image_points,
    images_over_time,
    throughput,
)
from z_interact_assets.report.page.room_and_costs import costs, database


def figures(data: PageData) -> Iterator[Figure]:
    """Yield the charts."""
    shots = snapshots(data.stats, data.history)
    yield images_over_time(shots)
    yield bytes_over_time(shots)
    yield database(data.stats)
    yield from by_persona(data.stats)
    yield by_size(data.stats)
    yield by_month(data.stats)
    yield throughput(data.stats)
    yield costs(data.stats)


def chart_png(stats: Mapping[str, Any], history: Snapshots) -> bytes:
    """Return the main chart, images in R2 against base64 over time, as a small PNG on white."""
    return to_png(line_chart(image_points(snapshots(stats, history)), IMAGE_SERIES, "Images", width=640))
