"""The files of a report: their names, types and what they are for. None of them is written here."""

from dataclasses import dataclass
from typing import Any

from z_interact_assets.report.columns import TableColumn
from z_interact_assets.report.folder import MANIFEST

PAGE = "index.html"
SUMMARY = "summary.md"
STATS = "storage_stats.json"
IMAGES, TOTALS, HISTORY = "images", "storage_stats", "history"
TABLES = (IMAGES, TOTALS, HISTORY)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFile:
    """A file of a report as it is on disk. `rows` is None where it is no table."""

    name: str
    bytes: int
    sha256: str
    rows: int | None = None

    @property
    def description(self) -> str:
        """What it is for."""
        return DESCRIPTIONS[self.name]

    @property
    def media_type(self) -> str:
        """Its Content-Type."""
        return _MEDIA_TYPES[self.name.rpartition(".")[2]]


_WHAT = {
    IMAGES: "one row an image: where it is, in which state, its type, size, hashes and times",
    TOTALS: "the totals and their breakdowns by persona, session, provider, type, month, size and dimensions",
    HISTORY: "one row a snapshot of the statistics, oldest first",
}
DESCRIPTIONS = {
    PAGE: "The report as a page. It needs no network.",
    SUMMARY: "The report in a few lines of Markdown.",
    STATS: "All numbers of the report, as `z-interact-assets stats --json` prints them.",
    MANIFEST: "What every file and column means (a Frictionless Data Package), with checksums.",
    **{f"{name}.parquet": f"For DuckDB, pandas and BI tools: {what}." for name, what in _WHAT.items()},
    **{f"{name}.csv": f"For spreadsheets: {what}." for name, what in _WHAT.items()},
}
_MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "json": "application/json",
    "csv": "text/csv; charset=utf-8; header=present",
    "parquet": "application/vnd.apache.parquet",
}
# Of a report's files only these are ever removed from a bucket.
NAMES = frozenset(DESCRIPTIONS)

_COUNT: dict[str, Any] = {"required": True, "minimum": 0}


def _number(name: str, description: str) -> TableColumn:
    return TableColumn(name=name, type="int64", description=description, constraints=_COUNT)


TOTALS_COLUMNS = (
    TableColumn(
        name="breakdown", type="string", description="What the images are divided by; `total`: all of them",
        constraints={"required": True},
    ),
    TableColumn(
        name="group", type="string", constraints={"required": True, "enum": ["value", "none", "rest", "total"]},
        description="value: those with this value; none: those without one; rest: all other values together; "
        "total: all images",
    ),
    TableColumn(name="value", type="string", description="The value; empty for the other groups"),
    _number("images", "Images (rows of the app's table)"),
    _number("r2_images", "of these: in R2, with or without base64 left in the table"),
    _number("base64_images", "of these: only as base64 text in the database"),
    _number("bytes", "Bytes of the images' objects in R2, as proved when they were stored"),
    _number("base64_bytes", "Bytes of base64 text in the table"),
)  # fmt: skip
