"""What runs do to items: handing out work, recording effects after they happened. Grouped: one transaction a group."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Self

import sqlalchemy as sa

from z_interact_assets.core.models import PENDING_STATES, ItemState
from z_interact_assets.core.records import ObjectRecord, OutcomeRecord, StoredRecord, WorkItem
from z_interact_assets.storage.ledger.schema import events, image_hash, items, objects
from z_interact_assets.storage.ledger.sessions import Sessions
from z_interact_assets.storage.prepared import Prepared

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

PAGE_ITEMS = 500
_PENDING = [state.value for state in PENDING_STATES]


class WorkLog(Sessions):
    """Pending items out, outcomes in."""

    def pending(
        self, batch_keys: Sequence[str] | None = None, *, image_ids: Sequence[str] | None = None
    ) -> dict[str, int]:
        """Return how many items are pending in each batch that has any, in order of the batches."""
        statement = (
            sa.select(items.c.batch_key, sa.func.count())
            .where(items.c.state.in_(_PENDING), items.c.batch_key.is_not(None), *_among(image_ids))
            .group_by(items.c.batch_key)
            .order_by(items.c.batch_key)
        )
        with self._reading() as connection:
            found = {key: count for key, count in connection.execute(statement).all() if key is not None}
        return found if batch_keys is None else {key: found[key] for key in sorted(batch_keys) if key in found}

    def hand_out(
        self,
        batch_keys: Sequence[str],
        *,
        now_ms: int,
        image_ids: Sequence[str] | None = None,
        limit: int | None = None,
        dry_run: bool = False,
    ) -> Iterator[WorkItem]:
        """Yield the pending items of these batches in their order, page by page, at most `limit` in all.

        A page's attempts are counted before it is handed out: an item that comes with `attempts` > 0 may already have
        its object, whatever became of the run that tried. A dry run counts nothing.
        """
        wanted = set(batch_keys)
        left = limit
        after: tuple[str, int] | None = ("", -1)
        while wanted and after is not None and left != 0:
            page, after = self._page(after, wanted, image_ids, left)
            if not dry_run:
                self._count_attempts(page, now_ms)
            yield from page
            left = None if left is None else left - len(page)

    def record_stored(self, records: Sequence[StoredRecord], *, now_ms: int, run_id: str | None) -> None:
        """Record proved objects, with all that undoing the coming switch needs, before any row is switched."""
        if not records:
            return
        with self._writing() as connection:
            self._statements.object.many(
                connection,
                [_object_row(stored, record.item_id, now_ms) for record in records for stored in record.objects],
            )
            for statement, pointed in ((self._statements.stored, False), (self._statements.pointed, True)):
                statement.many(
                    connection, [_stored_row(one, now_ms, run_id) for one in records if one.pointed is pointed]
                )
            self._statements.event.many(
                connection,
                [
                    {
                        "item_id": record.item_id, "at": now_ms, "run_id": run_id, "event": "stored",
                        "facts": [
                            {"key": stored.key, "etag": stored.etag, "sha256": stored.sha256, "proof": stored.proof,
                             "created": stored.created}
                            for stored in record.objects
                        ],
                    }
                    for record in records
                ],
            )  # fmt: skip

    def record_outcomes(self, records: Sequence[OutcomeRecord], *, now_ms: int, run_id: str | None) -> None:
        """Record how items ended, each with one event."""
        if not records:
            return
        with self._writing() as connection:
            self._statements.outcome.many(
                connection,
                [
                    {
                        "of": record.item_id, "state": record.state, "reason": record.reason, "detail": record.detail,
                        "fingerprint": record.fingerprint, "run_id": run_id, "updated_at": now_ms,
                        "published": now_ms if record.state in _ON_R2 else None,
                    }
                    for record in records
                ],
            )  # fmt: skip
            self._statements.event.many(
                connection,
                [
                    {
                        "item_id": record.item_id, "at": now_ms, "run_id": run_id,
                        "event": record.event or record.state.value,
                        "facts": {**({"reason": record.reason.value} if record.reason else {}), **record.facts},
                    }
                    for record in records
                ],
            )  # fmt: skip

    def record_proofs(self, keys: Sequence[str], *, proof: str, now_ms: int) -> None:
        """Note that objects were proved again."""
        if not keys:
            return
        with self._writing() as connection:
            connection.execute(
                sa.update(objects).where(objects.c.object_key == sa.bindparam("of")).values(
                    proved_at=now_ms, proof=proof
                ),
                [{"of": key} for key in keys],
            )  # fmt: skip

    def _page(
        self, after: tuple[str, int], wanted: set[str], image_ids: Sequence[str] | None, left: int | None
    ) -> tuple[list[WorkItem], tuple[str, int] | None]:
        """Return the next page and where the one after it starts, None where there is none."""
        columns = (
            items.c.item_id, items.c.image_id, items.c.batch_key, items.c.state, items.c.attempts, items.c.object_key,
            items.c.source, items.c.position, objects.c.md5,
        )  # fmt: skip
        batch_key, position = after
        later = sa.or_(
            items.c.batch_key > batch_key, sa.and_(items.c.batch_key == batch_key, items.c.position > position)
        )
        statement = (
            sa.select(*columns)
            .select_from(items.outerjoin(objects, objects.c.object_key == items.c.object_key))
            .where(items.c.state.in_(_PENDING), items.c.batch_key.between(min(wanted), max(wanted)), later)
            .where(*_among(image_ids))
            .order_by(items.c.batch_key, items.c.position)
            .limit(PAGE_ITEMS)
        )
        with self._reading() as connection:
            rows = connection.execute(statement).all()
        page = [
            WorkItem(
                item_id=row.item_id, image_id=row.image_id, batch_key=row.batch_key, state=ItemState(row.state),
                attempts=row.attempts, object_key=row.object_key, md5=row.md5, source=row.source,
                position=row.position,
            )
            for row in rows if row.batch_key in wanted
        ]  # fmt: skip
        return page[:left], ((rows[-1].batch_key, rows[-1].position) if len(rows) == PAGE_ITEMS else None)

    def _count_attempts(self, page: Sequence[WorkItem], now_ms: int) -> None:
        if not page:
            return
        with self._writing() as connection:
            self._statements.attempt.many(connection, [{"of": item.item_id, "now": now_ms} for item in page])

    @cached_property
    def _statements(self) -> "_Statements":
        return _Statements.of(self._engine.dialect)


def _among(image_ids: Sequence[str] | None) -> list[sa.ColumnElement[bool]]:
    return [] if image_ids is None else [items.c.image_hash.in_([image_hash(image_id) for image_id in image_ids])]


_SET_STORED = (
    sa.update(items)
    .where(items.c.item_id == sa.bindparam("of"))
    .values({name: sa.bindparam(f"new_{name}") for name in (
        "state", "source", "object_key", "stored_at", "originals", "before", "run_id", "updated_at"
    )})
)  # fmt: skip
_SET_POINTED = _SET_STORED.where(
    sa.or_(items.c.object_key.is_(None), items.c.object_key != sa.bindparam("new_object_key"))
)
_SET_OUTCOME = (
    sa.update(items)
    .where(items.c.item_id == sa.bindparam("of"))
    .values(
        # Taken for a row that was on R2 before us, while another run of ours had just switched it.
        state=sa.case(
            (sa.and_(sa.bindparam("state") == ItemState.ALREADY_IN_R2.value, items.c.source != "r2"),
             ItemState.PUBLISHED.value),
            else_=sa.bindparam("state"),
        ),
        reason=sa.bindparam("reason"), detail=sa.bindparam("detail"),
        fingerprint=sa.bindparam("fingerprint"), run_id=sa.bindparam("run_id"), updated_at=sa.bindparam("updated_at"),
        published_at=sa.func.coalesce(sa.bindparam("published", type_=sa.BigInteger), items.c.published_at),
    )
)  # fmt: skip
_ON_R2 = frozenset({ItemState.PUBLISHED, ItemState.ALREADY_IN_R2})
# What a second sight of an object may change; who wrote it first, when and for which item stays. Of an object that is
# still the same, a mere look (HEAD) takes back nothing that was proved.
_SEEN = ("size", "etag", "content_type", "proved_at")
_PROVED = ("md5", "sha256", "format", "width", "height")


_COUNT_ATTEMPT = (
    sa.update(items)
    .where(items.c.item_id == sa.bindparam("of"))
    .values(attempts=items.c.attempts + 1, updated_at=sa.bindparam("now"))
)


@dataclass(frozen=True, slots=True)
class _Statements:
    """What runs for each item: built row by row, they cost more than the images' own hashing."""

    object: Prepared
    stored: Prepared
    pointed: Prepared
    outcome: Prepared
    attempt: Prepared
    event: Prepared

    @classmethod
    def of(cls, dialect: sa.Dialect) -> Self:
        columns = [column.name for column in objects.columns]
        return cls(
            object=Prepared(_upsert_object(dialect.name), dialect, names=columns),
            stored=Prepared(_SET_STORED, dialect),
            pointed=Prepared(_SET_POINTED, dialect),
            outcome=Prepared(_SET_OUTCOME, dialect),
            attempt=Prepared(_COUNT_ATTEMPT, dialect),
            event=Prepared(sa.insert(events), dialect, names=["item_id", "at", "run_id", "event", "facts"]),
        )


def _stored_row(record: StoredRecord, now_ms: int, run_id: str | None) -> dict[str, object]:
    return {
        "of": record.item_id, "new_state": ItemState.STORED, "new_source": record.source,
        "new_object_key": record.object_key, "new_stored_at": now_ms, "new_originals": dict(record.originals),
        "new_before": dict(record.before), "new_run_id": run_id, "new_updated_at": now_ms,
    }  # fmt: skip


def _object_row(stored: ObjectRecord, item_id: int, now_ms: int) -> dict[str, object]:
    return {
        "object_key": stored.key, "item_id": item_id, "role": stored.role, "created": stored.created,
        "stored_at": now_ms, "size": stored.size, "md5": stored.md5, "sha256": stored.sha256, "etag": stored.etag,
        "format": stored.format, "width": stored.width, "height": stored.height,
        "content_type": stored.content_type, "proof": stored.proof, "proved_at": now_ms,
    }  # fmt: skip


def _upsert_object(dialect: str) -> "sqlite.Insert | postgresql.Insert":
    """Insert an object or refresh it; one that two rows point at keeps the first as its owner."""
    # 25 ms that a ledger in SQLite, `status` among all, need not pay for the other's.
    dialects = import_module(f"sqlalchemy.dialects.{'postgresql' if dialect == 'postgresql' else 'sqlite'}")
    insert: sqlite.Insert | postgresql.Insert = dialects.insert(objects)
    new, old = insert.excluded, objects.c
    same = new.etag == old.etag
    proved = {name: sa.case((same, sa.func.coalesce(new[name], old[name])), else_=new[name]) for name in _PROVED}
    proof = sa.case((sa.and_(same, new.proof == "head"), old.proof), else_=new.proof)
    seen = {name: new[name] for name in _SEEN}
    return insert.on_conflict_do_update(index_elements=[old.object_key], set_={**seen, **proved, "proof": proof})
