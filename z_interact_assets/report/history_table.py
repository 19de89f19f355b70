"""The history as a table: one row a snapshot, in the columns the ledger keeps. No file is written here."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from z_interact_assets.report.columns import TableColumn
from z_interact_assets.storage.ledger.schema import storage_stats_history

_NOT_TOLD = frozenset({"stats", "run_id"})  # the document itself, and what means nothing outside Dagster
_TIMES = frozenset({"generated_at", "bucket_as_of"})
_MEANINGS = {
    "snapshot_id": "Number of the snapshot",
    "generated_at": "When the snapshot was taken",
    "bucket_as_of": "When the bucket was listed",
    "health_status": "good, fair, poor or unknown",
    "health_score": "0 to 100",
    "total_images": "Images (rows of the app's table)",
    "r2_images": "Images in R2, their base64 gone",
    "mixed_images": "Images in R2 whose base64 is still in the table",
    "base64_images": "Images that are base64 text in the database only",
    "imageless_images": "Rows that are completed and hold no image",
    "external_images": "Images on other servers",
    "local_images": "Images that are files of the app",
    "unfinished_images": "Rows that failed or are still being made",
    "unrecognised_images": "Rows whose URL is not one we know",
    "quarantined_images": "Images set aside with a reason",
    "r2_objects": "Objects in the bucket",
    "r2_bytes": "Bytes in the bucket",
    "known_objects": "Objects that belong to a row",
    "orphan_objects": "Objects that belong to no row",
    "missing_objects": "Objects that a row needs and that are not there",
    "corrupted_objects": "Objects that are not as they were proved",
    "misdirected_images": "Images whose row points elsewhere",
    "shared_objects": "Objects that two rows name",
    "duplicate_groups": "Contents that are stored more than once",
    "duplicate_objects": "Objects beyond the first of each content",
    "duplicate_bytes": "Bytes of those objects",
    "database_bytes": "Size of the app's database",
    "database_free_bytes": "Bytes of it that are free",
    "database_limit_bytes": "Size at which it is full",
    "base64_bytes": "Bytes of base64 text in the table",
    "decoded_bytes": "Bytes the base64 is as images",
    "reclaimable_bytes": "Bytes of base64 whose image is proved to be in R2",
    "reclaimable_now_bytes": "Bytes of it whose soak is over",
    "reclaimed_bytes": "Bytes of base64 cleared so far",
    "images_per_day": "New images a day",
    "bytes_per_day": "Bytes of new images a day",
    "database_bytes_per_day": "Bytes a day the database grows by if new images stay in it as base64",
    "full_in_days": "Days until the database is full at this rate",
    "monthly_cost_usd": "Estimated cost a month in USD, as things are",
    "monthly_cost_all_in_r2_usd": "Estimated cost a month in USD with every image in R2",
    "monthly_cost_all_base64_usd": "Estimated cost a month in USD with every image in the database",
}


def _column(of: sa.Column[Any]) -> TableColumn:
    meaning = _MEANINGS.get(of.name, of.name.replace("_", " "))
    if of.name in _TIMES:
        return TableColumn(
            name=of.name, type=pa.timestamp("ms", "UTC"), description=meaning,
            constraints={} if of.nullable else {"required": True},
        )  # fmt: skip
    kinds = {sa.String: pa.string(), sa.Double: pa.float64()}
    kind = next((arrow for kind, arrow in kinds.items() if isinstance(of.type, kind)), pa.int64())
    return TableColumn(name=of.name, type=kind, description=meaning)


HISTORY_COLUMNS = tuple(_column(column) for column in storage_stats_history.c if column.name not in _NOT_TOLD)


def history_frame(history: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return snapshots, as the ledger gives them, as a frame of HISTORY_COLUMNS."""
    return pd.DataFrame({column.name: _values(column, history) for column in HISTORY_COLUMNS})


def _values(column: TableColumn, history: Sequence[Mapping[str, Any]]) -> "pd.Series":
    values = pa.array(
        [snapshot.get(column.name) for snapshot in history], pa.int64() if column.name in _TIMES else None
    )
    return pd.Series(pd.array(values.cast(column.type), dtype=pd.ArrowDtype(column.type)))
