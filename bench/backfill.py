"""What Dagster adds to a batch: the same migration by the bare service, in one run of a range, and by the daemon.

    python -m bench.backfill --batches 1000
    python -m bench.backfill --batches 5000 --without-daemon

Also how long the UI's questions about all partitions take. Prints a table and writes JSON.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from bench.contenders import ROOT
from bench.datasets import Portion, make_table

RESULTS = Path("bench-results")
IMAGE_BYTES = 20_000
PUBLIC = "https://images.example.com"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
ASSET = '{ assetNodeOrError(assetKey: {path: ["migrated_images"]}) { ... on AssetNode { %s } } }'
# What the asset's pages ask for all partitions at once, and for one of them.
QUESTIONS = {
    "statistics": ASSET % "partitionStats { numPartitions numMaterialized numFailed numMaterializing }",
    "every status": ASSET
    % """assetPartitionStatuses { ... on DefaultPartitionStatuses {
        materializedPartitions failedPartitions unmaterializedPartitions materializingPartitions } }""",
    "every key": ASSET % "partitionKeysByDimension { name partitionKeys }",
    "newest 100, metadata": ASSET
    % """assetMaterializations(limit: 100) {
        timestamp partition metadataEntries { label ... on IntMetadataEntry { intValue } } }""",
    "one batch": ASSET
    % """assetMaterializations(partitions: ["b000500"], limit: 1) {
        timestamp partition metadataEntries { label ... on TableMetadataEntry { table { records } } } }""",
}

LAUNCH = """mutation { launchPartitionBackfill(backfillParams: {
    assetSelection: [{path: ["migrated_images"]}], allPartitions: true}) {
    ... on LaunchBackfillSuccess { backfillId } } }"""
STATUS = """query ($id: String!) { partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill { status runs { startTime endTime } } } }"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=1_000)
    parser.add_argument("--images", type=int, default=2, help="images a batch")
    parser.add_argument("--without-daemon", action="store_true", help="its two rounds take a minute at least")
    arguments = parser.parse_args()
    size = {"batches": arguments.batches, "images": arguments.images}
    results: dict[str, float] = {"bare service": _measured(_bare, **size)}
    results |= _measured(_in_process, **size)
    if not arguments.without_daemon:
        results |= _measured(_by_daemon, **size)
    for name, seconds in results.items():
        print(f"{name:<36} {seconds:>9.2f} s {1000 * seconds / arguments.batches:>8.1f} ms a batch")
    RESULTS.mkdir(exist_ok=True)
    document = {"python": platform.python_version(), "machine": platform.machine(), **size, "seconds": results}
    (RESULTS / "backfill.json").write_text(json.dumps(document, indent=2) + "\n")


def _measured(measure: Callable[[Path], Any], *, batches: int, images: int) -> Any:
    """Measure on a new table, with its batches planned."""
    from z_interact_assets.cli.dagster_home import open_instance
    from z_interact_assets.defs.partitions import mirror_batches
    from z_interact_assets.settings import load_settings
    from z_interact_assets.workspace import Workspace

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_table(folder / "local.db", Portion(count=batches * images, size=IMAGE_BYTES))
        settings = {
            "DATABASE_URL": f"file:{folder}/local.db", "DAGSTER_HOME": f"{folder}/home", "R2_PUBLIC_URL": PUBLIC,
            "MIGRATION_BATCH_SIZE": str(images),
        }  # fmt: skip
        os.environ.update(settings)
        workspace = Workspace(load_settings(settings, directory=folder))
        with closing(workspace), open_instance(folder / "home") as instance:
            workspace.planner().plan()
            mirror_batches(instance, workspace.ledger)
        return measure(folder)


def _bare(folder: Path) -> float:
    from bench.null_store import NullStore
    from z_interact_assets.migrate.migration import Migration
    from z_interact_assets.migrate.scope import Scope
    from z_interact_assets.settings import load_settings
    from z_interact_assets.workspace import Workspace

    with closing(Workspace(load_settings())) as workspace:
        migration = Migration(workspace.engine(), NullStore(public_url=PUBLIC), workspace.ledger)
        started = time.perf_counter()
        for _ in migration.run(Scope()):
            pass
        return time.perf_counter() - started


def _in_process(folder: Path) -> dict[str, float]:
    from bench.null_location import build
    from z_interact_assets.defs.event_log import open_instance
    from z_interact_assets.defs.partitions import MIGRATION_BATCH

    job = build().resolve_job_def("migrate_images")
    results = {}
    with open_instance(folder / "home") as instance:
        keys = instance.get_dynamic_partitions(MIGRATION_BATCH)
        tags = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]}
        for name in ("one run in process", "the same again, all done"):
            started = time.perf_counter()
            if not job.execute_in_process(instance=instance, tags=tags, run_config=QUIET).success:
                raise SystemExit(f"{name} failed")
            results[name] = time.perf_counter() - started
    return results | _asked(folder)


def _asked(folder: Path) -> dict[str, float]:
    """How long the webserver takes to answer, the second time."""
    with _deployment(folder) as deployment:
        results = {}
        for name, question in QUESTIONS.items():
            deployment.ask(question)
            started = time.perf_counter()
            deployment.ask(question)
            results[f"UI: {name}"] = time.perf_counter() - started
    return results


def _by_daemon(folder: Path) -> dict[str, float]:
    with _deployment(folder) as deployment:
        started = time.time()
        backfill = deployment.ask(LAUNCH)["launchPartitionBackfill"]["backfillId"]
        while (seen := deployment.ask(STATUS, id=backfill)["partitionBackfillOrError"])["status"] == "REQUESTED":
            time.sleep(0.5)
        ended = time.time()
        (run,) = seen["runs"]
    if seen["status"] != "COMPLETED_SUCCESS":
        raise SystemExit(f"the backfill ended {seen['status']}")
    return {
        "daemon: launch to start": run["startTime"] - started,
        "daemon: the run": run["endTime"] - run["startTime"],
        "daemon: launch to done": ended - started,
    }


def _deployment(folder: Path) -> Any:
    """Dagster as it is in production, on the code location whose store keeps nothing."""
    from tests.support.deployment import Deployment

    settings = {name: os.environ[name] for name in ("DATABASE_URL", "R2_PUBLIC_URL", "MIGRATION_BATCH_SIZE")}
    settings["PYTHONPATH"] = str(ROOT)
    return Deployment(folder, settings, module="bench.null_location", impatient=False)


if __name__ == "__main__":
    main()
