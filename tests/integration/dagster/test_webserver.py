"""What the UI asks the webserver, asked over HTTP on a migrated installation."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.integration.dagster.installation import REPOSITORY, Installation

pytestmark = pytest.mark.slow

READY_WITHIN_S = 60
MIGRATED_IMAGES = '{ assetNodeOrError(assetKey: {path: ["migrated_images"]}) { ... on AssetNode { %s } } }'


class Webserver:
    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/graphql"
        self._pool = urllib3.PoolManager(retries=False, timeout=20)

    def ask(self, query: str) -> Any:
        answer = self._pool.request("POST", self._url, json={"query": query})
        document = json.loads(answer.data)
        assert "errors" not in document, document
        return document["data"]

    def wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline and process.poll() is None:
            try:
                self.ask("{ version }")
            except urllib3.exceptions.HTTPError:
                time.sleep(0.1)
            else:
                return
        pytest.fail("the webserver did not start")


@pytest.fixture
def webserver(migrated: Installation, tmp_path: Path) -> Iterator[Webserver]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "dagster_webserver", "-h", "127.0.0.1", "-p", str(port),
               "-w", str(REPOSITORY / "workspace.yaml")]  # fmt: skip
    with (tmp_path / "webserver.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=migrated.folder, env=os.environ, stdout=log, stderr=log)
        try:
            server = Webserver(port)
            server.wait(process)
            yield server
        finally:
            process.terminate()
            process.wait(30)


def test_the_ui_sees_assets_partitions_and_whose_runs_they_are(migrated: Installation, webserver: Webserver):
    nodes = webserver.ask("{ assetNodes { assetKey { path } repository { location { name } } } }")["assetNodes"]
    assert {(*node["assetKey"]["path"], node["repository"]["location"]["name"]) for node in nodes} == {
        (name, "z_interact_assets")
        for name in (
            "legacy_images",
            "migration_batches",
            "migrated_images",
            "reclaimed_images",
            "r2_inventory",
            "storage_stats",
            "storage_report",
        )
    }

    wanted = "partitionStats { numPartitions numMaterialized numFailed } jobNames"
    node = webserver.ask(MIGRATED_IMAGES % wanted)["assetNodeOrError"]
    assert node["partitionStats"] == {"numPartitions": 3, "numMaterialized": 3, "numFailed": 0}
    assert "migrate_images" in node["jobNames"]

    wanted = 'assetMaterializations(partitions: ["b000002"]) { runOrError { ... on Run { jobName status } } }'
    (materialization,) = webserver.ask(MIGRATED_IMAGES % wanted)["assetNodeOrError"]["assetMaterializations"]
    assert materialization["runOrError"] == {"jobName": "migrate_images", "status": "SUCCESS"}

    selector = (
        'repositoryLocationName: "z_interact_assets", repositoryName: "__repository__", pipelineName: "migrate_images"'
    )
    job = webserver.ask(
        f"{{ pipelineOrError(params: {{{selector}}}) {{ ... on Pipeline {{ name runs {{ status }} }} }} }}"
    )
    assert job["pipelineOrError"]["name"] == "migrate_images"
    assert [run["status"] for run in job["pipelineOrError"]["runs"]] == ["SUCCESS"]
