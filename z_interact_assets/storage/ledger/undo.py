"""What rollback and reclaim need of the ledger, and what they record. Each effect is recorded after it happened."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from z_interact_assets.core.models import ImageFormat, ItemState
from z_interact_assets.core.records import ObjectRecord, OutcomeRecord, ReclaimRecord, UndoRecord, UndoScope
from z_interact_assets.storage.ledger.schema import events, image_hash, items, objects
from z_interact_assets.storage.ledger.sessions import Sessions

_BATCHES_A_PAGE = 20  # of the default of ten images; larger ones take several pages each
PAGE_ITEMS = 200  # an undo record may hold a whole text, where its form has no short description


class UndoBook(Sessions):
    """Undo records out, what became of them in."""

    def count(self, scope: UndoScope) -> dict[str, int]:
        """Return how many images are in the scope, in each batch that has any, in order of the batches."""
        statement = (
            sa.select(items.c.batch_key, sa.func.count())
            .where(*_within(scope))
            .group_by(items.c.batch_key)
            .order_by(items.c.batch_key)
        )
        with self._reading() as connection:
            found = {key: count for key, count in connection.execute(statement).all() if key is not None}
        wanted = scope.batch_keys
        return found if wanted is None else {key: found[key] for key in sorted(wanted) if key in found}

    def records(self, scope: UndoScope, *batch_keys: str) -> Iterator[UndoRecord]:
        """Yield the undo records of these batches that are in the scope, in their order, page by page."""
        waiting = sorted(set(batch_keys))
        position = -1
        while waiting:
            # SQLite goes through a list and its index in order, and stops at the limit: nothing is sorted.
            statement = (
                sa.select(*_COLUMNS)
                .where(items.c.batch_key.in_(waiting[:_BATCHES_A_PAGE]), *_within(scope))
                .where(sa.or_(items.c.batch_key > waiting[0], items.c.position > position))
                .order_by(items.c.batch_key, items.c.position)
                .limit(PAGE_ITEMS)
            )
            with self._reading() as connection:
                rows = connection.execute(statement).all()
                found = self._objects(connection, rows)
            yield from (_undo_record(row, found) for row in rows)
            if len(rows) < PAGE_ITEMS:
                waiting, position = waiting[_BATCHES_A_PAGE:], -1
            else:
                waiting, position = [key for key in waiting if key >= rows[-1].batch_key], rows[-1].position

    def record_rolled_back(self, records: Sequence[OutcomeRecord], *, now_ms: int, run_id: str | None) -> None:
        """Record rows that hold their text again."""
        changes = {"published_at": None, "reclaimed_at": None, "reclaimed_bytes": None}
        self._record(records, changes=changes, now_ms=now_ms, run_id=run_id)

    def record_reclaimed(self, records: Sequence[ReclaimRecord], *, now_ms: int, run_id: str | None) -> None:
        """Record rows whose base64 was cleared."""
        changes = {"reclaimed_at": now_ms, "reclaimed_bytes": sa.bindparam("bytes")}
        self._record(records, changes=changes, now_ms=now_ms, run_id=run_id)

    def record_refused(self, records: Sequence[OutcomeRecord], *, now_ms: int, run_id: str | None) -> None:
        """Record that something was not done, and why, for the audit trail alone: the items stay as they are."""
        if not records:
            return
        with self._writing() as connection:
            connection.execute(sa.insert(events), [_event(record, now_ms, run_id) for record in records])

    def record_deleted(self, deleted: Mapping[int, Sequence[str]], *, now_ms: int, run_id: str | None) -> None:
        """Record that objects (keys by item id) are gone from the bucket: the ledger no longer answers for them."""
        if not deleted:
            return
        keys = [key for group in deleted.values() for key in group]
        with self._writing() as connection:
            connection.execute(sa.delete(objects).where(objects.c.object_key == sa.bindparam("of")),
                               [{"of": key} for key in keys])  # fmt: skip
            connection.execute(
                sa.update(items)
                .where(items.c.item_id == sa.bindparam("of"), items.c.object_key == sa.bindparam("key"))
                .values(object_key=None, updated_at=now_ms),
                [{"of": item_id, "key": key} for item_id, group in deleted.items() for key in group],
            )
            connection.execute(
                sa.insert(events),
                [
                    {"item_id": item_id, "at": now_ms, "run_id": run_id, "event": "objects_deleted",
                     "facts": {"keys": list(group)}}
                    for item_id, group in deleted.items()
                ],
            )  # fmt: skip

    def answered_for_elsewhere(self, keys: Mapping[str, int]) -> set[str]:
        """Return those of the objects (item id by key) that another item names as its own."""
        statement = sa.select(items.c.object_key, items.c.item_id).where(items.c.object_key.in_(list(keys)))
        with self._reading() as connection:
            return {key for key, item_id in connection.execute(statement).all() if keys[key] != item_id}

    def _record(
        self, records: Sequence[OutcomeRecord], *, changes: Mapping[str, object], now_ms: int, run_id: str | None
    ) -> None:
        if not records:
            return
        ended = (
            sa.update(items)
            .where(items.c.item_id == sa.bindparam("of"))
            .values(state=sa.bindparam("to"), reason=None, detail="", fingerprint=sa.bindparam("left_as"),
                    run_id=run_id, updated_at=now_ms, **changes)
        )  # fmt: skip
        with self._writing() as connection:
            connection.execute(
                ended,
                [
                    {"of": record.item_id, "to": record.state, "left_as": record.fingerprint,
                     **({"bytes": record.bytes} if isinstance(record, ReclaimRecord) else {})}
                    for record in records
                ],
            )  # fmt: skip
            connection.execute(sa.insert(events), [_event(record, now_ms, run_id) for record in records])

    @staticmethod
    def _objects(
        connection: sa.Connection, rows: Sequence[sa.Row[*tuple[object, ...]]]
    ) -> dict[int, tuple[ObjectRecord, ...]]:
        """Return each item's objects, the primary first; a primary may be entered for another item, which found it."""
        if not rows:
            return {}
        keys = [row.object_key for row in rows if row.object_key]
        theirs = sa.or_(objects.c.item_id.in_([row.item_id for row in rows]), objects.c.object_key.in_(keys))
        found = [dict(row) for row in connection.execute(sa.select(objects).where(theirs)).mappings()]
        by_key = {row["object_key"]: _object(row) for row in found}
        alternates: dict[int, list[ObjectRecord]] = {}
        for row in found:
            if row["role"] == "alternate":
                alternates.setdefault(row["item_id"], []).append(by_key[row["object_key"]])
        return {
            row.item_id: (*([by_key[row.object_key]] if row.object_key in by_key else []),
                          *(other for other in alternates.get(row.item_id, ()) if other.key != row.object_key))
            for row in rows
        }  # fmt: skip


_COLUMNS = (
    items.c.item_id, items.c.image_id, items.c.batch_key, items.c.position, items.c.state, items.c.source,
    items.c.object_key, items.c.fingerprint, items.c.published_at, items.c.originals, items.c.before,
)  # fmt: skip
_NOT_IN_A_RECORD = ("object_key", "item_id", "stored_at", "proved_at", "format")


def _undo_record(row: sa.Row[*tuple[Any, ...]], found: Mapping[int, tuple[ObjectRecord, ...]]) -> UndoRecord:
    return UndoRecord(
        item_id=row.item_id, image_id=row.image_id, batch_key=row.batch_key, state=ItemState(row.state),
        source=row.source, object_key=row.object_key, fingerprint=row.fingerprint, published_at=row.published_at,
        objects=found.get(row.item_id, ()), originals=row.originals or {}, before=row.before or {},
    )  # fmt: skip


def _object(row: Mapping[str, object]) -> ObjectRecord:
    values = {name: value for name, value in row.items() if name not in _NOT_IN_A_RECORD}
    kind = row["format"]
    return ObjectRecord(key=str(row["object_key"]), format=ImageFormat(kind) if kind else None, **values)  # pyright: ignore[reportArgumentType] - the columns are the fields


def _event(record: OutcomeRecord, now_ms: int, run_id: str | None) -> dict[str, object]:
    facts = {**({"reason": record.reason.value} if record.reason else {}), **record.facts}
    return {
        "item_id": record.item_id, "at": now_ms, "run_id": run_id, "event": record.event or record.state.value,
        "facts": facts,
    }  # fmt: skip


def _within(scope: UndoScope) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [items.c.state.in_([state.value for state in scope.states])]
    if scope.image_ids is not None:
        conditions.append(items.c.image_hash.in_([image_hash(image_id) for image_id in scope.image_ids]))
    if scope.source is not None:
        conditions.append(items.c.source == scope.source)
    if scope.published_until is not None:
        conditions.append(items.c.published_at <= scope.published_until)
    if scope.with_object:
        conditions.append(items.c.object_key.is_not(None))
    return conditions
