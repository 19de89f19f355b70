"""Charts of the room in the database and of what storage costs."""

from collections.abc import Mapping
from typing import Any

from z_interact_assets.core.snapshots import part
from z_interact_assets.report.page import words
from z_interact_assets.report.page.charts import Point, byte_unit, lying
from z_interact_assets.report.page.figure import BASE64_TEXT, NOT_COUNTED, Figure
from z_interact_assets.report.page.tables import NONE, Cell, amount, table


def database(stats: Mapping[str, Any]) -> Figure:
    """How full the database is, and when it will be."""
    title = "How full the database is"
    taken, text, limit = (part(stats, "database", name) for name in ("bytes", "base64_bytes", "limit_bytes"))
    if taken is None:
        says = NOT_COUNTED if "database" not in stats else "Unknown: the database does not tell its size."
        return Figure(name="database", title=title, says=says)
    text = min(text or 0, taken)
    whole = max(taken, limit or 0)
    parts = {BASE64_TEXT: text, "Other data": taken - text} | ({"Free": whole - taken} if limit else {})
    factor, unit = byte_unit(whole)
    points = [
        Point(at="Database", series=name, value=value / factor, said=f"{name}: {words.size(value)}")
        for name, value in parts.items()
    ]
    rows = [(Cell(name), amount(value), Cell(words.share(value, whole))) for name, value in parts.items()]
    rows.append((Cell("Limit"), amount(limit) if limit else Cell("none is set"), NONE))
    return Figure(
        name="database",
        title=title,
        says=_filling_says(stats, taken, limit),
        drawing=lying(points, tuple(parts), f"Size ({unit})") if taken else None,
        table=table("Room in the database", "Part | #Size | #Share", rows),
    )


def _filling_says(stats: Mapping[str, Any], taken: int, limit: int | None) -> str:
    growth = stats.get("growth") or {}
    pace, full = growth.get("database_bytes_per_day"), growth.get("full_in_days")
    if not limit:
        return f"{words.size(taken)} are taken; no limit is set (DATABASE_LIMIT_BYTES)."
    told = f"{words.size(taken)} of {words.size(limit)} are taken, {words.share(taken, limit)}."
    if pace is None:
        return f"{told} How fast it grows is unknown: there are too few new images to tell."
    told += (
        f" If all new images stayed in it as base64, it would grow by {words.size(round(pace))} a day "
        f"(as in the last {growth.get('window_days')} days) and"
    )
    if full is None:
        return f"{told} not fill up in the foreseeable future."
    date = words.moment(growth.get("full_on"))
    return f"{told} be full in {words.days(full)}{f', on {words.day(date)}' if date else ''}."


_COSTS = {"now": "Now", "all_in_r2": "All in R2", "all_base64": "All base64"}
_OF_R2 = ("r2_storage", "r2_class_a", "r2_class_b")
_PARTS = {
    "r2_storage": "Room in R2", "r2_class_a": "Writes to R2", "r2_class_b": "Reads from R2",
    "database": "Room in the database", "total": "Total",
}  # fmt: skip


def costs(stats: Mapping[str, Any]) -> Figure:
    """What a month costs now, with everything in R2 and with everything as base64."""
    title, found = "Cost a month, estimated", stats.get("costs")
    if not found:
        return Figure(name="costs", title=title, says=NOT_COUNTED)
    return Figure(
        name="costs",
        title=title,
        says=_costs_say(found),
        drawing=lying(list(_cost_points(found)), ("R2", "Database"), "US dollars a month", money=True),
        table=table(
            "US dollars a month, without free allowances", f"Part | #{' | #'.join(_COSTS.values())}", _cost_rows(found)
        ),
    )


def _cost_points(found: Mapping[str, Any]) -> list[Point]:
    points = []
    for key, name in _COSTS.items():
        parts = found.get(key) or {}
        known = [parts[of] for of in _OF_R2 if parts.get(of) is not None]
        for series, cost in (("R2", sum(known) if known else None), ("Database", parts.get("database"))):
            if cost is not None:
                said = f"{name}: {words.dollars(cost)} for {series}"
                points.append(Point(at=name, series=series, value=cost, said=said))
    return points


def _cost_rows(found: Mapping[str, Any]) -> list[tuple[Cell, ...]]:
    rows = [(Cell(name), *(_dollars(part(found, key, of)) for key in _COSTS)) for of, name in _PARTS.items()]
    later = found.get("in_12_months") or {}
    return [
        *rows,
        (Cell("Total in 12 months"), NONE, _dollars(later.get("all_in_r2")), _dollars(later.get("all_base64"))),
    ]


def _dollars(cost: float | None) -> Cell:
    return Cell(words.dollars(cost), -1 if cost is None else cost)


def _costs_say(found: Mapping[str, Any]) -> str:
    now, moved, text = (words.dollars(part(found, key, "total")) for key in _COSTS)
    told = f"Now {now}, {moved} with every image in R2, {text} with every image as base64."
    later = found.get("in_12_months")
    if not later:
        return f"{told} What it will be in 12 months is unknown: there are too few new images to tell the growth."
    return (
        f"{told} In 12 months at today's growth: {words.dollars(later.get('all_in_r2'))} in R2, "
        f"{words.dollars(later.get('all_base64'))} as base64."
    )
