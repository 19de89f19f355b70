"""Which batches got work that no run was asked for yet. Only reads; what became of runs is not asked."""

import sqlalchemy as sa

from z_interact_assets.core.models import PENDING_STATES
from z_interact_assets.core.records import WorkMark
from z_interact_assets.storage.ledger.schema import batches, events, items
from z_interact_assets.storage.ledger.sessions import Sessions

_PENDING = [state.value for state in PENDING_STATES]
_AGAIN = events.c.event == "planned_again"


class Demand(Sessions):
    """Work by when it was planned."""

    def mark(self) -> WorkMark:
        """Return how far planning has come: what it adds later is beyond the mark."""
        newest_batch = sa.select(sa.func.coalesce(sa.func.max(batches.c.number), 0))
        newest_event = sa.select(sa.func.coalesce(sa.func.max(events.c.event_id), 0)).where(_AGAIN)
        with self._reading() as connection:
            return WorkMark(
                batch=connection.execute(newest_batch).scalar_one(), event=connection.execute(newest_event).scalar_one()
            )

    def beyond(self, mark: WorkMark) -> list[str]:
        """Return the batches with pending images that were planned, or planned again, beyond the mark, in order.

        Images that failed since they were planned before it are none of them: they had their run.
        """
        again = sa.select(events.c.item_id).where(_AGAIN, events.c.event_id > mark.event)
        statement = (
            sa.select(items.c.batch_key)
            .join(batches, batches.c.batch_key == items.c.batch_key)
            .where(items.c.state.in_(_PENDING), sa.or_(batches.c.number > mark.batch, items.c.item_id.in_(again)))
            .distinct()
            .order_by(items.c.batch_key)
        )
        with self._reading() as connection:
            return [key for key in connection.execute(statement).scalars() if key is not None]
