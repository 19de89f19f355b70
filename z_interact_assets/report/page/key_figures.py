"""The numbers one asks for first, with their units; and the sizes to the byte."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from z_interact_assets.core.snapshots import part
from z_interact_assets.core.units import UNKNOWN, exact_size, number
from z_interact_assets.report.page import words

_MISSED = "the bucket could not be listed"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFigure:
    """A number with its unit, and what it is about."""

    name: str
    value: str
    note: str


def key_figures(stats: Mapping[str, Any]) -> Iterator[KeyFigure]:
    """Yield the numbers one asks for first."""
    total, moved, text = stats.get("total_images"), words.in_r2(stats), stats.get("base64_bytes")
    yield KeyFigure(name="Images in all", value=number(total), note="rows of the app's table")
    share = words.share(moved, total)
    yield KeyFigure(name="In R2", value=number(moved), note="of no images" if not total else f"{share} of all images")
    yield KeyFigure(name="Base64 only", value=number(stats.get("base64_images")), note="stored as text, not moved yet")
    yield _files(stats)
    yield KeyFigure(
        name="Base64 in the database", value=words.size(text), note="about a third larger than the same files"
    )
    yield _database(stats)
    yield _cost(stats)
    yield _growth(stats)


def _files(stats: Mapping[str, Any]) -> KeyFigure:
    objects = stats.get("r2_objects")
    note = _MISSED if objects is None else f"in {words.plural(objects, 'file')}"
    return KeyFigure(name="Size of the files in R2", value=words.size(stats.get("r2_bytes")), note=note)


def _database(stats: Mapping[str, Any]) -> KeyFigure:
    taken, limit = part(stats, "database", "bytes"), part(stats, "database", "limit_bytes")
    if taken is None:
        note = "the database does not tell its size" if "database" in stats else "not counted by that version"
    else:
        note = "no limit is set" if not limit else f"{words.share(taken, limit)} of its limit of {words.size(limit)}"
    return KeyFigure(name="Size of the database", value=words.size(taken), note=note)


def _cost(stats: Mapping[str, Any]) -> KeyFigure:
    now, then = part(stats, "costs", "now", "total"), part(stats, "costs", "all_in_r2", "total")
    if now is None:
        note = "not counted by that version"
    elif part(stats, "costs", "now", "r2_storage") is None:
        note = f"estimated, US dollars; without R2, as {_MISSED}"
    else:
        note = f"estimated, US dollars; {words.dollars(then)} with everything in R2"
    return KeyFigure(name="Cost a month", value=words.dollars(now), note=note)


def _growth(stats: Mapping[str, Any]) -> KeyFigure:
    pace, window = part(stats, "growth", "images_per_day"), part(stats, "growth", "window_days")
    note = "too few new images to tell" if pace is None else f"on average in the last {window} days"
    return KeyFigure(name="New images a day", value=words.rate(pace), note=note)


def exactly(stats: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the sizes to the byte."""
    return [
        ("Files in R2", exact_size(stats.get("r2_bytes"))),
        ("Base64 text in the database", exact_size(stats.get("base64_bytes"))),
        ("The same as files", _decoded(stats)),
        ("Database", exact_size(part(stats, "database", "bytes"))),
        ("Base64 that may be cleared later", exact_size(part(stats, "database", "reclaimable_bytes"))),
        ("… of it now", exact_size(part(stats, "database", "reclaimable_now_bytes"))),
        ("Base64 cleared so far", exact_size(part(stats, "database", "reclaimed_bytes"))),
    ]


def _decoded(stats: Mapping[str, Any]) -> str:
    about = "about " if part(stats, "database", "decoded_is_estimate") else ""
    found = part(stats, "database", "decoded_bytes")
    return UNKNOWN if found is None else about + exact_size(found)
