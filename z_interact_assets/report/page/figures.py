"""The charts in the order of the page."""

from collections.abc import Iterator

from z_interact_assets.report.page.by_group import by_month, by_persona, by_size
from z_interact_assets.report.page.data import PageData
from z_interact_assets.report.page.figure import Figure, snapshots
from z_interact_assets.report.page.over_time import bytes_over_time, images_over_time, throughput
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
