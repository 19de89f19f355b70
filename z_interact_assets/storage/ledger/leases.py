"""Who has which batches in hand. When a holder is over the caller judges; that a batch has one holder is ours."""

from collections.abc import Callable, Sequence
from dataclasses import asdict

import sqlalchemy as sa

from z_interact_assets.core.records import LeaseHolder
from z_interact_assets.storage.ledger.schema import batches, leases
from z_interact_assets.storage.ledger.sessions import Sessions


class LeaseBook(Sessions):
    """Enters holders, gives them batches, and takes these back."""

    def enter(self, holder: LeaseHolder) -> None:
        """Enter a holder without batches, and forget those that were killed: nobody believes in them any more."""
        with self._writing() as connection:
            connection.execute(sa.delete(leases).where(leases.c.expires_at < holder.since))
            connection.execute(sa.insert(leases).values(asdict(holder)))

    def beat(self, holder_id: str, *, expires_at: int) -> None:
        """Note that the holder is alive."""
        with self._writing() as connection:
            connection.execute(sa.update(leases).where(leases.c.holder_id == holder_id).values(expires_at=expires_at))

    def renew(self, holder_id: str, keys: Sequence[str], *, expires_at: int) -> bool:
        """Note that the holder is alive; tell whether it has all of these batches."""
        held = sa.select(sa.func.count()).where(batches.c.batch_key.in_(keys), batches.c.leased_by == holder_id)
        with self._writing() as connection:
            connection.execute(sa.update(leases).where(leases.c.holder_id == holder_id).values(expires_at=expires_at))
            return connection.execute(held).scalar_one() == len(set(keys))

    def claim(self, holder_id: str, keys: Sequence[str], *, is_over: Callable[[LeaseHolder], bool]) -> list[str]:
        """Give the holder those of the batches that nobody has, or whose holder is over; return them in order.

        Rows are locked in one order and never waited for: two claims cannot block each other for good.
        """
        wanted = (
            sa.select(batches.c.batch_key, batches.c.leased_by)
            .where(batches.c.batch_key.in_(keys))
            .order_by(batches.c.batch_key)
            .with_for_update(skip_locked=True)
        )
        with self._writing() as connection:
            found = connection.execute(wanted).all()
            others = {leased_by for _, leased_by in found if leased_by not in (None, holder_id)}
            holding = {holder.holder_id for holder in self._holders(connection, others) if not is_over(holder)}
            free = [key for key, leased_by in found if leased_by not in holding]
            if free:
                connection.execute(sa.update(batches).where(batches.c.batch_key.in_(free)).values(leased_by=holder_id))
        return free

    def release(self, holder_id: str, keys: Sequence[str]) -> None:
        """Take batches back from a holder; those another one has taken over stay with that one."""
        if not keys:
            return
        with self._writing() as connection:
            connection.execute(
                sa.update(batches)
                .where(batches.c.batch_key.in_(keys), batches.c.leased_by == holder_id)
                .values(leased_by=None)
            )

    def leave(self, holder_id: str) -> None:
        """Take all batches back from a holder and forget it."""
        with self._writing() as connection:
            connection.execute(sa.update(batches).where(batches.c.leased_by == holder_id).values(leased_by=None))
            connection.execute(sa.delete(leases).where(leases.c.holder_id == holder_id))

    def holders(self) -> list[LeaseHolder]:
        """Return everybody who has at least one batch."""
        held = sa.select(batches.c.leased_by).where(batches.c.leased_by.is_not(None)).distinct()
        with self._reading() as connection:
            return self._holders(connection, set(connection.execute(held).scalars()))

    @staticmethod
    def _holders(connection: sa.Connection, holder_ids: set[str]) -> list[LeaseHolder]:
        if not holder_ids:
            return []
        rows = connection.execute(sa.select(leases).where(leases.c.holder_id.in_(holder_ids))).mappings()
        return [LeaseHolder(**row) for row in rows]
