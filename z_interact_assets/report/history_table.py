"""The history as a table: one row a snapshot, in the columns the ledger keeps. No file is written here."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from z_interact_assets.core.snapshots import HISTORY_COLUMNS as _MEANINGS
from z_interact_assets.report.columns import TableColumn
from z_interact_assets.stats.columns import TIME
from z_interact_assets.storage.ledger.schema import storage_stats_history

_NOT_TOLD = frozenset({"stats", "run_id"})  # the document itself, and what means nothing outside Dagster
_TIMES = frozenset({"generated_at", "bucket_as_of"})


def _column(of: sa.Column[Any]) -> TableColumn:
    meaning = _MEANINGS.get(of.name, "").removesuffix(", UTC ms") or "Number of the snapshot"
    if of.name in _TIMES:
        return TableColumn(
            name=of.name, type=TIME, description=meaning,
            constraints={} if of.nullable else {"required": True},
        )  # fmt: skip
    kinds = {sa.String: "string", sa.Double: "double"}
    kind = next((name for kind, name in kinds.items() if isinstance(of.type, kind)), "int64")
    return TableColumn(name=of.name, type=kind, description=meaning)


HISTORY_COLUMNS = tuple(_column(column) for column in storage_stats_history.c if column.name not in _NOT_TOLD)


def history_frame(history: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return snapshots, as the ledger gives them, as a frame of HISTORY_COLUMNS."""
    return pd.DataFrame({column.name: _values(column, history) for column in HISTORY_COLUMNS})


def _values(column: TableColumn, history: Sequence[Mapping[str, Any]]) -> "pd.Series":
    values = pa.array(
        [snapshot.get(column.name) for snapshot in history], pa.int64() if column.name in _TIMES else None
    )
    return pd.Series(pd.array(values.cast(column.arrow_type), dtype=pd.ArrowDtype(column.arrow_type)))
