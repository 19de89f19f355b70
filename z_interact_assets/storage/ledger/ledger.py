"""Ledger: one database, its three faces: planning, work, and questions."""

import sqlalchemy as sa

from z_interact_assets.storage.ledger.planning import PlanningBook
from z_interact_assets.storage.ledger.questions import Questions
from z_interact_assets.storage.ledger.snapshots import Snapshots
from z_interact_assets.storage.ledger.work import WorkLog
from z_interact_assets.storage.sql_errors import SQLErrors


class Ledger:
    """The open ledger. Thread-safe. `planning` assigns batches, `work` records effects, `ask` only reads."""

    def __init__(self, engine: sa.Engine, errors: SQLErrors) -> None:
        self._engine = engine
        self.planning = PlanningBook(engine, errors)
        self.work = WorkLog(engine, errors)
        self.ask = Questions(engine, errors)
        self.snapshots = Snapshots(engine, errors)

    def __repr__(self) -> str:
        return f"Ledger({self._engine.url.render_as_string(hide_password=True)!r})"

    def close(self) -> None:
        """Give back all connections."""
        self._engine.dispose()
