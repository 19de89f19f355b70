"""Charts over time: images and bytes by snapshot, images moved by day."""

from collections.abc import Mapping
from typing import Any

from z_interact_assets.core.snapshots import part
from z_interact_assets.core.units import number
from z_interact_assets.report.page import words
from z_interact_assets.report.page.charts import Point, byte_unit, lines, standing
from z_interact_assets.report.page.drawing import WIDE
from z_interact_assets.report.page.figure import (
    BASE64_ONLY,
    BASE64_TEXT,
    IN_R2,
    NOT_COUNTED,
    Figure,
    Snapshots,
    thinned,
)
from z_interact_assets.report.page.tables import Cell, amount, count, table

IMAGE_SERIES = (IN_R2, BASE64_ONLY)


def images_over_time(shots: Snapshots) -> Figure:
    """Images in R2 against base64."""
    title = "Images in R2 and images that are only base64, over time"
    points = image_points(shots)
    if not points:
        return Figure(name="history", title=title, says=NOT_COUNTED)
    rows = [
        (_time(shot), count(words.in_r2(shot)), count(shot.get("base64_images")), count(shot.get("total_images")))
        for shot in reversed(shots)
    ]
    return Figure(
        name="history",
        title=title,
        says=_history_says(shots),
        drawing=lines(points, IMAGE_SERIES, "Images"),
        wide=lines(points, IMAGE_SERIES, "Images", width=WIDE),
        table=table("Snapshots, newest first", "Snapshot | #In R2 | #Base64 only | #Images in all", rows),
    )


def image_points(shots: Snapshots) -> list[Point]:
    """Return what the main chart draws."""
    return [
        Point(
            at=shot["at"].isoformat(), series=series, value=value,
            said=f"{words.day(shot['at'])}: {words.plural(value, 'image')}, {series}",
        )
        for shot in thinned(shots)
        for series, value in ((IN_R2, words.in_r2(shot)), (BASE64_ONLY, shot.get("base64_images")))
        if value is not None
    ]  # fmt: skip


def _time(shot: Mapping[str, Any]) -> Cell:
    iso = shot["at"].isoformat()
    return Cell(words.when(iso), iso)


def _history_says(shots: Snapshots) -> str:
    first, last = shots[0], shots[-1]
    moved, waiting = number(words.in_r2(last)), number(last.get("base64_images"))
    if len(shots) == 1:
        return (
            f"One snapshot so far, of {words.day(last['at'])}: {moved} images in R2 and {waiting} only base64. "
            "The lines begin with the next one."
        )
    span = words.day(first["at"]), words.day(last["at"])
    since = f"On {span[0]}" if span[0] == span[1] else f"From {span[0]} to {span[1]}"
    return (
        f"{since} the images in R2 went from "
        f"{number(words.in_r2(first))} to {moved}, those only base64 from {number(first.get('base64_images'))} "
        f"to {waiting}."
    )


def bytes_over_time(shots: Snapshots) -> Figure:
    """Bytes in R2 against base64."""
    title = "Size of the files in R2 and of the base64 text, over time"
    told = [
        (shot["at"], series, shot[key])
        for shot in thinned(shots)
        for series, key in ((IN_R2, "r2_bytes"), (BASE64_TEXT, "base64_bytes"))
        if shot.get(key) is not None
    ]
    if not told:
        return Figure(name="bytes", title=title, says=NOT_COUNTED)
    factor, unit = byte_unit(max(value for *_, value in told))
    points = [
        Point(
            at=at.isoformat(), series=series, value=value / factor,
            said=f"{words.day(at)}: {words.size(value)}, {series}",
        )
        for at, series, value in told
    ]  # fmt: skip
    rows = [
        (_time(shot), amount(shot.get("r2_bytes")), amount(shot.get("base64_bytes")), amount(_database_bytes(shot)))
        for shot in reversed(shots)
    ]
    return Figure(
        name="bytes",
        title=title,
        says=_bytes_say(shots),
        drawing=lines(points, (IN_R2, BASE64_TEXT), f"Size ({unit})"),
        table=table("Sizes, newest first", "Snapshot | #Files in R2 | #Base64 text | #Database", rows),
    )


def _database_bytes(shot: Mapping[str, Any]) -> int | None:
    """Return the database's size, of a row of the history or of a document."""
    return part(shot, "database", "bytes") if "database" in shot else shot.get("database_bytes")


def _bytes_say(shots: Snapshots) -> str:
    files, text = (words.size(shots[-1].get(key)) for key in ("r2_bytes", "base64_bytes"))
    unknown = sum(shot.get("r2_bytes") is None for shot in shots)
    gap = f" In {words.plural(unknown, 'snapshot')} the size in R2 is unknown and not drawn." if unknown else ""
    return f"Now {files} of files in R2 and {text} of base64 text.{gap}"


_WORK = (("Moved", "images"), ("Quarantined", "quarantined"), ("Failed", "failed"))


def throughput(stats: Mapping[str, Any]) -> Figure:
    """Images moved a day."""
    title, found = "Images moved a day", stats.get("throughput")
    if not found:
        says = NOT_COUNTED if found is None else "Nothing was moved in the last 90 days."
        return Figure(name="throughput", title=title, says=says)
    work = {name: key for name, key in _WORK if key == "images" or any(one.get(key) for one in found)}
    points = [
        Point(
            at=one["day"], series=name, value=one.get(key) or 0,
            said=f"{one['day']}: {number(one.get(key) or 0)} {name}",
        )
        for one in found
        for name, key in work.items()
    ]  # fmt: skip
    rows = [
        (Cell(one["day"]), count(one.get("images")), amount(one.get("bytes")), count(one.get("failed")),
         count(one.get("quarantined")), count(one.get("reclaimed")))
        for one in reversed(found)
    ]  # fmt: skip
    columns = "Day, UTC | #Moved | #Size | #Failed | #Quarantined | #Base64 cleared"
    return Figure(
        name="throughput",
        title=title,
        says=_throughput_says(found),
        drawing=standing(points, tuple(work), "Images", axis="Day (UTC)"),
        table=table("Days on which something happened, newest first", columns, rows),
    )


def _throughput_says(found: Snapshots) -> str:
    best = max(found, key=lambda one: one.get("images") or 0)
    moved = words.plural(sum(one.get("images") or 0 for one in found), "image")
    return (
        f"{moved} in the last 90 days, on {words.plural(len(found), 'day')}; "
        f"most on {best['day']}: {number(best.get('images'))}."
    )
