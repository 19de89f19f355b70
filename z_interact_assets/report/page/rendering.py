"""The page, put together: one HTML file that needs nothing else, and that a browser lets ask for nothing."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from z_interact_assets.core.units import number
from z_interact_assets.report.page import words
from z_interact_assets.report.page.attention import attention_rows, attention_says, findings, no_findings, problems
from z_interact_assets.report.page.changes import changes
from z_interact_assets.report.page.data import FileLink, PageData
from z_interact_assets.report.page.figures import figures
from z_interact_assets.report.page.glossary import GLOSSARY
from z_interact_assets.report.page.key_figures import exactly, key_figures
from z_interact_assets.report.page.state import deductions, shares, verdict
from z_interact_assets.report.page.tables import (
    NONE,
    Cell,
    Table,
    amount,
    breakdown_table,
    count,
    quarantine_table,
    table,
)

if TYPE_CHECKING:
    from jinja2 import Environment

_PACKAGE = "z_interact_assets.report.page"
_SCRIPTS = ("vendor/sortable.min.js", "page.js")
_MORE = ("type", "provider", "dimensions", "session")


def render_page(data: PageData) -> bytes:
    """Return the report as one HTML file, UTF-8."""
    from markupsafe import Markup  # noqa: PLC0415

    pages = _templates()
    css = pages.get_template("page.css.j2").render()
    script = "\n".join((files(_PACKAGE) / "templates" / name).read_text("utf-8") for name in _SCRIPTS)
    page = pages.get_template("page.html.j2").render(
        data=data, css=Markup(css), script=Markup(script), policy=_policy(css, script), glossary=GLOSSARY,  # noqa: S704 - ours
        **_content(data),
    )  # fmt: skip
    return page.encode("utf-8", "replace")


def _content(data: PageData) -> Mapping[str, Any]:
    stats = data.stats
    health = stats.get("health") or {}
    return {
        "stats": {"total_images": stats.get("total_images"), "generated_at": stats.get("generated_at")},
        "as_of": _as_of(stats),
        "verdict": verdict(data),
        "health": {"status": health.get("status") or words.UNKNOWN},
        "score": health.get("score"),
        "deductions": deductions(stats),
        "shares": shares(stats),
        "key_figures": list(key_figures(stats)),
        "exactly": exactly(stats),
        "changes": changes(data),
        "findings": findings(stats),
        "no_findings": no_findings(stats),
        "attention": attention_rows(data),
        "attention_says": attention_says(data),
        "problems": problems(data),
        "quarantine": quarantine_table(stats),
        "figures": list(figures(data)),
        "breakdowns": [(name, breakdown_table(stats, name)) for name in _MORE],
        "files": _files(data.files),
    }


def _as_of(stats: Mapping[str, Any]) -> str:
    if stats.get("bucket_as_of"):
        return f"files in R2 listed {words.when(stats['bucket_as_of'])}"
    return "R2 could not be listed" if stats.get("r2_objects") is None else "files in R2 listed at an unknown time"


def _files(links: Iterable[FileLink]) -> Table:
    rows = [
        (Cell(words.text(link.name)), Cell(words.sentence(link.description)), amount(link.bytes),
         NONE if link.rows is None else count(link.rows))
        for link in links
    ]  # fmt: skip
    missing = None if rows else "This page came alone."
    return table("Files beside this page", "File | What it holds | #Size | #Rows", rows, missing=missing)


def _policy(css: str, script: str) -> str:
    """Return a Content-Security-Policy: this style, this script, nothing else, and no request."""
    return (
        f"default-src 'none'; style-src '{_digest(css)}'; script-src '{_digest(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(source: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()


def _templates() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - only a report pays for it
    from markupsafe import Markup  # noqa: PLC0415

    found = Environment(
        loader=PackageLoader(_PACKAGE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    found.filters |= {
        "number": number, "share": words.share, "when": words.when, "shown": words.text,
        "points": lambda points: words.rate(round(points, 1)) if points >= 0.1 else "<0.1",  # noqa: PLR2004
        "drawn": Markup,  # drawing.to_svg has looked at every element
    }  # fmt: skip
    return found
