"""Questions to the ledger. Nothing here writes; whatever can be long is streamed in pages."""

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from z_interact_assets.core.errors import LedgerUnusableError
from z_interact_assets.core.findings import Placement, RecordedObject
from z_interact_assets.core.models import ImageFormat, ItemState
from z_interact_assets.core.planning import ASKED_FOR
from z_interact_assets.core.reasons import Reason
from z_interact_assets.core.records import BatchSummary, LedgerItem, ObjectRecord, ProofSummary
from z_interact_assets.storage.ledger.schema import batches, events, image_hash, items, objects
from z_interact_assets.storage.ledger.sessions import Sessions

PAGE_ITEMS = 1_000

_ITEM = sa.select(
    items.c.item_id, items.c.image_id, items.c.batch_key, items.c.state, items.c.reason, items.c.detail,
    items.c.source, items.c.object_key, objects.c.size, objects.c.md5, objects.c.sha256, objects.c.etag,
    objects.c.content_type, objects.c.width, objects.c.height, objects.c.proof,
).select_from(items.outerjoin(objects, objects.c.object_key == items.c.object_key))  # fmt: skip

_RECORDED = sa.select(
    objects.c.object_key.label("key"), objects.c.size, objects.c.etag, objects.c.md5, items.c.item_id,
    items.c.image_id, items.c.state,
    sa.or_(objects.c.role == "alternate", items.c.object_key == objects.c.object_key).label("in_use"),
).join(items, items.c.item_id == objects.c.item_id)  # fmt: skip

_NOT_IN_A_RECORD = frozenset({"object_key", "stored_at", "proved_at"})


class Questions(Sessions):
    """Everything services, checks and reports want to know."""

    def states(self) -> dict[ItemState, int]:
        """Return the number of items in each state that occurs."""
        statement = sa.select(items.c.state, sa.func.count()).group_by(items.c.state)
        with self._reading() as connection:
            return {ItemState(state): count for state, count in connection.execute(statement).all()}

    def work_ever_seen(self) -> int:
        """Return how often the table had an image for a batch, a new or a changed one; it never goes down.

        One that is tried again since somebody asks for it is no new work: its row is as it was.
        """
        entered = sa.select(sa.func.count()).where(items.c.batch_key.is_not(None))
        asked_for = sa.cast(events.c.facts, sa.Text).contains(ASKED_FOR)
        again = sa.select(sa.func.count()).where(events.c.event == "planned_again", sa.not_(asked_for))
        with self._reading() as connection:
            return connection.execute(entered).scalar_one() + connection.execute(again).scalar_one()

    def reasons(self, state: ItemState = ItemState.QUARANTINED) -> dict[Reason, int]:
        """Return the number of items of a state by reason."""
        statement = (
            sa.select(items.c.reason, sa.func.count())
            .where(items.c.state == state, items.c.reason.is_not(None))
            .group_by(items.c.reason)
        )
        with self._reading() as connection:
            return {Reason(reason): count for reason, count in connection.execute(statement).all()}

    def batch(self, batch_key: str) -> BatchSummary:
        """Return one batch's items by state; LedgerUnusableError if there is no such batch."""
        return self.summaries([batch_key])[0]

    def summaries(self, batch_keys: Sequence[str]) -> list[BatchSummary]:
        """Return some batches' items by state, in the order of the keys; LedgerUnusableError if one does not exist."""
        bytes_ = sa.func.coalesce(sa.func.sum(objects.c.size), 0)
        statement = (
            sa.select(items.c.batch_key, items.c.state, sa.func.count(), bytes_)
            .select_from(items.outerjoin(objects, objects.c.object_key == items.c.object_key))
            .group_by(items.c.batch_key, items.c.state)
        )
        found: dict[str | None, list[tuple[ItemState, int, int]]] = {}
        with self._reading() as connection:
            for start in range(0, len(batch_keys), PAGE_ITEMS):
                page = batch_keys[start : start + PAGE_ITEMS]
                for key, state, count, size in connection.execute(statement.where(items.c.batch_key.in_(page))):
                    found.setdefault(key, []).append((ItemState(state), count, int(size)))
        return [_batch_summary(key, found.get(key, ())) for key in batch_keys]

    def batch_states(self) -> dict[str, dict[ItemState, int]]:
        """Return, for each batch in order, its number of items by state."""
        statement = (
            sa.select(batches.c.batch_key, items.c.state, sa.func.count())
            .select_from(batches.outerjoin(items, items.c.batch_key == batches.c.batch_key))
            .group_by(batches.c.batch_key, items.c.state)
            .order_by(batches.c.batch_key)
        )
        found: dict[str, dict[ItemState, int]] = {}
        with self._reading() as connection:
            for key, state, count in connection.execute(statement):
                found.setdefault(key, {})[ItemState(state)] = count
        return found

    def batch_items(self, batch_key: str) -> list[LedgerItem]:
        """Return the items of one batch in its order."""
        return self.items_of([batch_key])[batch_key]

    def items_of(self, batch_keys: Sequence[str]) -> dict[str, list[LedgerItem]]:
        """Return the items of each of some batches (at most some thousand a call), in its order."""
        statement = _ITEM.where(items.c.batch_key.in_(batch_keys)).order_by(items.c.batch_key, items.c.position)
        found: dict[str, list[LedgerItem]] = {key: [] for key in batch_keys}
        with self._reading() as connection:
            for row in connection.execute(statement):
                found[row.batch_key].append(_item(row))
        return found

    def items(self, states: Sequence[ItemState] | None = None) -> Iterator[LedgerItem]:
        """Yield items in the order they were entered, all or those in some states."""
        # An expression, not the column: by the index on it, SQLite would sort all items of the states for each page
        # (1.4 s of CPU a page at a million items, 10 ms in the order of the table).
        among = [] if states is None else [(items.c.state + "").in_([state.value for state in states])]
        last = 0
        while True:
            statement = _ITEM.where(items.c.item_id > last, *among).order_by(items.c.item_id).limit(PAGE_ITEMS)
            with self._reading() as connection:
                rows = connection.execute(statement).all()
            yield from (_item(row) for row in rows)
            if len(rows) < PAGE_ITEMS:
                return
            last = rows[-1].item_id

    def alternates(self, item_ids: Sequence[int]) -> dict[int, list[ObjectRecord]]:
        """Return the second images of those items (at most some thousand a call) that have any, by item id."""
        columns = [column for column in objects.c if column.name not in _NOT_IN_A_RECORD]
        statement = sa.select(*columns, objects.c.object_key.label("key")).where(
            objects.c.role == "alternate", objects.c.item_id.in_(item_ids)
        )
        found: dict[int, list[ObjectRecord]] = {}
        with self._reading() as connection:
            for row in connection.execute(statement).mappings():
                values = dict(row)
                values["format"] = ImageFormat(values["format"]) if values["format"] else None
                found.setdefault(values.pop("item_id"), []).append(ObjectRecord(**values))
        return found

    def item(self, image_id: str) -> LedgerItem | None:
        """Return one image's item, or None if the ledger does not know it."""
        with self._reading() as connection:
            row = connection.execute(_ITEM.where(items.c.image_hash == image_hash(image_id))).one_or_none()
        return None if row is None else _item(row)

    def history(self, image_id: str) -> list[dict[str, Any]]:
        """Return an image's events, oldest first: at (UTC ms), run_id, event, facts."""
        statement = (
            sa.select(events.c.at, events.c.run_id, events.c.event, events.c.facts)
            .join(items, items.c.item_id == events.c.item_id)
            .where(items.c.image_hash == image_hash(image_id))
            .order_by(events.c.event_id)
        )
        with self._reading() as connection:
            return [dict(row._mapping) for row in connection.execute(statement)]  # noqa: SLF001 - SQLAlchemy's public name

    def placements(self, image_ids: Sequence[str]) -> dict[str, Placement]:
        """Return where the ledger has these images (at most some thousand a call), by image id."""
        statement = (
            sa.select(items.c.image_id, items.c.item_id, items.c.state, items.c.object_key, objects.c.item_id)
            .select_from(items.outerjoin(objects, objects.c.object_key == items.c.object_key))
            .where(items.c.image_hash.in_([image_hash(image_id) for image_id in image_ids]))
        )
        with self._reading() as connection:
            rows = connection.execute(statement).all()
        return {
            image_id: Placement(item_id=item_id, state=ItemState(state), object_key=key, owner_id=owner_id)
            for image_id, item_id, state, key, owner_id in rows
        }

    def recorded_objects(self) -> Iterator[RecordedObject]:
        """Yield every object the ledger knows, in UTF-8 byte order of the keys."""
        if self._engine.dialect.name == "postgresql":
            # The database may order by a language, and the key's index with it: asked for page by page all keys would
            # be sorted anew for each. A cursor sorts once, and keeps its transaction open meanwhile.
            statement = _RECORDED.order_by(sa.collate(objects.c.object_key, "C"))
            with self._reading() as connection:
                rows = connection.execution_options(yield_per=PAGE_ITEMS).execute(statement)
                yield from (_recorded(row) for row in rows)
            return
        ordered = objects.c.object_key
        last = ""
        while True:
            statement = _RECORDED.where(ordered > last).order_by(ordered).limit(PAGE_ITEMS)
            with self._reading() as connection:
                rows = connection.execute(statement).all()
            yield from (_recorded(row) for row in rows)
            if len(rows) < PAGE_ITEMS:
                return
            last = rows[-1].key

    def key_marks(self, every: int) -> list[str]:
        """Return the keys of the objects the ledger knows, one of each `every`, in UTF-8 byte order."""
        key = objects.c.object_key
        # SQLite's own order is that of bytes; naming it another way would keep the key's index out.
        ordered = sa.collate(key, "C") if self._engine.dialect.name == "postgresql" else key
        numbered = sa.select(key, sa.func.row_number().over(order_by=ordered).label("number")).subquery()
        statement = (
            sa.select(numbered.c.object_key).where(numbered.c.number % every == 0).order_by(numbered.c.number)
        )  # fmt: skip
        with self._reading() as connection:
            return list(connection.execute(statement).scalars())

    def recorded_object(self, key: str) -> RecordedObject | None:
        """Return one object with the image it belongs to, None if the ledger does not know it."""
        with self._reading() as connection:
            row = connection.execute(_RECORDED.where(objects.c.object_key == key)).one_or_none()
        return None if row is None else _recorded(row)

    def reclaimed(self, batch_key: str) -> tuple[int, int]:
        """Return how many images of a batch had their base64 cleared, and the bytes of that text."""
        bytes_ = sa.func.coalesce(sa.func.sum(items.c.reclaimed_bytes), 0)
        statement = sa.select(sa.func.count(), bytes_).where(
            items.c.batch_key == batch_key, items.c.state == ItemState.RECLAIMED
        )
        with self._reading() as connection:
            count, cleared = connection.execute(statement).one()
        return count, int(cleared)

    def proofs(self, *, since: int) -> ProofSummary:
        """Return how well the objects are proved whose images were in the table; those on R2 before us are left out."""
        held = objects.join(
            items,
            sa.or_(
                items.c.object_key == objects.c.object_key,
                sa.and_(objects.c.role == "alternate", objects.c.item_id == items.c.item_id),
            ),
        )
        read = objects.c.proof == "sha256"
        statement = (
            sa.select(
                sa.func.count(),
                sa.func.count().filter(sa.not_(read)),
                sa.func.count().filter(read, objects.c.proved_at < since),
                sa.func.min(objects.c.proved_at).filter(read),
            )
            .select_from(held)
            .where(items.c.state.in_([ItemState.PUBLISHED, ItemState.RECLAIMED]))
        )
        with self._reading() as connection:
            count, unproved, stale, oldest = connection.execute(statement).one()
        return ProofSummary(objects=count, unproved=unproved, stale=stale, oldest=oldest)

    def reclaimed_without_undo(self) -> int:
        """Return how many images had their text cleared of which the ledger does not have the form."""
        text = sa.cast(items.c.originals, sa.Text)
        unknown = sa.or_(items.c.originals.is_(None), text.not_like('%"image_data"%'))
        statement = sa.select(sa.func.count()).where(items.c.state == ItemState.RECLAIMED, unknown)
        with self._reading() as connection:
            return connection.execute(statement).scalar_one()


def _batch_summary(batch_key: str, states: Sequence[tuple[ItemState, int, int]]) -> BatchSummary:
    if not states:
        raise LedgerUnusableError(
            f"The ledger has no batch {batch_key}.",
            remedy="It belongs to another ledger; materialise `migration_batches` and choose among its batches.",
        )
    return BatchSummary(
        key=batch_key, items=sum(count for _, count, _ in states),
        states={state: count for state, count, _ in states}, bytes=sum(size for _, _, size in states),
    )  # fmt: skip


def _item(row: sa.Row[*tuple[Any, ...]]) -> LedgerItem:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    values["state"] = ItemState(values["state"])
    values["reason"] = Reason(values["reason"]) if values["reason"] else None
    return LedgerItem(**values)


def _recorded(row: sa.Row[*tuple[Any, ...]]) -> RecordedObject:
    key, size, etag, md5, item_id, image_id, state, in_use = row
    return RecordedObject(
        key=key, size=size, etag=etag, md5=md5, item_id=item_id, image_id=image_id, state=ItemState(state),
        in_use=bool(in_use),
    )  # fmt: skip
