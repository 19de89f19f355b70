"""Runs that write the app's table take turns, whatever launched them."""

from itertools import pairwise

import dagster as dg
import pytest

from tests.integration.daemon.rig import Rig

pytestmark = pytest.mark.slow

_LAUNCH = """mutation ($p: ExecutionParams!) { launchRun(executionParams: $p) { __typename
  ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
_JOB = {
    "repositoryLocationName": "z_interact_assets",
    "repositoryName": "__repository__",
    "jobName": "migrate_images",
}


def launch(rig: Rig, key: str) -> str:
    tags = [{"key": f"dagster/asset_partition_range_{end}", "value": key} for end in ("start", "end")]
    params = {"selector": _JOB, "executionMetadata": {"tags": tags}, "runConfigData": {}}
    answer = rig.deployment.ask(_LAUNCH, p=params)["launchRun"]
    assert answer["__typename"] == "LaunchRunSuccess", answer
    return answer["run"]["runId"]


@pytest.mark.exhaustive
def test_queued_runs_that_write_the_table_take_turns(rig: Rig):
    keys = rig.new_batches(3)
    with rig.tap.slow(0.3):
        runs = [launch(rig, key) for key in keys]
        ended = [rig.wait_for_run(run_id).status for run_id in runs]

    assert ended == [dg.DagsterRunStatus.SUCCESS] * 3
    records = [record for run_id in runs if (record := rig.instance.get_run_record_by_id(run_id))]
    spans = sorted((record.start_time or 0, record.end_time or 0) for record in records)
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(spans)), spans
    assert rig.stored_twice() == []
