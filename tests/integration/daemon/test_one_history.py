"""Whatever launches a run, the UI, a script, Dagster's tools or our command: one history, one effect."""

import json
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from dagster_graphql import DagsterGraphQLClient

from tests.integration.daemon.rig import Rig
from tests.support.deployment import LOCATION, REPOSITORY

pytestmark = pytest.mark.slow

BIN = Path(sys.executable).parent
MATERIALIZED = "MATERIALIZED"
_RUNS = """{ pipelineOrError(params: {repositoryLocationName: "z_interact_assets", repositoryName: "__repository__",
  pipelineName: "migrate_images"}) { ... on Pipeline { runs { runId status tags { key value } } } } }"""


def run(rig: Rig, *command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command with the deployment's settings, from any folder."""
    database = {"DATABASE_URL": f"file:{rig.deployment.folder / 'local.db'}"}
    environment = {**rig.deployment.environment, **database, "VIRTUAL_ENV": str(BIN.parent)}
    return subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip


@pytest.mark.exhaustive
def test_the_ui_shows_what_our_command_did_and_the_command_what_the_ui_did(rig: Rig, tmp_path: Path):
    ours, theirs = rig.new_batches(2), rig.new_batches(2)
    selected = [argument for key in ours for argument in ("--batch", key)]
    done = run(rig, sys.executable, "-m", "z_interact_assets", "migrate", "--json", *selected, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert rig.statuses([*ours, *theirs]) == dict.fromkeys(ours, MATERIALIZED) | dict.fromkeys(theirs, "MISSING")
    newest = rig.deployment.ask(_RUNS)["pipelineOrError"]["runs"][0]
    tags = {tag["key"]: tag["value"] for tag in newest["tags"]}
    assert (newest["status"], tags["dagster/asset_partition_range_start"]) == ("SUCCESS", ours[0])
    assert tags["launched_by"] == "command line"

    assert rig.wait(rig.backfill(theirs)) == "COMPLETED_SUCCESS"
    selected = [argument for key in theirs for argument in ("--batch", key)]
    again = run(rig, sys.executable, "-m", "z_interact_assets", "migrate", "--json", *selected, folder=tmp_path)
    document = json.loads(again.stdout)
    assert (document["planned"], document["objects_written"]) == (0, 0)
    assert rig.stored_twice() == []


@pytest.fixture
def client(rig: Rig) -> DagsterGraphQLClient:
    return DagsterGraphQLClient("127.0.0.1", port_number=rig.deployment.port)


# dagster-graphql's own use of gql.
@pytest.mark.filterwarnings("ignore:Using variable_values and operation_name arguments:DeprecationWarning")
@pytest.mark.exhaustive
def test_a_script_launches_a_range_through_dagsters_graphql_client(rig: Rig, client: DagsterGraphQLClient):
    batches = rig.new_batches(3)
    run_id = client.submit_job_execution(
        "migrate_images",
        repository_location_name=LOCATION,
        repository_name="__repository__",
        run_config={"ops": {"migrated_images": {"config": {"concurrency": 3}}}},
        tags={"dagster/asset_partition_range_start": batches[0], "dagster/asset_partition_range_end": batches[-1]},
    )
    assert rig.wait_for_run(run_id).is_success
    assert client.get_run_status(run_id) is dg.DagsterRunStatus.SUCCESS
    assert rig.statuses(batches) == dict.fromkeys(batches, MATERIALIZED)


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(
            ("dagster", "asset", "materialize", "-m", "z_interact_assets.definitions", "--select"),
            id="dagster asset materialize",
            marks=pytest.mark.exhaustive,
        ),
        pytest.param(("dg", "launch", "--assets"), id="dg launch", marks=pytest.mark.exhaustive),
    ],
)
def test_dagsters_own_commands_migrate_a_range_in_one_run(rig: Rig, command: tuple[str, ...]):
    batches = rig.new_batches(3)
    chosen = ("migrated_images", "--partition-range", f"{batches[0]}...{batches[-1]}")
    done = run(rig, str(BIN / command[0]), *command[1:], *chosen, folder=REPOSITORY)
    assert done.returncode == 0, done.stderr
    assert rig.statuses(batches) == dict.fromkeys(batches, MATERIALIZED)
    assert "z_interact_assets/" not in "".join(line for line in done.stderr.splitlines() if "Warning" in line)
    assert len({record.run_id for key in batches for record in rig.records(key)}) == 1
