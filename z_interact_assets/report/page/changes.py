"""What changed since the report before: the numbers with their differences, and what is new or settled."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from z_interact_assets.core.snapshots import part
from z_interact_assets.core.units import number
from z_interact_assets.report.page import words
from z_interact_assets.report.page.data import PageData
from z_interact_assets.report.page.tables import Cell, Table, table

# What is compared, how it is shown, and which way is better (0: neither).
_COMPARED: tuple[tuple[str, str, words.Show, int], ...] = (
    ("total_images", "Images in all", number, 0),
    ("in_r2", "Images in R2", number, 1),
    ("base64_images", "Base64 only", number, -1),
    ("quarantined_images", "Quarantined", number, -1),
    ("missing_objects", "Files missing from R2", number, -1),
    ("corrupted_objects", "Damaged files in R2", number, -1),
    ("orphan_objects", "Files that belong to no image", number, -1),
    ("r2_bytes", "Size of the files in R2", words.size, 0),
    ("base64_bytes", "Base64 text in the database", words.size, -1),
    ("database", "Size of the database", words.size, -1),
    ("cost", "Cost a month, estimated", words.dollars, -1),
    ("score", "Health score, of 100", number, 1),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What changed. `since` is None in the first report."""

    since: str | None
    sentence: str
    table: Table | None = None
    new: tuple[str, ...] = ()
    settled: tuple[str, ...] = ()


def changes(data: PageData) -> Changes:
    """Compare with the report before."""
    if data.previous is None:
        return Changes(
            since=None,
            sentence="This is the first report in its folder: there is nothing to compare it with yet. The next one "
            "will say here what changed.",
        )
    now, before = _values(data.stats), _values(data.previous)
    rows = [
        (Cell(name), Cell(show(before[key])), Cell(show(now[key])), Cell(words.difference(now[key], before[key], show)),
         Cell(_judged(now[key], before[key], better)))
        for key, name, show, better in _COMPARED
    ]  # fmt: skip
    said, earlier = _findings(data.stats), _findings(data.previous)
    return Changes(
        since=words.when(data.previous.get("generated_at")),
        sentence=_sentence(data, now, before),
        table=table(
            "Numbers of this report and the one before", "What | #Before | #Now | #Change | Better or worse", rows
        ),
        new=tuple(said[code] for code in said if code not in earlier) if earlier is not None and said else (),
        settled=tuple(earlier[code] for code in earlier if code not in said) if earlier else (),
    )


def _values(stats: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{key: stats.get(key) for key, *_ in _COMPARED},
        "in_r2": words.in_r2(stats),
        "database": part(stats, "database", "bytes"),
        "cost": part(stats, "costs", "now", "total"),
        "score": part(stats, "health", "score"),
    }


def _findings(stats: Mapping[str, Any]) -> dict[str, str]:
    return {finding["code"]: words.sentence(finding["issue"]) for finding in stats.get("findings") or ()}


def _judged(now: float | None, before: float | None, better: int) -> str:
    if now is None or before is None:
        return "not known in both"
    if now == before or not better:
        return "–"  # noqa: RUF001 - a dash
    return "better" if (now > before) == (better > 0) else "worse"


_TOLD = (("total_images", "in all"), ("in_r2", "in R2"), ("base64_images", "only base64"))


def _sentence(data: PageData, now: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    earlier, later = (words.moment((one or {}).get("generated_at")) for one in (data.previous, data.stats))
    ago = "" if earlier is None or later is None else words.elapsed(earlier, later).removeprefix("1 ")
    start = f"In the {ago} since then" if ago else "Since then"
    if any(now[key] is None or before[key] is None for key, _ in _TOLD):
        return "The report before did not hold all of these numbers, so some differences are unknown."
    told = [
        f"{number(abs(now[key] - before[key]))} {'more' if now[key] > before[key] else 'fewer'} {where}"
        for key, where in _TOLD
        if now[key] != before[key]
    ]
    return f"{start}, images: {', '.join(told)}." if told else f"{start} no image was added, moved or removed."
