"""The tables that are made of documents: totals with their breakdowns, and the history. No file is written here."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from z_interact_assets.report.catalogue import TOTALS_COLUMNS

_SUMMED = ("images", "r2_images", "base64_images", "bytes", "base64_bytes")


def totals_frame(stats: Mapping[str, Any]) -> pd.DataFrame:
    """Return the breakdowns of a document as one tidy table, the total first."""
    names = [column.name for column in TOTALS_COLUMNS]
    return pd.DataFrame(list(_rows(stats)), columns=pd.Index(names)).astype(dict.fromkeys(_SUMMED, "int64"))


def _rows(stats: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    breakdowns = stats["breakdowns"]
    # The groups of any breakdown add up to all images.
    whole = next((groups for groups in breakdowns.values() if groups), [])
    yield {
        "breakdown": "total",
        "group": "total",
        "value": None,
        **{name: sum(group[name] for group in whole) for name in _SUMMED},
    }
    for breakdown, groups in breakdowns.items():
        for group in groups:
            yield {"breakdown": breakdown, **group}
