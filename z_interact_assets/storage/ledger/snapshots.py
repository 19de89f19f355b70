"""The history of inventories and storage statistics."""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from z_interact_assets.core.findings import Problem
from z_interact_assets.core.snapshots import breakdown_rows, scalars
from z_interact_assets.core.stats import BucketCounts
from z_interact_assets.storage.ledger.schema import inventories, storage_stats_breakdowns, storage_stats_history
from z_interact_assets.storage.ledger.sessions import Sessions

MAX_PROBLEMS = 1_000  # of an inventory that are kept by name
_COUNTS = ("objects", "bytes", "known", "orphans", "missing", "corrupted", "misdirected", "shared")
_NOT_SCALAR = ("stats",)


class Snapshots(Sessions):
    """Appends snapshots and reads them back."""

    def add_inventory(
        self, counts: Mapping[str, int | None], problems: Iterable[Problem] = (), *, now_ms: int, run_id: str | None
    ) -> None:
        """Append an inventory's counts (see BucketCounts), and by name what it found wrong, at most MAX_PROBLEMS."""
        named = [
            {"kind": problem.kind.value, "image_id": problem.image_id, "object_key": problem.key,
             "detail": problem.detail}
            for problem, _ in zip(problems, range(MAX_PROBLEMS), strict=False)
        ]  # fmt: skip
        values = {name: counts.get(name) for name in _COUNTS}
        with self._writing() as connection:
            connection.execute(
                sa.insert(inventories).values(finished_at=now_ms, run_id=run_id, problems=named, **values)
            )

    def latest_inventory(self) -> dict[str, Any] | None:
        """Return the newest inventory, or None before the first."""
        statement = sa.select(inventories).order_by(inventories.c.inventory_id.desc()).limit(1)
        with self._reading() as connection:
            row = connection.execute(statement).mappings().one_or_none()
        return None if row is None else dict(row)

    def latest_counts(self) -> BucketCounts | None:
        """Return the numbers of the newest inventory, or None before the first."""
        found = self.latest_inventory()
        if found is None:
            return None
        return BucketCounts(**{name: found[name] for name in _COUNTS}, as_of=found["finished_at"])

    def add_stats(self, stats: Mapping[str, Any], *, now_ms: int, run_id: str | None) -> None:
        """Append a snapshot of the storage statistics (the document of `stats --json`), whole and in columns."""
        snapshot = sa.insert(storage_stats_history).values(
            generated_at=now_ms, run_id=run_id, stats=dict(stats), **scalars(stats)
        )
        with self._writing() as connection:
            (snapshot_id,) = connection.execute(snapshot.returning(storage_stats_history.c.snapshot_id)).one()
            groups = [{"snapshot_id": snapshot_id, **group} for group in breakdown_rows(stats)]
            if groups:
                connection.execute(sa.insert(storage_stats_breakdowns), groups)

    def stats(self, *, limit: int = 100) -> list[dict[str, Any]]:
        """Return the newest snapshots, newest first."""
        statement = (
            sa.select(storage_stats_history.c.stats).order_by(storage_stats_history.c.snapshot_id.desc()).limit(limit)
        )
        with self._reading() as connection:
            return list(connection.execute(statement).scalars())

    def history(self, limit: int = 400) -> list[dict[str, Any]]:
        """Return the newest snapshots' columns, oldest first, all but the document; times are UTC ms, None unknown."""
        columns = [column for column in storage_stats_history.c if column.name not in _NOT_SCALAR]
        statement = sa.select(*columns).order_by(storage_stats_history.c.snapshot_id.desc()).limit(limit)
        with self._reading() as connection:
            rows = [dict(row) for row in connection.execute(statement).mappings()]
        return rows[::-1]

    def breakdowns(self, limit: int = 400) -> list[dict[str, Any]]:
        """Return the groups of the newest snapshots' breakdowns, oldest first, with `generated_at` (UTC ms) of each."""
        newest = sa.select(storage_stats_history.c.snapshot_id).order_by(sa.desc("snapshot_id")).limit(limit)
        statement = (
            sa.select(storage_stats_history.c.generated_at, storage_stats_breakdowns)
            .join(storage_stats_history)
            .where(storage_stats_breakdowns.c.snapshot_id.in_(newest))
            .order_by(storage_stats_breakdowns.c.breakdown_id)
        )
        with self._reading() as connection:
            return [dict(row) for row in connection.execute(statement).mappings()]
