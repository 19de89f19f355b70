"""Tables of the page: columns with a name and a kind, rows of cells. Drawn by the template."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from z_interact_assets.core.reasons import Reason
from z_interact_assets.core.snapshots import part
from z_interact_assets.core.units import number
from z_interact_assets.report.page import words


class Cell(NamedTuple):
    """What is shown; and what it is sorted by, if that is something else."""

    shown: str
    sort: float | str | None = None


NONE = Cell("–")  # noqa: RUF001 - a dash: there is none to be told


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column; numbers stand at its right."""

    name: str
    numeric: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table. `missing` says why there is none."""

    caption: str
    columns: Sequence[Column] = ()
    rows: Sequence[Sequence[Cell]] = ()
    missing: str | None = None


def table(caption: str, columns: str, rows: Iterable[Sequence[Cell]], *, missing: str | None = None) -> Table:
    """Make a table. Columns are written "name | #name | …", a # before those of numbers."""
    named = [name.strip() for name in columns.split("|")]
    heads = [Column(name=name.removeprefix("#"), numeric=name.startswith("#")) for name in named]
    return Table(caption=caption, columns=heads, rows=list(rows), missing=missing)


def count(value: float | None) -> Cell:
    """Return a cell of a count."""
    return Cell(number(None if value is None else round(value)), -1 if value is None else value)


def amount(value: float | None) -> Cell:
    """Return a cell of bytes."""
    return Cell(words.size(None if value is None else round(value)), -1 if value is None else value)


# Name, caption, what a group is called, and what one without a value is.
_BREAKDOWNS = {
    "persona": ("By persona", "Persona", "no persona"),
    "type": ("By image type, as proved by the bytes", "Type", "not known yet (never read)"),
    "provider": ("By provider, the service that made the image", "Provider", "not given"),
    "dimensions": ("By dimensions, width x height in pixels", "Dimensions", "not known yet (never read)"),
    "session": ("By session, the ones with most images", "Session", "no session"),
    "month": ("By month of creation, UTC", "Month", "no date"),
    "size": ("By size of the image", "Size", "not known yet"),
}


def group_name(breakdown: str, group: Mapping[str, Any]) -> str:
    """Return what a group is called."""
    if group.get("group") == "value":
        return words.text(group.get("value"))
    return "all others" if group.get("group") == "rest" else _BREAKDOWNS[breakdown][2]


def groups_of(stats: Mapping[str, Any], breakdown: str) -> Sequence[Mapping[str, Any]]:
    """Return the groups of a breakdown; none if an older version wrote the document."""
    return part(stats, "breakdowns", breakdown) or ()


def breakdown_table(stats: Mapping[str, Any], breakdown: str) -> Table:
    """Return a breakdown as a table."""
    caption, name, _ = _BREAKDOWNS[breakdown]
    rows = [
        (
            Cell(group_name(breakdown, group), place if breakdown == "size" else None),
            count(group.get("images")), count(group.get("r2_images")), count(group.get("base64_images")),
            amount(group.get("bytes")), amount(group.get("base64_bytes")),
        )
        for place, group in enumerate(groups_of(stats, breakdown))
    ]  # fmt: skip
    return table(
        caption, f"{name} | #Images | #In R2 | #Base64 only | #Size of the files | #Base64 text", rows,
        missing=None if rows else nothing(stats, breakdown),
    )  # fmt: skip


def nothing(stats: Mapping[str, Any], breakdown: str) -> str:
    """Return why a breakdown has no groups."""
    if part(stats, "breakdowns", breakdown) is None:
        return "Unknown: this snapshot was made by a version that did not count it."
    return "There are no images yet."


def quarantine_table(stats: Mapping[str, Any]) -> Table:
    """Return the quarantined images by reason."""
    reasons = stats.get("quarantine")
    rows = [
        (Cell(words.text(reason)), Cell(_explained(reason)), count(found)) for reason, found in (reasons or {}).items()
    ]
    missing = "Nothing is quarantined." if reasons is not None else nothing({}, "quarantine")
    return table(
        "Quarantined images by reason", "Reason | What it means | #Images", rows, missing=None if rows else missing
    )


def _explained(reason: str) -> str:
    return Reason(reason).sentence if reason in set(Reason) else "A reason that this version does not know."
