"""What needs a hand: the findings with what they cost the score, and the images one by one."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from z_interact_assets.core.snapshots import part
from z_interact_assets.core.units import number
from z_interact_assets.report.commands import LONGEST_ID
from z_interact_assets.report.page import words
from z_interact_assets.report.page.data import Attention, PageData

MOST_ROWS = 1_000
_LONGEST_PROBLEM = 40
_MAKES_THE_PAGE = "z-interact-assets report"
_SEVERITIES = {
    "loss": "images are lost or about to be", "work": "somebody has to do something", "waste": "wastes room or money",
    "note": "worth knowing",
}  # fmt: skip
_POINTS = {
    "missing": "30 points of the score", "corrupted": "30 points of the score", "orphans": "5 points of the score",
    "database_filling_up": "10 points of the score", "quarantined": "up to 20 points of the score",
    "still_base64": "lowers the score by their share",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFinding:
    """A finding as the page has it."""

    issue: str
    why: str
    command: str | None
    severity: str
    label: str
    points: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRow:
    """An image as the table has it. Every second piece of `action` is a command."""

    image_id: str
    key: str | None
    persona: str | None
    created_at: str | None
    problem: str
    sentence: str
    action: tuple[str, ...]


def findings(stats: Mapping[str, Any]) -> list[ShownFinding]:
    """Return the findings, gravest first; of an older version's document its issues."""
    if "findings" not in stats:
        return [_bare(issue) for issue in part(stats, "health", "issues") or ()]
    return [_shown(finding) for finding in stats["findings"]]


def _shown(finding: Mapping[str, Any]) -> ShownFinding:
    severity = finding.get("severity") if finding.get("severity") in _SEVERITIES else "note"
    return ShownFinding(
        issue=words.sentence(finding.get("issue")), why=words.sentence(finding.get("why") or ""),
        command=_command(finding.get("command")), severity=str(severity),
        label=_SEVERITIES[str(severity)], points=_POINTS.get(str(finding.get("code"))),
    )  # fmt: skip


def _command(line: str | None) -> str | None:
    """Return the command to show. Whoever reads the page has the report already."""
    return None if not line or line == _MAKES_THE_PAGE else words.sentence(line)


def _bare(issue: str) -> ShownFinding:
    return ShownFinding(
        issue=words.sentence(issue), why="", command=None, severity="note", label=_SEVERITIES["note"], points=None
    )


def no_findings(stats: Mapping[str, Any]) -> str:
    """Say that there are none."""
    return "Nothing was found that needs a hand." if "health" in stats else "Unknown: nothing was judged."


def attention_rows(data: PageData) -> list[ShownRow]:
    """Return the images that are shown."""
    return [_row(one) for one in data.attention[:MOST_ROWS]]


def _row(one: Attention) -> ShownRow:
    return ShownRow(
        image_id=words.text(one.image_id, LONGEST_ID),
        key=words.text(one.key, LONGEST_ID) if one.key else None,
        persona=words.text(one.persona) if one.persona else None,
        created_at=words.text(one.created_at) if one.created_at else None,
        problem=words.text(one.problem, _LONGEST_PROBLEM),
        sentence=words.sentence(one.sentence),
        action=tuple(words.sentence(one.action).split("`")),
    )


def attention_says(data: PageData) -> str:
    """Say how many there are, and where the others are if not all are shown."""
    shown, total = min(len(data.attention), MOST_ROWS), max(data.attention_total, len(data.attention))
    if not total:
        return "No single image needs a hand."
    if shown < total:
        return f"The first {number(shown)} of {number(total)}; all of them are in images.csv."
    return f"{number(total)} {'image needs' if total == 1 else 'images need'} a hand; the gravest first."


def problems(data: PageData) -> list[tuple[str, int]]:
    """Return the kinds of problems shown, the most frequent first."""
    return Counter(row.problem for row in attention_rows(data)).most_common()
