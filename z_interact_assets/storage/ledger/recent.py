"""What happened of late: for summaries."""

import sqlalchemy as sa

from z_interact_assets.storage.ledger.schema import events, objects
from z_interact_assets.storage.ledger.sessions import Sessions


class Recent(Sessions):
    """Counts since a point in time (UTC ms)."""

    def images_that_came_to(self, *, since: int) -> dict[str, int]:
        """Return how many images had each event (`published`, `failed`, …) at least once."""
        statement = (
            sa.select(events.c.event, sa.func.count(events.c.item_id.distinct()))
            .where(events.c.at >= since)
            .group_by(events.c.event)
        )
        with self._reading() as connection:
            return {row[0]: row[1] for row in connection.execute(statement)}

    def bytes_stored(self, *, since: int) -> int:
        """Return the size of the objects that were written."""
        bytes_ = sa.func.coalesce(sa.func.sum(objects.c.size), 0)
        statement = sa.select(bytes_).where(objects.c.stored_at >= since, objects.c.created)
        with self._reading() as connection:
            return int(connection.execute(statement).scalar_one())
