"""What deploy/ ships, as processes of this machine: its dagster.yaml, its Celery settings, its commands.

What differs from docker-compose.yaml is where things listen, and patience: intervals of seconds.
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import yaml

from tests.deploy.shipped import DEPLOY, REPOSITORY, services
from tests.support.deployment import Deployment

WORKERS = ("worker-a", "worker-b")
_LAUNCH = """mutation ($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p) { __typename
  ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
_STATUS = (
    """query ($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }"""
)
_SELECTOR = {"repositoryLocationName": "z_interact_assets", "repositoryName": "__repository__"}
_RUN = """mutation ($p: ExecutionParams!) { launchRun(executionParams: $p) { __typename
  ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
_RUNS = """query ($f: RunsFilter!) { runsOrError(filter: $f) { ... on Runs { results {
  runId status tags { key value } } } } }"""
_LOG_KEYS = """query ($id: ID!) { logsForRun(runId: $id) { ... on EventConnection { events {
  ... on LogsCapturedEvent { fileKey stepKeys } } } } }"""
_LOG = "query ($key: [String!]!) { capturedLogs(logKey: $key) { stdout stderr } }"
_PARTITIONS = """{ assetNodeOrError(assetKey: {path: ["migrated_images"]}) { ... on AssetNode {
  partitionStats { numMaterialized numFailed numMaterializing numPartitions } } } }"""


@dataclass(frozen=True, slots=True)
class Run:
    """A run as the UI shows it."""

    run_id: str
    status: str
    tags: dict[str, str]

    @property
    def task_id(self) -> str:
        """Of its Celery task, in the log of the worker that took it."""
        return self.tags["dagster-celery/task_id"]

    @property
    def is_retry(self) -> bool:
        return "dagster/retry_number" in self.tags


class Cluster(Deployment):
    """Code server, webserver and daemon on Postgres, and Celery workers beside them."""

    def __init__(self, folder: Path, *, postgres: str, redis: str, settings: Mapping[str, str]) -> None:
        """`postgres` and `redis` are the servers' URLs; `settings` those of the table and of R2."""
        self.database = sa.make_url(postgres)
        cluster = {
            "DAGSTER_POSTGRES_HOST": str(self.database.host),
            "DAGSTER_POSTGRES_PORT": str(self.database.port),
            "DAGSTER_POSTGRES_USER": str(self.database.username),
            "DAGSTER_POSTGRES_PASSWORD": "postgres",
            "DAGSTER_POSTGRES_DB": "dagster",
            "DAGSTER_LOCAL_DIR": str(folder / "local"),
            "LEDGER_URL": f"{postgres}/ledger",
            "REPORT_DIR": str(folder / "reports"),
            "CELERY_BROKER_URL": f"{redis}/0",
            "CELERY_RESULT_BACKEND": f"{redis}/1",
            "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(DEPLOY / "python")]),
        }
        super().__init__(folder, {**settings, **cluster})

    def start_workers(self) -> None:
        """Start the workers by the command of docker-compose.yaml, each as on a machine of its name."""
        command = services()["worker"]["command"][-1]
        for name in WORKERS:
            _, program, *arguments = shlex.split(command.replace("$$HOSTNAME", name))  # exec celery …
            self._start(name, "-m", program, *arguments)
        for name in WORKERS:
            self._wait_for(lambda name=name: f"worker@{name} ready" in self.log(name), f"{name} to be ready")

    def is_healthy(self, name: str) -> bool:
        """Ask a worker's health check in docker-compose.yaml."""
        _, command = services()["worker"]["healthcheck"]["test"]
        path = os.pathsep.join([str(Path(sys.executable).parent), self.environment["PATH"]])
        environment = {**self.environment, "PATH": path, "HOSTNAME": name}
        shell = ["sh", "-c", command.replace("$$", "$")]
        return subprocess.run(shell, env=environment, cwd=self.folder, capture_output=True, check=False).returncode == 0

    def kill_worker(self, name: str) -> None:
        """Kill it with the run it has in hand, as a machine that goes down does."""
        process = self._processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def end_workers(self) -> None:
        """End those that are left."""
        for name in WORKERS:
            self._end(name)

    def run_asset(self, name: str) -> Run:
        """Materialise an asset without partitions, and wait for its end."""
        selector = {**_SELECTOR, "pipelineName": "__ASSET_JOB", "assetSelection": [{"path": [name]}]}
        answer = self.ask(_RUN, p={"selector": selector, "runConfigData": {}, "mode": "default"})["launchRun"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        run_id = answer["run"]["runId"]

        def ended() -> Run | None:
            run = next((run for run in self.runs() if run.run_id == run_id), None)
            return run if run and run.status in {"SUCCESS", "FAILURE", "CANCELED"} else None

        return self.wait_until(ended, f"the end of {name}")

    def runs(self, **tags: str) -> list[Run]:
        """Runs with these tags, the newest first."""
        wanted = {"tags": [{"key": key, "value": value} for key, value in tags.items()]}
        found = self.ask(_RUNS, f=wanted)["runsOrError"]["results"]
        return [Run(run["runId"], run["status"], {tag["key"]: tag["value"] for tag in run["tags"]}) for run in found]

    def log_of_step(self, run_id: str, step: str) -> str:
        """What the UI shows of a step's stderr."""
        for event in self.ask(_LOG_KEYS, id=run_id)["logsForRun"]["events"]:
            if step in event.get("stepKeys", []):
                key = [run_id, "compute_logs", event["fileKey"]]
                return self.ask(_LOG, key=key)["capturedLogs"]["stderr"] or ""
        raise AssertionError(f"no log of {step} was captured")

    def launch_backfill(self) -> str:
        """Launch all partitions of migrated_images; the backfill's id."""
        params = {"assetSelection": [{"path": ["migrated_images"]}], "allPartitions": True}
        answer = self.ask(_LAUNCH, p=params)["launchPartitionBackfill"]
        assert answer["__typename"] == "LaunchBackfillSuccess", answer
        return answer["backfillId"]

    def status(self, backfill: str) -> str:
        return self.ask(_STATUS, id=backfill)["partitionBackfillOrError"]["status"]

    def partitions(self) -> dict[str, int]:
        """How many partitions of migrated_images the UI shows as what."""
        return self.ask(_PARTITIONS)["assetNodeOrError"]["partitionStats"]

    def _prepare(self) -> None:
        super()._prepare()
        shutil.copy(DEPLOY / "dagster.yaml", self.home / "dagster.yaml")
        instance: dict[str, Any] = yaml.safe_load((self.home / "dagster.yaml").read_text())
        instance["run_launcher"]["config"]["silence_seconds"] = 5
        instance["run_monitoring"]["poll_interval_seconds"] = 1
        instance["compute_logs"]["config"]["upload_interval"] = 1
        instance["run_coordinator"] = {
            "module": "dagster.core.run_coordinator",
            "class": "QueuedRunCoordinator",
            "config": {"dequeue_interval_seconds": 1},
        }
        (self.home / "dagster.yaml").write_text(yaml.safe_dump(instance))
