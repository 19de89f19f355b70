"""Ledger: one database, and its faces."""

import sqlalchemy as sa

from z_interact_assets.storage.ledger.archive import Archive
from z_interact_assets.storage.ledger.demand import Demand
from z_interact_assets.storage.ledger.figures import Figures
from z_interact_assets.storage.ledger.leases import LeaseBook
from z_interact_assets.storage.ledger.planning import PlanningBook
from z_interact_assets.storage.ledger.questions import Questions
from z_interact_assets.storage.ledger.recent import Recent
from z_interact_assets.storage.ledger.snapshots import Snapshots
from z_interact_assets.storage.ledger.undo import UndoBook
from z_interact_assets.storage.ledger.work import WorkLog
from z_interact_assets.storage.sql_errors import SQLErrors


class Ledger:
    """The open ledger. Thread-safe.

    `planning` assigns batches, `demand` says which of them want a run, `leases` says who has them in hand, `work`
    records a migration's effects, `undo` those of rollback and reclaim, `ask`, `recent` and `figures` only read,
    `snapshots` keeps the history of inventories and statistics, `archive` has the whole of it for backups.
    """

    def __init__(self, engine: sa.Engine, errors: SQLErrors) -> None:
        self._engine = engine
        self.planning = PlanningBook(engine, errors)
        self.demand = Demand(engine, errors)
        self.leases = LeaseBook(engine, errors)
        self.work = WorkLog(engine, errors)
        self.undo = UndoBook(engine, errors)
        self.ask = Questions(engine, errors)
        self.recent = Recent(engine, errors)
        self.figures = Figures(engine, errors)
        self.snapshots = Snapshots(engine, errors)
        self.archive = Archive(engine, errors)

    def __repr__(self) -> str:
        return f"Ledger({self._engine.url.render_as_string(hide_password=True)!r})"

    def close(self) -> None:
        """Give back all connections."""
        self._engine.dispose()
