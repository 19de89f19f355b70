"""The data package: a description of a report's files that tools can read (https://datapackage.org, version 1)."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from z_interact_assets.core.times import iso_utc
from z_interact_assets.report.catalogue import ReportFile
from z_interact_assets.report.columns import TableColumn, table_schema

_ABOUT = (
    "Where z-interact's images are, how far their migration to Cloudflare R2 is, and what needs a hand. "
    "Times are UTC, bytes are bytes. An empty cell means unknown or none, never zero. "
    "Parquet files are exact. In CSV files a text that a spreadsheet would take for a formula (it begins with = + - @, "
    "a tab or a line break, also after spaces or quotes) has an apostrophe in front, and control characters and line "
    "breaks in texts are escapes such as \\n."
)
_PSEUDONYMS = " Participants are pseudonyms, and there are no prompts."
_PERSONAL = " PERSONAL DATA: participants and prompts are as they are in the app's table."


def datapackage(
    files: Iterable[ReportFile],
    tables: Mapping[str, tuple[TableColumn, ...]],
    *,
    name: str,
    now_ms: int,
    personal_data: bool,
) -> bytes:
    """Return datapackage.json; `tables` has the columns of each table by its name."""
    document = {
        "profile": "data-package",
        "name": f"z-interact-assets-{name.lower()}",
        "title": "z-interact image storage",
        "description": _ABOUT + (_PERSONAL if personal_data else _PSEUDONYMS),
        "created": iso_utc(now_ms, timespec="seconds").replace("+00:00", "Z"),
        "resources": [_resource(file, tables.get(file.name.partition(".")[0])) for file in files],
    }
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _resource(file: ReportFile, columns: tuple[TableColumn, ...] | None) -> dict[str, Any]:
    stem, _, kind = file.name.partition(".")
    resource: dict[str, Any] = {
        "name": f"{stem}_{kind}",
        "path": file.name,
        "description": file.description,
        "format": kind,
        "mediatype": file.media_type.partition(";")[0],
        "bytes": file.bytes,
        "hash": f"sha256:{file.sha256}",
    }
    if columns is None or file.rows is None:
        return resource
    if kind != "csv":
        # Parquet has its schema, with the descriptions, in itself; the frictionless library reads its nulls as NaN and
        # would call them wrong.
        return resource | {"type": "file", "description": f"{file.description} Columns: as in {stem}.csv."}
    return resource | {
        "profile": "tabular-data-resource",
        "encoding": "utf-8",
        "dialect": {"delimiter": ",", "lineTerminator": "\r\n", "doubleQuote": True},
        "schema": table_schema(columns),
    }
