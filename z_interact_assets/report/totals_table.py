"""The tables that are made of documents: totals with their breakdowns, and the history. No file is written here."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from z_interact_assets.core.snapshots import MEASURES, breakdown_rows
from z_interact_assets.report.catalogue import TOTALS_COLUMNS


def totals_frame(stats: Mapping[str, Any]) -> pd.DataFrame:
    """Return the breakdowns of a document as one tidy table, the total first."""
    names = [column.name for column in TOTALS_COLUMNS]
    return pd.DataFrame(list(_rows(stats)), columns=pd.Index(names)).astype(dict.fromkeys(MEASURES, "int64"))


def _rows(stats: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    # The groups of any breakdown add up to all images.
    whole = next((groups for groups in stats["breakdowns"].values() if groups), [])
    yield {
        "breakdown": "total",
        "group": "total",
        "value": None,
        **{name: sum(group[name] for group in whole) for name in MEASURES},
    }
    yield from breakdown_rows(stats)
