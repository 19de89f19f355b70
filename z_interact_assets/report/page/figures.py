"""The charts of the page: what each shows, what it says in words, and the table of its data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from z_interact_assets.report.page import words
from z_interact_assets.report.page.charts import Point, byte_unit, line_chart, lines, lying, standing
from z_interact_assets.report.page.data import PageData
from z_interact_assets.report.page.drawing import NARROW, WIDE, to_png
from z_interact_assets.report.page.tables import (
    Cell,
    Table,
    amount,
    breakdown_table,
    count,
    group_name,
    groups_of,
    nothing,
    table,
)
from z_interact_assets.report.units import UNKNOWN, money, number, size

_BARS = 10  # of a chart; its table has all
_SERIES = ("In R2", "Base64 only", "Elsewhere")
_OLD = "Unknown: this snapshot was made by a version that did not count it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A chart. `says` is its text alternative; without a drawing, why there is none."""

    name: str
    title: str
    says: str
    drawing: str | None = None
    wide: str | None = None
    table: Table | None = None


def figures(data: PageData) -> Iterator[Figure]:
    """Yield the charts in the order of the page."""
    shots = snapshots(data.stats, data.history)
    yield images_over_time(shots)
    yield bytes_over_time(shots)
    yield database(data.stats)
    yield from by_persona(data.stats)
    yield by_size(data.stats)
    yield by_month(data.stats)
    yield throughput(data.stats)
    yield costs(data.stats)


def chart_png(stats: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the main chart, images in R2 against base64 over time, as a small PNG on white."""
    points = _image_points(snapshots(stats, history))
    return to_png(line_chart(points, _SERIES[:2], "Images", width=640))


def snapshots(stats: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the snapshots with a readable time, oldest first; this report's is the last."""
    found = {at: shot for shot in [*history, stats] if (at := words.moment(shot.get("generated_at")))}
    return [{**found[at], "at": at} for at in sorted(found)]


def images_over_time(shots: Sequence[Mapping[str, Any]]) -> Figure:
    """Images in R2 against base64."""
    title = "Images in R2 and images that are only base64, over time"
    points = _image_points(shots)
    if not points:
        return Figure(name="history", title=title, says=_OLD)
    rows = [
        (Cell(words.when(shot["at"].isoformat()), shot["at"].isoformat()), count(words.in_r2(shot)), count(shot.get("base64_images")),
         count(shot.get("total_images")))
        for shot in reversed(shots)
    ]  # fmt: skip
    return Figure(
        name="history", title=title, says=_history_says(shots),
        drawing=lines(points, _SERIES[:2], "Images"), wide=lines(points, _SERIES[:2], "Images", width=WIDE),
        table=table("Snapshots, newest first", "Snapshot | #In R2 | #Base64 only | #Images in all", rows),
    )  # fmt: skip


def _image_points(shots: Sequence[Mapping[str, Any]]) -> list[Point]:
    return [
        Point(at=shot["at"].isoformat(), series=series, value=value, said=f"{words.day(shot['at'])}: {number(value)} {said}")
        for shot in shots
        for series, value, said in (("In R2", words.in_r2(shot), "in R2"), ("Base64 only", shot.get("base64_images"), "only base64"))
        if value is not None
    ]  # fmt: skip


def _history_says(shots: Sequence[Mapping[str, Any]]) -> str:
    first, last = shots[0], shots[-1]
    now = f"{number(words.in_r2(last))} images in R2 and {number(last.get('base64_images'))} only base64"
    if len(shots) == 1:
        return f"One snapshot so far, of {words.day(last['at'])}: {now}. The lines begin with the next one."
    return (
        f"From {words.day(first['at'])} to {words.day(last['at'])} the images in R2 went from "
        f"{number(words.in_r2(first))} to {number(words.in_r2(last))}, those only base64 from "
        f"{number(first.get('base64_images'))} to {number(last.get('base64_images'))}."
    )


def bytes_over_time(shots: Sequence[Mapping[str, Any]]) -> Figure:
    """Bytes in R2 against base64."""
    title = "Size of the files in R2 and of the base64 text, over time"
    told = [
        (shot["at"], series, value)
        for shot in shots
        for series, value in (("In R2", shot.get("r2_bytes")), ("Base64 text", shot.get("base64_bytes")))
        if value is not None
    ]
    if not told:
        return Figure(name="bytes", title=title, says=_OLD)
    factor, unit = byte_unit(max(value for *_, value in told))
    points = [
        Point(at=at.isoformat(), series=series, value=value / factor, said=f"{words.day(at)}: {size(value)}, {series}")
        for at, series, value in told
    ]
    last = shots[-1]
    missing = sum(shot.get("r2_bytes") is None for shot in shots)
    gap = f" In {words.plural(missing, 'snapshot')} the size in R2 is unknown and not drawn." if missing else ""
    return Figure(
        name="bytes", title=title,
        says=f"Now {size(last.get('r2_bytes'))} of files in R2 and {size(last.get('base64_bytes'))} of base64 text.{gap}",
        drawing=lines(points, ("In R2", "Base64 text"), f"Size ({unit})"),
        table=table("Sizes, newest first", "Snapshot | #Files in R2 | #Base64 text | #Database", [
            (Cell(words.when(shot["at"].isoformat()), shot["at"].isoformat()), amount(shot.get("r2_bytes")),
             amount(shot.get("base64_bytes")), amount(shot.get("database_bytes") or words.part(shot, "database", "bytes")))
            for shot in reversed(shots)
        ]),
    )  # fmt: skip


def database(stats: Mapping[str, Any]) -> Figure:
    """How full the database is, and when it will be."""
    title = "How full the database is"
    taken, text, limit = (words.part(stats, "database", name) for name in ("bytes", "base64_bytes", "limit_bytes"))
    if taken is None:
        says = _OLD if "database" not in stats else "Unknown: the database does not tell its size."
        return Figure(name="database", title=title, says=says)
    text = min(text or 0, taken)
    free = max(0, limit - taken) if limit else 0
    parts = [("Base64 text", text), ("Other data", taken - text), *([("Free", free)] if free else [])]
    factor, unit = byte_unit(max(taken, limit or 0))
    points = [
        Point(at="Database", series=name, value=value / factor, said=f"{name}: {size(value)}")
        for name, value in parts
        if value
    ]
    return Figure(
        name="database", title=title, says=_filling_says(stats, taken, limit),
        drawing=lying(points, [name for name, _ in parts], f"Size ({unit})") if points else None,
        table=table("Room in the database", "Part | #Size | #Share", [
            *((Cell(name), amount(value), Cell(words.share(value, max(taken, limit or 0)))) for name, value in parts),
            (Cell("Limit"), amount(limit) if limit else Cell("none is set"), Cell("")),
        ]),
    )  # fmt: skip


def _filling_says(stats: Mapping[str, Any], taken: int, limit: int | None) -> str:
    full, day = (words.part(stats, "growth", name) for name in ("full_in_days", "full_on"))
    growth, window = (words.part(stats, "growth", name) for name in ("database_bytes_per_day", "window_days"))
    if not limit:
        return f"{size(taken)} are taken; no limit is set (DATABASE_LIMIT_BYTES)."
    told = f"{size(taken)} of {size(limit)} are taken, {words.share(taken, limit)}."
    if growth is None:
        return f"{told} How fast it grows is unknown: there are too few new images to tell."
    at = f" If new images stayed in it as base64, it would grow by {size(round(growth))} a day (as in the last {window} days)"
    if full is None:
        return f"{told}{at} and not fill up in the foreseeable future."
    date = words.moment(day)
    return f"{told}{at} and be full in {words.days(full)}{f', on {words.day(date)}' if date else ''}."


def by_persona(stats: Mapping[str, Any]) -> Iterator[Figure]:
    """Images and bytes by persona."""
    groups = groups_of(stats, "persona")
    if not groups:
        yield Figure(name="persona", title="Images by persona", says=nothing(stats, "persona"))
        return
    told = _most(groups)
    yield Figure(
        name="persona", title="Images by persona", says=_largest(told, groups, "images", number),
        drawing=lying(_by_place(told), _present(told), "Images"), table=breakdown_table(stats, "persona"),
    )  # fmt: skip
    factor, unit = byte_unit(max(max(group["bytes"], group["base64_bytes"]) for _, group in told))
    points = [
        Point(at=name, series=series, value=group[key] / factor, said=f"{name}: {size(group[key])}, {series}")
        for name, group in told
        for series, key in (("In R2", "bytes"), ("Base64 text", "base64_bytes"))
    ]
    yield Figure(
        name="persona-bytes", title="Size by persona", says=_largest(told, groups, "bytes", size, "of files in R2"),
        drawing=lying(points, ("In R2", "Base64 text"), f"Size ({unit})"), table=breakdown_table(stats, "persona"),
    )  # fmt: skip


def _most(groups: Sequence[Mapping[str, Any]]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the first groups with their names, the others as one."""
    named = [(group_name("persona", group), group) for group in groups]
    rest = [group for _, group in named[_BARS:]]
    keys = ("images", "r2_images", "base64_images", "bytes", "base64_bytes")
    others = {key: sum(group.get(key) or 0 for group in rest) for key in keys}
    return named[:_BARS] + ([(f"{len(rest)} more groups", others)] if rest else [])


def _by_place(told: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Point]:
    return [
        Point(at=name, series=series, value=value, said=f"{name}: {number(value)} {series}")
        for name, group in told
        for series, value in _places(group).items()
    ]


def _places(group: Mapping[str, Any]) -> dict[str, int]:
    moved, waiting = group["r2_images"], group["base64_images"]
    return {"In R2": moved, "Base64 only": waiting, "Elsewhere": group["images"] - moved - waiting}


def _present(told: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
    elsewhere = any(_places(group)["Elsewhere"] for _, group in told)
    return list(_SERIES if elsewhere else _SERIES[:2])


def _largest(told: Any, groups: Sequence[Any], key: str, show: words.Show, what: str = "images") -> str:
    name, group = max(told, key=lambda pair: pair[1][key])
    whole = sum(one[key] for one in groups)
    if not whole:
        return "No file is in R2 yet."
    noun = what if key != "images" or group[key] != 1 else "image"
    return f"Largest: {name} with {show(group[key])} {noun}, {words.share(group[key], whole)} of all."


def by_size(stats: Mapping[str, Any]) -> Figure:
    """Images by size class."""
    return _standing(stats, "size", "Images by size", "Size of the image", "Most images are")


def by_month(stats: Mapping[str, Any]) -> Figure:
    """Images by month."""
    return _standing(stats, "month", "Images by month of creation", "Month (UTC)", "Most images are of")


def _standing(stats: Mapping[str, Any], breakdown: str, title: str, axis: str, most: str) -> Figure:
    groups = groups_of(stats, breakdown)
    if not groups:
        return Figure(name=breakdown, title=title, says=nothing(stats, breakdown))
    told = [(group_name(breakdown, group).partition(" (")[0], group) for group in groups]
    name, largest = max(told, key=lambda pair: pair[1]["images"])
    return Figure(
        name=breakdown, title=title, drawing=standing(_by_place(told), _present(told), "Images", axis=axis),
        says=f"{most} {name}: {number(largest['images'])} of {number(sum(group['images'] for group in groups))}.",
        table=breakdown_table(stats, breakdown),
    )  # fmt: skip


_WORK = (("Moved", "images"), ("Quarantined", "quarantined"), ("Failed", "failed"))


def throughput(stats: Mapping[str, Any]) -> Figure:
    """Images moved a day."""
    title, found = "Images moved a day", stats.get("throughput")
    if not found:
        says = _OLD if found is None else "Nothing was moved in the last 90 days."
        return Figure(name="throughput", title=title, says=says)
    points = [
        Point(
            at=one["day"],
            series=name,
            value=one.get(key) or 0,
            said=f"{one['day']}: {number(one.get(key) or 0)} {name.lower()}",
        )
        for one in found
        for name, key in _WORK
    ]
    present = [name for name, key in _WORK if key == "images" or any(one.get(key) for one in found)]
    best = max(found, key=lambda one: one.get("images") or 0)
    moved = sum(one.get("images") or 0 for one in found)
    return Figure(
        name="throughput", title=title,
        says=f"{words.plural(moved, 'image')} in the last 90 days, on {words.plural(len(found), 'day')}; most on {best['day']}: "
        f"{number(best.get('images'))}.",
        drawing=standing([point for point in points if point.series in present], present, "Images", axis="Day (UTC)"),
        table=table("Days on which something happened, newest first",
                    "Day, UTC | #Moved | #Size | #Failed | #Quarantined | #Base64 cleared", [
            (Cell(one["day"]), count(one.get("images")), amount(one.get("bytes")), count(one.get("failed")),
             count(one.get("quarantined")), count(one.get("reclaimed")))
            for one in reversed(found)
        ]),
    )  # fmt: skip


_COSTS = (("now", "Now"), ("all_in_r2", "All in R2"), ("all_base64", "All base64"))
_PARTS = (
    ("r2_storage", "Room in R2"), ("r2_class_a", "Writes to R2"), ("r2_class_b", "Reads from R2"), ("database", "Room in the database"),
    ("total", "Total"),
)  # fmt: skip


def costs(stats: Mapping[str, Any]) -> Figure:
    """What a month costs now, with everything in R2 and with everything as base64."""
    title, found = "Cost a month, estimated", stats.get("costs")
    if not found:
        return Figure(name="costs", title=title, says=_OLD)
    points = []
    for key, name in _COSTS:
        parts = found.get(key) or {}
        in_r2 = [parts.get(part) for part in ("r2_storage", "r2_class_a", "r2_class_b")]
        for series, cost in (("R2", sum(cost or 0 for cost in in_r2)), ("Database", parts.get("database"))):
            if cost is not None:
                points.append(Point(at=name, series=series, value=cost, said=f"{name}: {_dollars(cost)} for {series}"))
    later = found.get("in_12_months") or {}
    rows = [
        (Cell(name), *(Cell(_dollars(words.part(found, key, part))) for key, _ in _COSTS)) for part, name in _PARTS
    ] + [(Cell("Total in 12 months"), Cell("–"), *(Cell(_dollars(later.get(key))) for key, _ in _COSTS[1:]))]  # noqa: RUF001
    return Figure(
        name="costs", title=title, says=_costs_say(found, later),
        drawing=lying(points, ("R2", "Database"), "US dollars a month", money=True),
        table=table("US dollars a month, without free allowances", "Part | #Now | #All in R2 | #All base64", rows),
    )  # fmt: skip


def _costs_say(found: Mapping[str, Any], later: Mapping[str, Any]) -> str:
    now, moved, text = (words.part(found, key, "total") for key, _ in _COSTS)
    told = (
        f"Now {_dollars(now)}, {_dollars(moved)} with every image in R2, {_dollars(text)} with every image as base64."
    )
    if not later:
        return f"{told} What it will be in 12 months is unknown: there are too few new images to tell the growth."
    return f"{told} In 12 months at today's growth: {_dollars(later.get('all_in_r2'))} in R2, {_dollars(later.get('all_base64'))} as base64."


def _dollars(cost: float | None) -> str:
    """Return an amount in dollars; small ones keep two digits that are not 0."""
    if cost is None:
        return UNKNOWN
    if cost >= 1 or not cost:
        return money(cost)
    return "under $0.0001" if cost < 0.0001 else f"${cost:.4f}".rstrip("0")  # noqa: PLR2004
