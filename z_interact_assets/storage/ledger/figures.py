"""Figures for the statistics: what the ledger has of a page of images, and sums over all of it. Nothing here writes."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from z_interact_assets.core.findings import ON_R2_STATES
from z_interact_assets.core.models import ItemState
from z_interact_assets.storage.ledger.schema import events, image_hash, items, objects
from z_interact_assets.storage.ledger.sessions import Sessions

DAY_MS = 24 * 60 * 60 * 1000

_FACTS = sa.select(
    items.c.image_id, items.c.state, items.c.reason, items.c.batch_key, items.c.object_key, objects.c.content_type,
    objects.c.format, objects.c.size, objects.c.width, objects.c.height, objects.c.sha256, objects.c.md5,
    objects.c.proof, items.c.planned_at, items.c.stored_at, items.c.published_at, items.c.reclaimed_at,
    items.c.updated_at,
).select_from(items.outerjoin(objects, objects.c.object_key == items.c.object_key))  # fmt: skip


class ImageFacts(NamedTuple):
    """What the ledger has of one image; the columns from `content_type` on to `proof` are its object's."""

    image_id: str
    state: str
    reason: str | None
    batch_key: str | None
    object_key: str | None
    content_type: str | None
    format: str | None
    size: int | None
    width: int | None
    height: int | None
    sha256: str | None
    md5: str | None
    proof: str | None
    planned_at: int | None
    stored_at: int | None
    published_at: int | None
    reclaimed_at: int | None
    updated_at: int | None


class Duplicates(NamedTuple):
    """Objects that repeat another one's bytes, without the first of each group, and the bytes they waste."""

    groups: int
    objects: int
    bytes: int


class Figures(Sessions):
    """Sums, and facts by the page."""

    def facts(self, image_ids: Sequence[str]) -> dict[str, ImageFacts]:
        """Return what is known of these images (at most some thousand a call), by image id."""
        statement = _FACTS.where(items.c.image_hash.in_([image_hash(image_id) for image_id in image_ids]))
        with self._reading() as connection:
            return {row[0]: ImageFacts(*row) for row in connection.execute(statement)}

    def throughput(self, *, since: int) -> list[dict[str, Any]]:
        """Return each day's images that were published (with their bytes), failed, set aside, or reclaimed.

        Days are UTC; an image counts once a day for each of these, whatever became of it later.
        """
        day = events.c.at // DAY_MS
        wanted = ("published", "failed", "quarantined", "reclaimed")
        once = (
            sa.select(day.label("day"), events.c.event, events.c.item_id)
            .where(events.c.event.in_(wanted), events.c.at >= since)
            .distinct()
            .subquery()
        )
        statement = (
            sa.select(once.c.day, once.c.event, sa.func.count(), sa.func.coalesce(sa.func.sum(objects.c.size), 0))
            .select_from(
                once.join(items, items.c.item_id == once.c.item_id).outerjoin(
                    objects, sa.and_(objects.c.object_key == items.c.object_key, once.c.event == "published")
                )
            )
            .group_by(once.c.day, once.c.event)
        )
        days: dict[int, dict[str, Any]] = {}
        with self._reading() as connection:
            for number, event, images, size in connection.execute(statement):
                found = days.setdefault(int(number), dict.fromkeys(("images", "bytes", *wanted[1:]), 0))
                found["images" if event == "published" else event] = images
                found["bytes"] += int(size)
        return [{"day": number, **found} for number, found in sorted(days.items())]

    def objects_written(self, *, since: int) -> int:
        """Return how many objects were written since (UTC ms) that are still there."""
        statement = sa.select(sa.func.count()).where(objects.c.created, objects.c.stored_at >= since)
        with self._reading() as connection:
            return connection.execute(statement).scalar_one()

    def duplicates(self) -> Duplicates:
        """Return how many objects repeat another one's bytes, in how many groups, and the bytes they waste."""
        extra, size = (sa.func.count() - 1).label("extra"), sa.func.min(objects.c.size).label("size")
        groups = (
            sa.select(extra, size)
            .where(objects.c.sha256.is_not(None))
            .group_by(objects.c.sha256)
            .having(sa.func.count() > 1)
            .subquery()
        )
        sums = (sa.func.sum(groups.c.extra), sa.func.sum(groups.c.extra * groups.c.size))
        statement = sa.select(sa.func.count(), *(sa.func.coalesce(each, 0) for each in sums)).select_from(groups)
        with self._reading() as connection:
            return Duplicates(*(int(number) for number in connection.execute(statement).one()))

    def reclaimed_bytes(self) -> int:
        """Return the bytes of base64 that were cleared."""
        statement = sa.select(sa.func.coalesce(sa.func.sum(items.c.reclaimed_bytes), 0)).where(
            items.c.state == ItemState.RECLAIMED
        )
        with self._reading() as connection:
            return int(connection.execute(statement).scalar_one())

    def content_types(self) -> list[tuple[str, int, int]]:
        """Return the content types of what is on R2, each with its images and their bytes, the largest first."""
        size = sa.func.coalesce(sa.func.sum(objects.c.size), 0)
        kind = sa.func.coalesce(objects.c.content_type, "unknown")
        statement = (
            sa.select(kind, sa.func.count(), size)
            .select_from(items.outerjoin(objects, objects.c.object_key == items.c.object_key))
            .where(items.c.state.in_(ON_R2_STATES))
            .group_by(kind)
            .order_by(size.desc(), kind)
        )
        with self._reading() as connection:
            return [(name, images, int(total)) for name, images, total in connection.execute(statement)]
