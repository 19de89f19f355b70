"""The document of a benchmark as tables: for a terminal, and as Markdown. What is in them is decided once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

from bench.goals import Verdict, judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    title: str
    columns: tuple[str, ...]  # all but the first are figures
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def tables(document: Mapping[str, Any]) -> Iterator[Table]:
    """Yield the tables of a document, in the order they are read in."""
    for scenario in document.get("scenarios", ()):
        yield _scenario(scenario)
    if growth := document.get("growth"):
        yield _growth(growth)
    if verdicts := judge(document):
        yield _goals(verdicts)


def show(document: Mapping[str, Any], console: Console) -> None:
    """Print them."""
    for table in tables(document):
        shown = RichTable(title=table.title, title_justify="left", caption=table.note, caption_justify="left")
        shown.add_column(table.columns[0])
        for column in table.columns[1:]:
            shown.add_column(column, justify="right")
        for row in table.rows:
            shown.add_row(*row)
        console.print(shown)
        console.print()


def markdown(document: Mapping[str, Any]) -> str:
    """Return them as Markdown, with machine and versions."""
    where = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in document["machine"].items())
    what = ", ".join(f"{name} {value}" for name, value in document["versions"].items())
    lines = [f"Measured {document['date']} on: {where}.", "", f"Versions: {what}."]
    if document.get("settings"):
        lines += ["", "Settings: " + ", ".join(f"{name}={value}" for name, value in document["settings"].items())]
    for table in tables(document):
        lines += ["", f"## {table.title}", "", _line(table.columns)]
        lines += [_line(["---", *["---:"] * (len(table.columns) - 1)]), *map(_line, table.rows)]
        if table.note:
            lines += ["", table.note]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _scenario(scenario: Mapping[str, Any]) -> Table:
    limit = scenario["server_limit"]
    loads = [run["load_before"] for one in scenario["contenders"] for run in one["runs"]]
    jitter = f", {scenario['jitter']} jitter" if scenario["jitter"] else ""
    return Table(
        title=f"{scenario['scenario']}: {scenario['data']}, {scenario['latency_ms']:g} ms latency{jitter}",
        columns=(
            "",
            "images/s",
            "MB/s",
            "against s5cmd",
            "without start",
            "CPU s/GB",
            "RSS MB",
            "in flight",
            "requests",
        ),
        rows=tuple(_contender(one) for one in scenario["contenders"]),
        note=f"Medians of {scenario['rounds']} rounds, spread in brackets; work in {scenario['work_folder']}; load "
        f"before a run {min(loads):.1f} to {max(loads):.1f}. The null server alone takes {limit['mb_s']:,.0f} MB/s "
        f"without latency, {limit['times_the_fastest']:.1f} times the fastest here.",
    )


def _contender(one: Mapping[str, Any]) -> tuple[str, ...]:
    requests = ", ".join(f"{count:,} {verb}" for verb, count in one["requests"].items() if count)
    return (
        f"{one['label']} ({one['images']:,} images)" if one["sampled"] else one["label"],
        f"{one['images_s']:,.0f}" if one["images_s"] >= 100 else f"{one['images_s']:,.1f}",
        f"{one['mb_s']:,.1f}",
        _ratio(one["ratios"].get("s5cmd")),
        _ratio(one["own_ratios"].get("s5cmd")),
        f"{one['cpu_s_gb']:.1f}",
        f"{one['tree_rss_mb']:,.0f}",
        f"{one['in_flight']:,}",
        requests,
    )


def _ratio(ratio: Mapping[str, float] | None) -> str:
    if ratio is None:
        return "1"
    digits = 2 if ratio["median"] >= 0.1 else 3
    return f"{ratio['median']:.{digits}f} ({ratio['lowest']:.{digits}f}-{ratio['highest']:.{digits}f})"


def _growth(growth: Mapping[str, Any]) -> Table:
    return Table(
        title=f"Growth: images of {growth['image_bytes']:,} bytes, {growth['batch_size']:,} a batch",
        columns=(
            "rows", "service: plan s", "migrate s", "images/s", "RSS MB", "`migrate` s", "RSS MB", "again s",
            "requests", "ledger MB",
        ),
        rows=tuple(
            (
                f"{one['rows']:,}", f"{one['plan_s']:.2f}", f"{one['service_s']:.2f}",
                f"{one['rows'] / one['service_s']:,.0f}", f"{one['service_rss_mb']:.0f}", f"{one['migrate_s']:.2f}",
                f"{one['migrate_rss_mb']:.0f}", f"{one['again_s']:.2f}", str(one["again_requests"]),
                f"{one['ledger_mb']:.1f}",
            )
            for one in growth["results"]
        ),
        note=growth["said"],
    )  # fmt: skip


def _goals(verdicts: Sequence[Verdict]) -> Table:
    return Table(
        title="Goals",
        columns=("goal", "in", "wanted", "measured", "spread", ""),
        rows=tuple(
            (one.goal, one.scenario, one.wanted, f"{one.value:.2f}", one.spread,
             "reached" if one.reached else "not reached")
            for one in verdicts
        ),
    )  # fmt: skip
