"""Which image belongs to which batch. A batch, once written, never changes its rows."""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from z_interact_assets.core.models import ItemState
from z_interact_assets.core.planning import batch_key
from z_interact_assets.core.reasons import Reason
from z_interact_assets.core.records import KnownItem, NewItem
from z_interact_assets.storage.ledger.schema import batches, events, image_hash, items
from z_interact_assets.storage.ledger.sessions import Sessions
from z_interact_assets.storage.prepared import driver_connection

_STATES = {state.value: state for state in ItemState}  # by value: a tenth of what calling the enum costs
_REASONS = {reason.value: reason for reason in Reason}
_LOOKUP_IMAGES = 5_000  # a statement's parameters; a batch may hold 100,000 images, SQLite stops at 32,766


_KNOWN = sa.select(
    items.c.item_id, items.c.image_id, items.c.state, items.c.reason, items.c.fingerprint, items.c.batch_key,
    items.c.position,
)  # fmt: skip


class PlanningBook(Sessions):
    """Enters new images and plans known ones again."""

    def known(self, image_ids: Sequence[str]) -> dict[str, KnownItem]:
        """Return what the ledger has of these images (at most some thousand a call), by image id."""
        hashes = [image_hash(image_id) for image_id in image_ids]
        if self._engine.dialect.name != "sqlite":
            return {item.image_id: item for item in self._known(items.c.image_hash.in_(hashes))}
        # Past SQLAlchemy, and as one parameter: to make one of each hash takes longer than to look them up.
        with self._reading() as connection:
            rows = driver_connection(connection).execute(self._lookup, [json.dumps(hashes)]).fetchall()
        return {row[1]: _known(row) for row in rows}

    def rolled_back(self, batch_keys: Sequence[str] | None = None) -> list[KnownItem]:
        """Return the images that were rolled back, of some batches or of all."""
        among = [] if batch_keys is None else [items.c.batch_key.in_(batch_keys)]
        return self._known(items.c.state == ItemState.ROLLED_BACK, *among)

    def batch_count(self) -> int:
        """Return how many batches there are."""
        with self._reading() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(batches)).scalar_one()

    def batch_keys(self) -> list[str]:
        """Return every batch key in order of creation."""
        with self._reading() as connection:
            return list(connection.execute(sa.select(batches.c.batch_key).order_by(batches.c.number)).scalars())

    def add_batches(self, groups: Sequence[Sequence[str]], *, now_ms: int) -> list[str]:
        """Write one batch for each group of image ids, in one transaction; return the keys.

        Images the ledger already has without a batch (set aside before) are moved into theirs; those another planner
        gave a batch meanwhile are left in it.
        """
        with self._writing() as connection:
            taken = self._batched(connection, [image_hash(image_id) for group in groups for image_id in group])
            groups = [[image_id for image_id in group if image_hash(image_id) not in taken] for group in groups]
            groups = [group for group in groups if group]
            if not groups:
                return []
            number = connection.execute(sa.select(sa.func.coalesce(sa.func.max(batches.c.number), 0))).scalar_one()
            keys = [batch_key(number + offset) for offset in range(1, len(groups) + 1)]
            connection.execute(
                sa.insert(batches),
                [
                    {"batch_key": key, "number": number + offset, "items": len(group), "created_at": now_ms}
                    for offset, (key, group) in enumerate(zip(keys, groups, strict=True), start=1)
                ],
            )
            rows = [
                {"batch_key": key, "position": position, "image_id": image_id}
                for key, group in zip(keys, groups, strict=True)
                for position, image_id in enumerate(group)
            ]
            self._enter(connection, rows, {"state": ItemState.PLANNED, "reason": None, "fingerprint": None}, now_ms)
        return keys

    def set_aside(self, new_items: Iterable[NewItem], *, now_ms: int) -> None:
        """Enter images that need no work, or change what is known of them."""
        with self._writing() as connection:
            for item in new_items:
                common = {"state": item.state, "reason": item.reason, "fingerprint": item.fingerprint}
                self._enter(connection, [{"image_id": item.image_id}], common, now_ms)

    def plan_again(self, item_ids: Mapping[int, str], *, now_ms: int, run_id: str | None) -> None:
        """Set items back to planned, in the batch they have; the values say why, for the event log."""
        if not item_ids:
            return
        with self._writing() as connection:
            connection.execute(
                sa.update(items).where(items.c.item_id == sa.bindparam("of")).values(
                    state=ItemState.PLANNED, reason=None, detail="", fingerprint=None, updated_at=now_ms
                ),
                [{"of": item_id} for item_id in item_ids],
            )  # fmt: skip
            connection.execute(
                sa.insert(events),
                [
                    {
                        "item_id": item_id,
                        "at": now_ms,
                        "run_id": run_id,
                        "event": "planned_again",
                        "facts": {"why": why},
                    }
                    for item_id, why in item_ids.items()
                ],
            )

    def _known(self, *conditions: sa.ColumnElement[bool]) -> list[KnownItem]:
        with self._reading() as connection:
            return [_known(row) for row in connection.execute(_KNOWN.where(*conditions)).all()]

    @cached_property
    def _lookup(self) -> str:
        hashes = sa.func.json_each(sa.bindparam("hashes")).table_valued("value")
        looked_up = hashes.join(items, items.c.image_hash == hashes.c.value)
        return str(_KNOWN.select_from(looked_up).compile(dialect=self._engine.dialect))

    def _enter(
        self, connection: sa.Connection, rows: Sequence[Mapping[str, object]], common: Mapping[str, object], now_ms: int
    ) -> None:
        full = [
            {
                **row,
                **common,
                "image_hash": image_hash(str(row["image_id"])),
                "planned_at": now_ms,
                "updated_at": now_ms,
            }
            for row in rows
        ]
        present = self._present(connection, [str(row["image_hash"]) for row in full])
        fresh = [row for row in full if row["image_hash"] not in present]
        if fresh:
            connection.execute(sa.insert(items), fresh)
        for row in full:
            if row["image_hash"] in present:
                values = {name: value for name, value in row.items() if name not in ("image_id", "planned_at")}
                connection.execute(sa.update(items).where(items.c.image_hash == row["image_hash"]).values(values))

    def _batched(self, connection: sa.Connection, hashes: Sequence[str]) -> set[str]:
        return self._present(connection, hashes, items.c.batch_key.is_not(None))

    @staticmethod
    def _present(connection: sa.Connection, hashes: Sequence[str], *conditions: sa.ColumnElement[bool]) -> set[str]:
        found: set[str] = set()
        for start in range(0, len(hashes), _LOOKUP_IMAGES):
            among = items.c.image_hash.in_(hashes[start : start + _LOOKUP_IMAGES])
            found.update(connection.execute(sa.select(items.c.image_hash).where(among, *conditions)).scalars())
        return found


def _known(row: Sequence[Any]) -> KnownItem:
    item_id, image_id, state, reason, fingerprint, batch, position = row
    return KnownItem(
        item_id, image_id, _STATES[state], _REASONS[reason] if reason else None, fingerprint, batch, position
    )
