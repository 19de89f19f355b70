"""A whole site: the app's table, a bucket, a ledger, and the services on them, with a clock that stands still."""

import json
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.support.ledgers import put_new_ledger
from tests.support.stores import HookedStore
from tests.support.tables import AppTable
from z_interact_assets.core.models import ImageLimits, ItemState
from z_interact_assets.core.planning import Rules
from z_interact_assets.core.preparation import Preparation
from z_interact_assets.core.reasons import Reason
from z_interact_assets.core.records import BatchSummary, LedgerItem
from z_interact_assets.core.urls import KnownBases
from z_interact_assets.demo.standin import StandIn
from z_interact_assets.inventory import Inventory, take_inventory
from z_interact_assets.migrate.forecast import Forecast, Forecaster
from z_interact_assets.migrate.migration import Engine, Migration, Scope
from z_interact_assets.migrate.planner import Planner, PlanResult
from z_interact_assets.reverse import Chosen, Means, Reclaim, Rollback
from z_interact_assets.reverse.reclaim import DAY_MS
from z_interact_assets.storage.ledger import Ledger, open_ledger
from z_interact_assets.storage.legacy import open_table
from z_interact_assets.storage.objects import MemoryStore, R2Config, R2Store
from z_interact_assets.storage.public import PublicReader

NOW_MS = 1_760_000_000_456
PUBLIC_URL = "https://img.example.com"


def r2_store(standin: StandIn, **changes: Any) -> R2Store:
    """A store on the stand-in that tries once."""
    options = {
        "max_attempts": 1, "secret_access_key": standin.secret_access_key, "bucket": standin.bucket,
        "public_url": standin.public_url, **changes,
    }  # fmt: skip
    return R2Store.from_config(
        R2Config(endpoint_url=standin.endpoint_url, access_key_id=standin.access_key_id, **options)
    )


class Site:
    """One table, one bucket, one ledger. Without a store it has a HookedStore."""

    def __init__(
        self,
        folder: Path,
        app: AppTable,
        store: MemoryStore | R2Store | None = None,
        *,
        batch_size: int = 10,
        concurrency: int | None = 4,
        limits: ImageLimits | None = None,
        busy_timeout: float = 5.0,
        ledger_url: str | None = None,
    ) -> None:
        self.app = app
        self.memory = HookedStore(public_url=PUBLIC_URL)
        self.store = store or self.memory
        self.stop = threading.Event()
        self.batch_size = batch_size
        self.bases = KnownBases(self.store.public_url("x").removesuffix("/x"), bucket=self.store.bucket)
        self.table = open_table(app.url, busy_timeout=busy_timeout)
        self.ledger_path = folder / "ledger.db"
        if ledger_url is None:
            put_new_ledger(self.ledger_path)
        self.ledger = open_ledger(ledger_url or f"sqlite:///{self.ledger_path}")
        self.engine = Engine(
            table=self.table,
            preparation=Preparation(self.bases, limits or ImageLimits()),
            max_in_flight_bytes=32 << 20,
            concurrency=concurrency,
            clock_ms=lambda: NOW_MS,
            stop=self.stop,
        )

    def close(self) -> None:
        """Close what is open."""
        self.table.close()
        self.ledger.close()
        self.store.close()

    def planner(self, batch_size: int | None = None) -> Planner:
        """A planner."""
        size = batch_size or self.batch_size
        return Planner(self.table, self.ledger, Rules(self.bases), batch_size=size, clock_ms=lambda: NOW_MS)

    def plan(self) -> PlanResult:
        """Plan."""
        return self.planner().plan()

    def migration(self, ledger: Ledger | None = None) -> Migration:
        """A migration that has not begun."""
        return Migration(self.engine, self.store, ledger or self.ledger, run_id="run")

    def migrate(self, scope: Scope | None = None) -> tuple[Migration, list[BatchSummary]]:
        """Plan and migrate to the end."""
        self.plan()
        migration = self.migration()
        return migration, list(migration.run(scope or Scope()))

    def report(self, scope: Scope | None = None) -> dict[str, Any]:
        """Plan and migrate; the document of `migrate --json`."""
        return self.migrate(scope)[0].totals.report(duration_seconds=0, dry_run=False)

    def means(self, **changes: Any) -> Means:
        """What a rollback or a reclaim of this site works with."""
        options = {"clock_ms": lambda: NOW_MS, "run_id": "undo", "concurrency": 4, "stop": self.stop, **changes}
        return Means(table=self.table, ledger=self.ledger, **options)

    def rollback(self, chosen: Chosen | None = None, *, delete_objects: bool = False, **means: Any) -> dict[str, Any]:
        """Roll back to the end; the document of `rollback --json`."""
        rollback = Rollback(self.means(**means), self.store, self.bases, delete_objects=delete_objects)
        for _ in rollback.run(chosen or Chosen()):
            pass
        return rollback.report.to_json()

    def inventory(self) -> Inventory:
        """Match table, ledger and bucket."""
        return take_inventory(self.store, self.table, self.ledger, self.bases)

    def reclaim(
        self, batch_keys: tuple[str, ...] | None = None, *, days: float = 8, after_days: float = 7, **means: Any
    ) -> dict[str, Any]:
        """Reclaim so many days after NOW_MS; the document of `reclaim --json`."""
        later = self.means(**{"clock_ms": lambda: NOW_MS + int(days * DAY_MS), **means})
        with PublicReader(retries=0) as public:
            reclaim = Reclaim(later, self.store, self.bases, public, after_days=after_days)
            for _ in reclaim.run(self.inventory(), batch_keys):
                pass
        return reclaim.report.to_json()

    def forecast(self, scope: Scope | None = None) -> Forecast:
        """The dry run of plan and migration."""
        forecaster = Forecaster(self.engine, self.ledger, self.planner())
        return forecaster.of_migration(self.store, scope or Scope(), batch_size=self.batch_size)

    def foretold(self, scope: Scope | None = None) -> dict[str, Any]:
        """The dry run's document."""
        return self.forecast(scope).totals.report(duration_seconds=0, dry_run=True)

    def item(self, image_id: str) -> LedgerItem:
        """What the ledger has of an image."""
        item = self.ledger.ask.item(image_id)
        assert item is not None, image_id
        return item

    def key(self, image_id: str) -> str:
        """The key of its object."""
        key = self.item(image_id).object_key
        assert key is not None, image_id
        return key

    def state(self, image_id: str) -> tuple[ItemState, Reason | None]:
        """Its state and reason."""
        item = self.item(image_id)
        return item.state, item.reason

    def ended(self) -> dict[str, tuple[ItemState, Reason | None]]:
        """State and reason of every item."""
        return {item.image_id: (item.state, item.reason) for item in self.ledger.ask.items()}

    def events(self, image_id: str) -> list[str]:
        """The names of an image's events, oldest first."""
        return [event["event"] for event in self.ledger.ask.history(image_id)]

    def undo_record(self, image_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """`originals` and `before` as they are in the ledger's file."""
        with closing(sqlite3.connect(self.ledger_path)) as connection:
            statement = "SELECT originals, before FROM items WHERE image_id = ?"
            originals, before = connection.execute(statement, (image_id,)).fetchone()
        return json.loads(originals), json.loads(before)
