"""The summary of a report as Markdown. Pure: a snapshot in, text out. What is unknown is called so, never zero."""

from collections.abc import Mapping
from typing import Any

UNKNOWN = "unknown"

_ROWS = (
    ("r2_images", "in R2, without base64"),
    ("mixed_images", "in R2, base64 not yet reclaimed"),
    ("base64_images", "base64 only"),
    ("external_images", "on other servers"),
    ("local_images", "files of the app"),
    ("imageless_images", "without an image"),
    ("unfinished_images", "unfinished"),
    ("unrecognised_images", "not recognised"),
)
_BUCKET = (
    ("r2_objects", "objects"),
    ("orphan_objects", "objects that belong to no row"),
    ("missing_objects", "objects that are missing"),
)
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def summary(stats: Mapping[str, Any], *, bucket_as_of: str | None) -> str:
    """Return the summary of a snapshot; `bucket_as_of` is when the bucket was listed, None if that is not known."""
    health = stats["health"]
    score = UNKNOWN if health["score"] is None else f"{health['score']} of 100"
    parts = [
        "# Image storage",
        f"As of {stats['generated_at']}. Health: **{health['status']}** ({score}).",
        _table("Rows of the table", (*((_number(stats[name]), words) for name, words in _ROWS), _total(stats))),
        f"Base64 in the table: {size(stats['base64_bytes'])}. Quarantined: {_number(stats['quarantined_images'])}.",
        _table("Bucket", [(_number(stats[name]), words) for name, words in _BUCKET]),
        f"Size of the objects: {size(stats['r2_bytes'])}. Listed: {bucket_as_of or UNKNOWN}.",
        _list("What is not as it should be", health["issues"], otherwise="Nothing."),
        _list("What to do", [f"`{command}`" for command in health["recommendations"]], otherwise="Nothing."),
    ]
    return "\n\n".join(parts) + "\n"


def size(count: int | None) -> str:
    """Return bytes in the unit people read them in, with the exact number."""
    if count is None:
        return UNKNOWN
    value, unit = float(count), 0
    while value >= 1024 and unit < len(_UNITS) - 1:  # noqa: PLR2004 - a KiB
        value, unit = value / 1024, unit + 1
    return f"{count:,} bytes" if unit == 0 else f"{value:,.1f} {_UNITS[unit]} ({count:,} bytes)"


def _number(count: int | None) -> str:
    return UNKNOWN if count is None else f"{count:,}"


def _total(stats: Mapping[str, Any]) -> tuple[str, str]:
    return f"**{_number(stats['total_images'])}**", "**in all**"


def _table(title: str, rows: Any) -> str:
    lines = [f"## {title}", "", "| count | |", "|---:|---|", *(f"| {count} | {words} |" for count, words in rows)]
    return "\n".join(lines)


def _list(title: str, entries: list[str], *, otherwise: str) -> str:
    return "\n".join([f"## {title}", "", *([f"- {entry}" for entry in entries] or [otherwise])])
