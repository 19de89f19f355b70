"""A chart of the page, with what it says in words and the table of its data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from z_interact_assets.report.page import words
from z_interact_assets.report.page.tables import Table

NOT_COUNTED = "Unknown: this snapshot was made by a version that did not count it."
IN_R2, BASE64_ONLY, ELSEWHERE, BASE64_TEXT = "In R2", "Base64 only", "Elsewhere", "Base64 text"

Snapshots = Sequence[Mapping[str, Any]]
"""Snapshots of the statistics, oldest first, each with its time as `at`."""
_MOST_DOTS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A chart. `says` is its text alternative; without a drawing, why there is none."""

    name: str
    title: str
    says: str
    drawing: str | None = None
    wide: str | None = None
    table: Table | None = None


def thinned(shots: Snapshots) -> Snapshots:
    """Return as many of them as a line needs, the last among them; their table has all."""
    step = -(-len(shots) // _MOST_DOTS)
    return shots[::-1][::step][::-1] if step > 1 else shots


def snapshots(stats: Mapping[str, Any], history: Snapshots) -> list[dict[str, Any]]:
    """Return the snapshots with a readable time, oldest first; this report's document is one of them."""
    found = {at: shot for shot in [*history, stats] if (at := words.moment(shot.get("generated_at")))}
    return [{**found[at], "at": at} for at in sorted(found)]
