"""The history of inventories and storage statistics."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from z_interact_assets.storage.ledger.schema import inventories, storage_stats_history
from z_interact_assets.storage.ledger.sessions import Sessions


class Snapshots(Sessions):
    """Appends snapshots and reads them back."""

    def add_inventory(self, counts: Mapping[str, int], *, now_ms: int, run_id: str | None) -> None:
        """Append an inventory: objects, bytes, known, orphans, missing."""
        with self._writing() as connection:
            connection.execute(sa.insert(inventories).values(finished_at=now_ms, run_id=run_id, **counts))

    def latest_inventory(self) -> dict[str, Any] | None:
        """Return the newest inventory, or None before the first."""
        statement = sa.select(inventories).order_by(inventories.c.inventory_id.desc()).limit(1)
        with self._reading() as connection:
            row = connection.execute(statement).mappings().one_or_none()
        return None if row is None else dict(row)

    def add_stats(self, stats: Mapping[str, Any], *, now_ms: int, run_id: str | None) -> None:
        """Append a snapshot of the storage statistics (the document of `stats --json`)."""
        with self._writing() as connection:
            connection.execute(
                sa.insert(storage_stats_history).values(generated_at=now_ms, run_id=run_id, stats=dict(stats))
            )

    def stats(self, *, limit: int = 100) -> list[dict[str, Any]]:
        """Return the newest snapshots, newest first."""
        statement = (
            sa.select(storage_stats_history.c.stats).order_by(storage_stats_history.c.snapshot_id.desc()).limit(limit)
        )
        with self._reading() as connection:
            return list(connection.execute(statement).scalars())
