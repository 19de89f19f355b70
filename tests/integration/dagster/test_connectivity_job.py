"""The job `r2_connectivity`: each probe with its remedy, a failed run if one is bad, and nothing left behind."""

import hashlib
from typing import Any

import dagster as dg
import pytest
from dagster._core.execution.plan.objects import UserFailureData
from werkzeug.wrappers import Response

from tests.integration.dagster.conftest import Install
from tests.integration.dagster.installation import Installation, failures
from z_interact_assets.demo.standin_app import IncomingRequest

pytestmark = pytest.mark.slow

PROBES = {
    "settings", "table", "table_shape", "table_ids", "table_writable", "ledger", "bucket_access", "upload", "download",
    "metadata", "public_url", "cors", "conditional_put", "cleanup",
}  # fmt: skip


def findings(metadata: Any) -> dict[str, dict[str, Any]]:
    return {record.data["probe"]: dict(record.data) for record in metadata["findings"].records}


def failure(result: dg.ExecuteInProcessResult) -> UserFailureData:
    (event,) = [event for event in result.all_events if event.is_step_failure]
    found = event.step_failure_data.user_failure_data
    assert found is not None
    return found


def test_every_probe_is_told_and_only_its_own_object_comes_and_goes(migrated: Installation) -> None:
    rows, objects = migrated.sql("SELECT * FROM images"), [found.key for found in migrated.store.list("")]
    result = migrated.run("r2_connectivity")
    assert not failures(result)
    (output,) = [event.step_output_data for event in result.all_events if event.is_successful_output]
    found = findings(output.metadata)
    assert found.keys() == PROBES
    assert {name for name, each in found.items() if each["state"] not in ("ok", "warn")} == set()
    assert output.metadata["probes_fail"].value == 0
    assert migrated.sql("SELECT * FROM images") == rows
    assert [found.key for found in migrated.store.list("")] == objects
    assert migrated.ledger.ask.states().values()


def test_a_bucket_out_of_reach_fails_the_run_with_the_remedy(migrated: Installation) -> None:
    migrated.standin.stop()
    told = failure(migrated.run("r2_connectivity"))
    found = findings(told.metadata)
    assert found["bucket_access"]["state"] == "fail"
    assert found["bucket_access"]["remedy"]
    assert found["upload"]["state"] == "skipped"
    assert next(iter(found)) == "bucket_access"  # what is bad comes first


def test_wrong_settings_are_a_finding_and_no_crash(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIGRATION_BATCH_SIZE", "none")
    told = failure(installation.run("r2_connectivity"))
    assert "MIGRATION_BATCH_SIZE" in findings(told.metadata)["settings"]["message"]


def test_an_endpoint_that_ignores_conditions_fails_the_run(install: Install) -> None:
    def overwrite(request: IncomingRequest) -> Response | None:
        if request.method != "PUT" or request.number == 1:
            return None
        etag = hashlib.md5(request.body, usedforsecurity=False).hexdigest()
        return Response("", headers={"ETag": f'"{etag}"'})

    installation = install(overwrite)
    told = failure(installation.run("r2_connectivity"))
    assert findings(told.metadata)["conditional_put"]["state"] == "fail"
    assert [found.key for found in installation.store.list("doctor/")] == []
