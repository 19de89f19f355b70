"""A deployment with the app's table and a bucket, and what a person does with it in the UI, as the UI does it."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import dagster as dg
from werkzeug.wrappers import Response

from tests.support.deployment import Deployment
from tests.support.images import base64_of, make_png
from tests.support.tables import AppTable
from z_interact_assets.core.models import PENDING_STATES
from z_interact_assets.defs.partitions import migration_batch_partitions, mirror_batches
from z_interact_assets.demo.standin import StandIn
from z_interact_assets.demo.standin_app import IncomingRequest
from z_interact_assets.settings import load_settings
from z_interact_assets.workspace import Workspace

MIGRATED_IMAGES = dg.AssetKey("migrated_images")
BATCH_SIZE = 2
_SELECTOR = {"repositoryLocationName": "z_interact_assets", "repositoryName": "__repository__"}
_JOB_BACKFILL = {
    "partitionSetName": "migrate_images_partition_set",
    "repositorySelector": _SELECTOR,
}
_LAUNCH = """mutation ($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p) { __typename
  ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
_RETRY = """mutation ($p: ReexecutionParams!) { reexecutePartitionBackfill(reexecutionParams: $p) { __typename
  ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
_REEXECUTE = """mutation ($p: ReexecutionParams!) { launchRunReexecution(reexecutionParams: $p) { __typename
  ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
_TERMINATE = """mutation ($id: String!) { terminateRun(runId: $id) { __typename } }"""
_BACKFILL = """query ($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill {
  status runs { runId status tags { key value } }
  assetBackfillData { assetBackfillStatuses { ... on AssetPartitionsStatusCounts {
    numPartitionsTargeted numPartitionsMaterialized numPartitionsFailed } } } } } }"""
_STATUSES = """{ assetNodeOrError(assetKey: {path: ["migrated_images"]}) { ... on AssetNode {
  partitionStats { numMaterialized numFailed numPartitions numMaterializing }
  assetPartitionStatuses { ... on DefaultPartitionStatuses {
    materializedPartitions failedPartitions unmaterializedPartitions materializingPartitions } } } } }"""
_ENDED = {"COMPLETED_SUCCESS", "COMPLETED_FAILED", "COMPLETED", "FAILED", "CANCELED"}
_RUN_ENDED = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}


class Tap:
    """The stand-in's `faults`: counts the PUTs that get through, and after a number of them does something."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: float = float("inf")
        self._befalls: Callable[[IncomingRequest], Response | None] = lambda _: None
        self.reached = threading.Event()
        self.stored: Counter[str] = Counter()

    def __call__(self, request: IncomingRequest) -> Response | None:
        is_put = (request.method, request.kind) == ("PUT", "object") and request.key.startswith("images/")
        with self._lock:
            closed = self._left <= 0
            if not closed and is_put:
                self._left -= 1
                self.stored[request.key] += 1
            if closed:
                self.reached.set()
        return self._befalls(request) if closed else None

    @contextmanager
    def down_after(self, puts: int) -> Iterator[None]:
        """Within the block R2 answers nothing but 503 once so many objects were put."""
        out = Response(status=503, headers={"Retry-After": "60"})  # longer than we wait for it
        with self._changed(puts, lambda _: out):
            yield

    @contextmanager
    def silent_after(self, puts: int) -> Iterator[threading.Event]:
        """Within the block R2 does not answer once so many objects were put; the event is set then."""
        over = threading.Event()

        def hold(request: IncomingRequest) -> Response | None:
            over.wait(60)
            raise ConnectionAbortedError

        with self._changed(puts, hold):
            try:
                yield self.reached
            finally:
                over.set()

    @contextmanager
    def slow(self, seconds: float) -> Iterator[None]:
        """Within the block each PUT takes so long."""
        never = threading.Event()

        def wait(request: IncomingRequest) -> Response | None:
            if request.method == "PUT" and request.key.startswith("images/"):
                never.wait(seconds)
                with self._lock:
                    self.stored[request.key] += 1
            return None

        with self._changed(0, wait):
            yield

    @contextmanager
    def _changed(self, puts: int, befalls: Callable[[IncomingRequest], Response | None]) -> Iterator[None]:
        with self._lock:
            self._left, self._befalls = puts, befalls
            self.reached.clear()
        try:
            yield
        finally:
            with self._lock:
                self._left = float("inf")


class Rig:
    """Everything at once. Each test adds rows of its own; what others left is done or nobody's business."""

    def __init__(self, folder: Path, deployment: Deployment, standin: StandIn, tap: Tap) -> None:
        self.deployment = deployment
        self.standin = standin
        self.tap = tap
        self.app = AppTable(folder / "local.db")
        self.workspace = Workspace(load_settings(deployment.settings, directory=folder))
        self.instance = dg.DagsterInstance.from_config(str(deployment.home))
        self._shades = count(1)

    def close(self) -> None:
        self.workspace.close()
        self.instance.dispose()

    def new_batches(self, number: int) -> list[str]:
        """Add the images of so many batches, and plan them."""
        before = set(self.workspace.ledger.planning.batch_keys())
        shades = [next(self._shades) for _ in range(number * BATCH_SIZE)]
        self.app.add_many([{"id": f"image-{shade:05}", "image_data": base64_of(make_png(shade))} for shade in shades])
        self.workspace.planner().plan()
        mirror_batches(self.instance, self.workspace.ledger)
        return [key for key in self.workspace.ledger.planning.batch_keys() if key not in before]

    def backfill(self, keys: Sequence[str] | None = None, *, config: Mapping[str, Any] | None = None) -> str:
        """Launch one of these partitions, or of all, from the asset's page; its id."""
        selection: dict[str, Any] = {"assetSelection": [{"path": ["migrated_images"]}]}
        chosen = {"allPartitions": True} if keys is None else {"partitionNames": list(keys)}
        return self._launch(_LAUNCH, {**selection, **chosen, **({"runConfigData": config} if config else {})})

    def job_backfill(self, keys: Sequence[str]) -> str:
        """Launch one from the job's page."""
        return self._launch(_LAUNCH, {"selector": _JOB_BACKFILL, "partitionNames": list(keys)})

    def retry_backfill(self, backfill: str, strategy: str = "FROM_FAILURE") -> str:
        """Launch it again from its page: what failed, or all of it."""
        return self._launch(_RETRY, {"parentRunId": backfill, "strategy": strategy})

    def reexecute(self, run_id: str, strategy: str) -> str:
        """Launch a run again from its page; the new run."""
        params = {"parentRunId": run_id, "strategy": strategy}
        answer = self.deployment.ask(_REEXECUTE, p=params)["launchRunReexecution"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return answer["run"]["runId"]

    def terminate(self, run_id: str) -> None:
        answer = self.deployment.ask(_TERMINATE, id=run_id)["terminateRun"]
        assert answer["__typename"] == "TerminateRunSuccess", answer

    def wait(self, backfill: str) -> str:
        """Wait for its end; its status."""

        def ended() -> str | None:
            status = self._backfill(backfill)["status"]
            return status if status in _ENDED else None

        return self.deployment.wait_until(ended, f"the end of backfill {backfill}")

    def wait_for_run(self, run_id: str) -> dg.DagsterRun:
        def ended() -> dg.DagsterRun | None:
            run = self.instance.get_run_by_id(run_id)
            return run if run and run.status in _RUN_ENDED else None

        return self.deployment.wait_until(ended, f"the end of run {run_id}")

    def run_of(self, backfill: str) -> str:
        """Its first run's id, as soon as it has one."""
        return self.deployment.wait_until(lambda: next(iter(self.ranges(backfill)), None), "its run")

    def ranges(self, backfill: str) -> dict[str, tuple[str, str]]:
        """First and last batch of each of its runs, by run id."""
        found: dict[str, tuple[str, str]] = {}
        for run in self._backfill(backfill)["runs"]:
            tags = {tag["key"]: tag["value"] for tag in run["tags"]}
            first = tags.get("dagster/asset_partition_range_start") or tags["dagster/partition"]
            found[run["runId"]] = (first, tags.get("dagster/asset_partition_range_end") or first)
        return found

    def runs(self, backfill: str) -> Sequence[dg.DagsterRun]:
        """Its runs, the oldest first."""
        wanted = dg.RunsFilter(tags={"dagster/backfill": backfill})
        return self.instance.get_runs(wanted, ascending=True)

    def counts(self, backfill: str) -> tuple[int, int, int]:
        """How many partitions its page shows as targeted, materialised and failed."""
        (status,) = self._backfill(backfill)["assetBackfillData"]["assetBackfillStatuses"]
        return (
            status["numPartitionsTargeted"],
            status["numPartitionsMaterialized"],
            status["numPartitionsFailed"],
        )

    def statuses(self, keys: Sequence[str]) -> dict[str, str]:
        """Each batch's status as the asset's page shows it."""
        node = self.deployment.ask(_STATUSES)["assetNodeOrError"]["assetPartitionStatuses"]
        names = {  # a failed one is among the missing as well
            "unmaterializedPartitions": "MISSING", "materializedPartitions": "MATERIALIZED",
            "failedPartitions": "FAILED", "materializingPartitions": "IN_PROGRESS",
        }  # fmt: skip
        found = {key: name for field, name in names.items() for key in node[field]}
        return {key: found[key] for key in keys}

    def truth(self, keys: Sequence[str]) -> dict[str, str]:
        """What the statuses must be after a run of these batches, by the ledger."""
        summaries = {key: self.workspace.ledger.ask.batch(key) for key in keys}
        return {
            key: "FAILED" if any(state in PENDING_STATES for state in summary.states) else "MATERIALIZED"
            for key, summary in summaries.items()
        }

    def latest(self, key: str) -> dg.AssetMaterialization:
        """The batch's newest materialisation."""
        event = self.records(key)[0].asset_materialization
        assert event is not None
        return event

    def records(self, key: str) -> Sequence[dg.EventLogRecord]:
        """The batch's materialisations, newest first."""
        wanted = dg.AssetRecordsFilter(asset_key=MIGRATED_IMAGES, asset_partitions=[key])
        return self.instance.fetch_materializations(wanted, limit=100).records

    def done(self, keys: Sequence[str]) -> list[str]:
        """Those that the asset's page shows as materialised."""
        return [key for key, status in self.statuses(keys).items() if status == "MATERIALIZED"]

    def stored_twice(self) -> list[str]:
        return [key for key, puts in self.tap.stored.items() if puts > 1]

    def dagsters_own(self, keys: Sequence[str]) -> dict[str, str | None]:
        """Each batch's status as Dagster's Python API tells it."""
        found = self.instance.get_status_by_partition(MIGRATED_IMAGES, keys, migration_batch_partitions) or {}
        return {key: status.value if (status := found.get(key)) else None for key in keys}

    def _launch(self, mutation: str, params: Mapping[str, Any]) -> str:
        (answer,) = self.deployment.ask(mutation, p=params).values()
        assert answer["__typename"] == "LaunchBackfillSuccess", answer
        return answer["backfillId"]

    def _backfill(self, backfill: str) -> Any:
        return self.deployment.ask(_BACKFILL, id=backfill)["partitionBackfillOrError"]
