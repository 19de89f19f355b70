"""Charts of the images by persona, by size and by month."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from z_interact_assets.core.snapshots import MEASURES
from z_interact_assets.core.units import number
from z_interact_assets.report.page import words
from z_interact_assets.report.page.charts import Point, byte_unit, lying, standing
from z_interact_assets.report.page.figure import BASE64_ONLY, BASE64_TEXT, ELSEWHERE, IN_R2, Figure
from z_interact_assets.report.page.tables import breakdown_table, group_name, groups_of, nothing

_BARS = 10  # of a chart; its table has all
_LABEL = 24  # characters
_SIZES = ((IN_R2, "bytes"), (BASE64_TEXT, "base64_bytes"))


class _Bar(NamedTuple):
    """A group as a chart shows it; no two have the same label."""

    label: str
    group: Mapping[str, Any]

    @property
    def places(self) -> dict[str, int]:
        """Images by where they are."""
        images, moved, waiting = (self.group.get(key) or 0 for key in MEASURES[:3])
        return {IN_R2: moved, BASE64_ONLY: waiting, ELSEWHERE: max(0, images - moved - waiting)}


def by_persona(stats: Mapping[str, Any]) -> Iterator[Figure]:
    """Images and bytes by persona."""
    groups = groups_of(stats, "persona")
    if not groups:
        yield Figure(name="persona", title="Images by persona", says=nothing(stats, "persona"))
        return
    bars = _bars("persona", groups)
    told = breakdown_table(stats, "persona")
    drawing = lying(_by_place(bars), _present(bars), "Images")
    yield Figure(name="persona", title="Images by persona", says=_largest(bars, "images"), drawing=drawing, table=told)
    factor, unit = byte_unit(max(bar.group.get(key) or 0 for bar in bars for _, key in _SIZES))
    points = [
        Point(
            at=bar.label, series=series, value=(bar.group.get(key) or 0) / factor,
            said=f"{bar.label}: {words.size(bar.group.get(key))}, {series}",
        )
        for bar in bars
        for series, key in _SIZES
    ]  # fmt: skip
    drawing = lying(points, (IN_R2, BASE64_TEXT), f"Size ({unit})")
    yield Figure(
        name="persona-bytes",
        title="Size by persona",
        says=_largest(bars, "bytes"),
        drawing=drawing,
        table=replace(told, caption="Sizes by persona"),
    )


def by_size(stats: Mapping[str, Any]) -> Figure:
    """Images by size class."""
    return _standing(stats, "size", "Images by size", "Size of the image", "Most frequent:")


def by_month(stats: Mapping[str, Any]) -> Figure:
    """Images by month."""
    return _standing(stats, "month", "Images by month of creation", "Month (UTC)", "Most in")


def _standing(stats: Mapping[str, Any], breakdown: str, title: str, axis: str, most: str) -> Figure:
    groups = groups_of(stats, breakdown)
    if not groups:
        return Figure(name=breakdown, title=title, says=nothing(stats, breakdown))
    bars = _bars(breakdown, groups, most=len(groups))
    largest, whole = _most(bars, "images")
    return Figure(
        name=breakdown,
        title=title,
        says=f"{most} {largest.label}, {number(largest.group['images'])} of {words.plural(whole, 'image')}.",
        drawing=standing(_by_place(bars), _present(bars), "Images", axis=axis),
        table=breakdown_table(stats, breakdown),
    )


def _bars(breakdown: str, groups: Sequence[Mapping[str, Any]], *, most: int = _BARS) -> list[_Bar]:
    """Return the first groups, the others as one."""
    bars: dict[str, _Bar] = {}
    for group in groups[:most]:
        name = words.text(group_name(breakdown, group).partition(" (never")[0], _LABEL)
        label = name if name not in bars else f"{name} ({len(bars) + 1})"
        bars[label] = _Bar(label, group)
    if rest := groups[most:]:
        label = "all others" if any(group.get("group") == "rest" for group in rest) else f"{len(rest)} others"
        bars[label] = _Bar(label, {key: sum(group.get(key) or 0 for group in rest) for key in MEASURES})
    return list(bars.values())


def _by_place(bars: Sequence[_Bar]) -> list[Point]:
    return [
        Point(at=bar.label, series=series, value=images, said=f"{bar.label}: {words.plural(images, 'image')}, {series}")
        for bar in bars
        for series, images in bar.places.items()
    ]


def _present(bars: Sequence[_Bar]) -> tuple[str, ...]:
    return (IN_R2, BASE64_ONLY, ELSEWHERE) if any(bar.places[ELSEWHERE] for bar in bars) else (IN_R2, BASE64_ONLY)


def _most(bars: Sequence[_Bar], key: str) -> tuple[_Bar, int]:
    return max(bars, key=lambda bar: bar.group.get(key) or 0), sum(bar.group.get(key) or 0 for bar in bars)


def _largest(bars: Sequence[_Bar], key: str) -> str:
    bar, whole = _most(bars, key)
    if not whole:
        return "No file is in R2 yet."
    value = bar.group[key]
    shown = words.plural(value, "image") if key == "images" else f"{words.size(value)} of files in R2"
    return f"Largest: {bar.label} with {shown}, {words.share(value, whole)} of all."
