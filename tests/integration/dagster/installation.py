"""A whole installation in a folder: SQLite table, stand-in for R2, ledger, Dagster home; settings by environment only.

Runs go through the real definitions with the real resources, so what is proved here is what the UI and the daemon do.
"""

import base64
import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import dagster as dg
from PIL import Image

from z_interact_assets.core.records import LedgerItem
from z_interact_assets.defs.build import build_defs
from z_interact_assets.defs.partitions import migration_batch_partitions
from z_interact_assets.defs.resources import R2Resource, RunObserver
from z_interact_assets.demo.standin import StandIn
from z_interact_assets.storage.ledger import open_ledger
from z_interact_assets.storage.objects import R2Store

REPOSITORY = Path(__file__).parents[3]
MIGRATED_IMAGES = dg.AssetKey("migrated_images")
BATCH_SIZE = 3
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def make_png(shade: int) -> bytes:
    target = BytesIO()
    Image.new("RGB", (3, 2), (shade % 256, shade // 256, 9)).save(target, "PNG")
    return target.getvalue()


class Installation:
    """Everything a Dagster deployment of ours has, and ways to spoil it behind its back."""

    def __init__(self, folder: Path, standin: StandIn, store: R2Store, instance: dg.DagsterInstance) -> None:
        self.folder = folder
        self.standin = standin
        self.instance = instance
        self.observer = RunObserver()
        self.database = folder / "local.db"
        self.ledger = open_ledger(f"sqlite:///{folder / 'home' / 'ledger.db'}")
        self.store = store
        # One attempt: a fault is an outage at once, no test waits for a retry.
        self.defs = build_defs({"r2": R2Resource(max_attempts=1), "observer": self.observer})

    @property
    def batches(self) -> list[str]:
        return self.ledger.planning.batch_keys()

    @property
    def puts(self) -> int:
        return self.standin.requests["PUT", "object"]

    def close(self) -> None:
        self.ledger.close()

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def add_rows(self, count: int, *, prefix: str = "image") -> list[str]:
        """Add rows with an image of their own each; the ids, in the table's order."""
        ids = [f"{prefix}-{number:03}" for number in range(count)]
        for number, row_id in enumerate(ids):
            shade = int(hashlib.sha256(row_id.encode()).hexdigest()[:4], 16)
            self.add_row(row_id, base64.b64encode(make_png(shade + number)).decode())
        return ids

    def add_row(self, row_id: str, data: str) -> None:
        self.sql(
            "INSERT INTO images (id, persona_id, image_data, prompt, created_at) VALUES (?, 'gen-z', ?, 'p', ?)",
            row_id, data, 1_757_400_000_000,
        )  # fmt: skip

    def add_external_row(self, row_id: str) -> None:
        """Add a row that points at another server."""
        self.sql(
            "INSERT INTO images (id, persona_id, image_url, prompt, created_at) VALUES (?, 'gen-z', ?, 'p', ?)",
            row_id, "https://example.org/a.png", 1_757_400_000_000,
        )  # fmt: skip

    def run(
        self, job: str, *, config: Mapping[str, Any] | None = None, tags: Mapping[str, str] | None = None
    ) -> dg.ExecuteInProcessResult:
        self.observer.error = None
        return self.defs.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            run_config={**QUIET, **(config or {})},
            # As the command line tags its runs: by this the UI finds a job's runs.
            tags={".dagster/repository": "__repository__@z_interact_assets", **(tags or {})},
            raise_on_error=False,
        )

    def plan(self) -> list[str]:
        """Plan; the batches there are."""
        result = self.run("plan_batches", config=op("migration_batches", batch_size=BATCH_SIZE))
        assert not failures(result)
        return self.batches

    def migrate(self, batches: Sequence[str] | None = None, **config: Any) -> dg.ExecuteInProcessResult:
        """Migrate a range of batches in one run."""
        keys = batches or self.batches
        tags = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]}
        return self.run("migrate_images", config=op("migrated_images", concurrency=2, **config), tags=tags)

    def observe(self) -> dg.AssetObservation:
        """Observe the table, as the UI's button does."""
        job = self.defs.resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(
            instance=self.instance, asset_selection=[dg.AssetKey("legacy_images")], run_config=QUIET
        )
        return result.asset_observations_for_node("legacy_images")[0]

    def check(self, asset: str, name: str) -> dg.AssetCheckEvaluation:
        """Run one check alone, as the UI's button does."""
        job = self.defs.resolve_implicit_global_asset_job_def()
        alone = job.get_subset(
            asset_selection=set(), asset_check_selection={dg.AssetCheckKey(dg.AssetKey(asset), name)}
        )
        # A blocking check that fails, fails its run, too.
        result = alone.execute_in_process(instance=self.instance, run_config=QUIET, raise_on_error=False)
        return check_of(result, name)

    def statuses(self) -> dict[str, str | None]:
        """Each batch's status as the UI shows it, None where Dagster knows of none."""
        found = self.instance.get_status_by_partition(MIGRATED_IMAGES, self.batches, migration_batch_partitions) or {}
        return {key: status.value if (status := found.get(key)) else None for key in self.batches}

    def materializations(self, batch: str) -> list[dg.AssetMaterialization]:
        """The batch's materialisations, newest first."""
        records = self.instance.fetch_materializations(
            dg.AssetRecordsFilter(asset_key=MIGRATED_IMAGES, asset_partitions=[batch]), limit=100
        ).records
        return [event for record in records if (event := record.asset_materialization)]

    def item(self, image_id: str) -> LedgerItem:
        item = self.ledger.ask.item(image_id)
        assert item is not None
        return item

    def key_of(self, image_id: str) -> str:
        key = self.item(image_id).object_key
        assert key is not None
        return key


def op(name: str, **config: Any) -> dict[str, Any]:
    """Run config of one op."""
    return {"ops": {name: {"config": config}}}


def plain(metadata: Mapping[str, dg.MetadataValue]) -> dict[str, Any]:
    """Metadata as plain values."""
    return {name: value.value for name, value in metadata.items()}


def failures(result: dg.ExecuteInProcessResult) -> list[str]:
    """What the failed steps of a run say, each error with its cause."""
    return [
        f"{error.message} {error.cause.message if error.cause else ''}"
        for event in result.all_events
        if event.is_step_failure and (error := event.step_failure_data.error)
    ]


def check_of(result: dg.ExecuteInProcessResult, name: str) -> dg.AssetCheckEvaluation:
    found = [evaluation for evaluation in result.get_asset_check_evaluations() if evaluation.check_name == name]
    assert len(found) == 1
    return found[0]
