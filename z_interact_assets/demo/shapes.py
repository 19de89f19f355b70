"""The shapes the app's `images` table has had: statements that create them in SQLite. No rows here."""

import sqlite3
from collections.abc import Mapping

_NULLABLE = "TEXT"
_REQUIRED = "TEXT NOT NULL"

_FULL: Mapping[str, str] = {
    "id": "TEXT PRIMARY KEY",
    "session_id": _NULLABLE,
    "participant_id": _NULLABLE,
    "persona_id": _REQUIRED,
    "persona_title": _NULLABLE,
    "table_id": _NULLABLE,
    "image_url": _NULLABLE,
    "image_data": _NULLABLE,
    "image_mime_type": _NULLABLE,
    "prompt": _REQUIRED,
    "provider": "TEXT NOT NULL DEFAULT 'placeholder'",
    "status": "TEXT NOT NULL DEFAULT 'generating'",
    "r2_key": _NULLABLE,
    "migration_status": "TEXT DEFAULT 'pending'",
    "migrated_at": "INTEGER",
    "created_at": "INTEGER NOT NULL",
    "updated_at": "INTEGER",
}
_EXTRA: Mapping[str, str] = {
    "r2_uploaded_at": "INTEGER",
    "migration_attempted_at": "INTEGER",
    "migration_completed_at": "INTEGER",
    "original_size_bytes": "INTEGER",
    "r2_size_bytes": "INTEGER",
}
_R2 = frozenset({"r2_key", "migration_status", "migrated_at"})
_DATA = frozenset({"image_data", "image_mime_type"})
_SIX = frozenset({"id", "table_id", "persona_id", "image_url", "prompt", "created_at"})


def _without(names: frozenset[str]) -> dict[str, str]:
    return {name: kind for name, kind in _FULL.items() if name not in names}


SHAPES: Mapping[str, Mapping[str, str]] = {
    "full": _FULL,
    "extra_columns": {**_FULL, **_EXTRA},
    "no_r2_columns": _without(_R2),
    "no_image_data": _without(_DATA),
    "six_columns": _without(frozenset(_FULL) - _SIX),
    # The table as it began: a URL or nothing.
    "first": _without(_R2 | _DATA) | {"persona_title": _REQUIRED, "image_url": _REQUIRED},
}
"""Columns and their declarations, in the table's order, by the shape's name."""


def create_table(connection: sqlite3.Connection, shape_name: str, *, table: str = "images") -> tuple[str, ...]:
    """Create an empty table of that shape; its columns. KeyError for a shape there never was."""
    shape = SHAPES[shape_name]
    columns = ",\n  ".join(f"{name} {kind}" for name, kind in shape.items())
    connection.execute(f'CREATE TABLE "{table}" (\n  {columns}\n)')
    return tuple(shape)
