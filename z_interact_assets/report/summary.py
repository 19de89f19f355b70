"""The summary of a report as Markdown. Pure: documents in, text out. What is unknown is called so, never zero.

`headline` is for Dagster, which shows a short Markdown at once and a longer one behind a click.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from z_interact_assets.core.showing import shortened
from z_interact_assets.core.units import UNKNOWN, exact_size, money, number, size
from z_interact_assets.report.catalogue import PAGE, ReportFile

MOST_GROUPS = 10
SHORT = 1_000  # characters of a Markdown value that Dagster's UI shows at once

_BAR = 16  # the UI's column is narrow: what is wider is cut off
_PUNCTUATION = re.compile(r"([!-,.:-@\[-`{-~])")  # what Markdown may take for markup; no hyphen, no slash
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
    ("corrupted_objects", "objects that are not as they were proved"),
)
_COMPARED = (
    ("total_images", "images"), ("r2_images", "in R2, without base64"), ("mixed_images", "in R2 and base64"),
    ("base64_images", "base64 only"), ("quarantined_images", "quarantined"), ("r2_objects", "objects in the bucket"),
)  # fmt: skip
_COSTS = (("now", "now"), ("all_in_r2", "with everything in R2"), ("all_base64", "with everything in the database"))


def summary(stats: Mapping[str, Any], previous: Mapping[str, Any] | None, files: Iterable[ReportFile]) -> str:
    """Return the summary of a document; `previous` is the report's before it."""
    parts = [
        "# z-interact image storage",
        f"As of {_time(stats['generated_at'])}. {_health(stats['health'])} Charts are in [{PAGE}]({PAGE}).",
        _table("Images", ["images", ""], [(number(stats[name]), words) for name, words in _ROWS] + [_total(stats)]),
        _base64(stats),
        _changes(stats, previous),
        _findings(stats["findings"]),
        _table("Bucket", ["count", ""], [(number(stats.get(name)), words) for name, words in _BUCKET]),
        f"Size of the objects: {exact_size(stats['r2_bytes'])}. Listed: {_time(stats['bucket_as_of'])}.",
        _personas(stats["breakdowns"]["persona"]),
        _costs(stats["costs"]),
        _table(
            "Files", ["file", "size", ""],
            [(f"[{file.name}]({file.name})", size(file.bytes), file.description) for file in files],
        ),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def headline(stats: Mapping[str, Any]) -> str:
    """Return the state in at most SHORT characters: the main numbers, the main chart, the gravest findings."""
    in_r2 = stats["r2_images"] + stats["mixed_images"]
    total, waiting = number(stats["total_images"]), number(stats["base64_images"])
    parts = [
        f"**{in_r2:,} of {total} images are in R2**, {waiting} only in the database. {_health(stats['health'])}",
        "\n".join(_chart(stats)),
    ]
    if not stats["findings"]:
        parts.append("Nothing needs a hand.")
    for finding in stats["findings"]:
        line = f"- {finding['issue']} `{finding['command']}`"
        if sum(map(len, parts)) + len(line) > SHORT - 50:
            parts.append("- …")
            break
        parts.append(line)
    return "\n\n".join(parts[:2]) + "\n\n" + "\n".join(parts[2:])


def _chart(stats: Mapping[str, Any]) -> Iterable[str]:
    """Return a bar for each place an image can be. Text: a picture is longer than what Dagster's UI shows at once."""
    bars = {
        "R2": stats["r2_images"],
        "R2 + base64": stats["mixed_images"],
        "base64": stats["base64_images"],
        "elsewhere": stats["external_images"] + stats["local_images"],
    }
    total = stats["total_images"] or 1
    yield "```"
    for name, count in bars.items():
        filled = round(_BAR * count / total) or int(count > 0)
        yield f"{name:<11} {count:>9,} {'█' * filled}{'░' * (_BAR - filled)} {count / total:4.0%}"
    yield "```"


def _base64(stats: Mapping[str, Any]) -> str:
    quarantined = number(stats["quarantined_images"])
    return f"Base64 text in the table: {exact_size(stats['base64_bytes'])}. Quarantined: {quarantined}."


def _health(health: Mapping[str, Any]) -> str:
    score = UNKNOWN if health["score"] is None else f"{health['score']} of 100"
    return f"Health: **{health['status']}** ({score})."


def _total(stats: Mapping[str, Any]) -> tuple[str, str]:
    return f"**{number(stats['total_images'])}**", "**in all**"


def _changes(stats: Mapping[str, Any], previous: Mapping[str, Any] | None) -> str:
    if previous is None:
        return "## Since the report before\n\nThis is the first report in its folder."
    rows = []
    for name, words in _COMPARED:
        before, now = previous.get(name), stats.get(name)
        changed = UNKNOWN if before is None or now is None else f"{now - before:+,}" if now != before else "±0"
        rows.append((number(before), number(now), changed, words))
    title = f"Since the report before ({_time(previous.get('generated_at'))})"
    return _table(title, ["before", "now", "change", ""], rows)


def _findings(findings: Sequence[Mapping[str, Any]]) -> str:
    if not findings:
        return "## What needs a hand\n\nNothing."
    lines = [f"- **{found['issue']}** {found['why']}\n  → `{found['command']}`" for found in findings]
    return "\n".join(["## What needs a hand", "", *lines])


def _personas(groups: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (_value(group), *(number(group[name]) for name in ("images", "r2_images", "base64_images")),
         size(group["bytes"]))
        for group in groups[:MOST_GROUPS]
    ]  # fmt: skip
    more = len(groups) - MOST_GROUPS
    told = _table("Images by persona", ["persona", "images", "in R2", "base64 only", "size in R2"], rows)
    return told if more <= 0 else f"{told}\n\n{more:,} more are in `storage_stats.csv`."


def _value(group: Mapping[str, Any]) -> str:
    if group["group"] == "value":
        return _PUNCTUATION.sub(r"\\\1", shortened(str(group["value"])))
    return "*none*" if group["group"] == "none" else "*all others*"


def _costs(costs: Mapping[str, Any]) -> str:
    rows = [(money(costs[name]["total"]), words) for name, words in _COSTS]
    return _table("Costs a month, estimated (USD)", ["total", ""], rows)


def _time(iso: str | None) -> str:
    return UNKNOWN if iso is None else f"{iso[:19].replace('T', ' ')} UTC"


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"## {title}", "", f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])
