"""Nobody at the keyboard: rows come into the table, and the daemon does the rest, once; the cheaper siblings are in
test_sensor, test_automation and test_alerts; that runs take turns, in daemon/test_pools."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from tests.support.deployment import Deployment
from tests.support.hooks import HookServer
from tests.support.images import base64_of, make_png
from tests.support.tables import AppTable
from z_interact_assets.demo.standin import StandIn

pytestmark = pytest.mark.exhaustive

FOLLOWING = {"r2_inventory", "storage_stats", "storage_report"}
_TICKS = """query ($sensor: String!) { sensorOrError(sensorSelector: {repositoryLocationName: "z_interact_assets",
  repositoryName: "__repository__", sensorName: $sensor}) { ... on Sensor { sensorState { status ticks {
  status timestamp error { message stack } } } } } }"""


class Unattended:
    def __init__(self, deployment: Deployment, app: AppTable, standin: StandIn, hook: HookServer) -> None:
        self.deployment = deployment
        self.app = app
        self.standin = standin
        self.hook = hook
        self.instance = dg.DagsterInstance.from_config(str(deployment.home))

    def add(self, *shades: int) -> None:
        self.app.add_many([{"id": f"image-{shade:05}", "image_data": base64_of(make_png(shade))} for shade in shades])

    def runs(self, **tags: str) -> list[dg.DagsterRun]:
        return list(self.instance.get_runs(dg.RunsFilter(tags=tags), ascending=True))

    def of_the_sensor(self) -> list[dg.DagsterRun]:
        return self.runs(**{"dagster/sensor_name": "new_base64_images"})

    def ticks(self, sensor: str) -> list[dict[str, str]]:
        return self.deployment.ask(_TICKS, sensor=sensor)["sensorOrError"]["sensorState"]["ticks"]

    def wait_for_ticks(self, sensor: str, count: int = 1) -> None:
        wanted = len(self.ticks(sensor)) + count
        self.deployment.wait_until(lambda: len(self.ticks(sensor)) >= wanted, f"a tick of {sensor}")

    def wait_for_end(self, run_id: str) -> dg.DagsterRun:
        def ended() -> dg.DagsterRun | None:
            run = self.instance.get_run_by_id(run_id)
            return run if run and run.is_finished else None

        return self.deployment.wait_until(ended, f"the end of {run_id}")


@pytest.fixture(scope="module")
def unattended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unattended]:
    folder: Path = tmp_path_factory.mktemp("unattended")
    app = AppTable(folder / "local.db")
    with StandIn(folder / "r2") as standin, HookServer() as hook:
        settings = {
            **standin.environment(),
            "DATABASE_URL": "file:local.db",
            "UNATTENDED": "true",
            "ALERT_WEBHOOK_URL": hook.url,
            "DAGSTER_UI_URL": "https://dagster.example.com",
            "UPLOAD_CONCURRENCY": "2",
        }
        with Deployment(folder, settings) as deployment:
            made = Unattended(deployment, app, standin, hook)
            yield made
            made.instance.dispose()


def test_rows_that_come_in_are_migrated_and_reported_once(unattended: Unattended):
    for sensor in ("new_base64_images", "reports_follow_the_migration", "failed_runs_are_told"):
        unattended.deployment.wait_until(lambda name=sensor: unattended.ticks(name), f"the first tick of {sensor}")
    unattended.add(1, 2, 3)

    (run,) = unattended.deployment.wait_until(unattended.of_the_sensor, "the sensor's run")
    assert unattended.wait_for_end(run.run_id).status is dg.DagsterRunStatus.SUCCESS
    assert unattended.standin.requests["PUT", "object"] == 3

    def following() -> list[dg.DagsterRun]:
        found = unattended.runs(**{"dagster/from_automation_condition": "true"})
        return found if found and all(one.is_finished for one in found) else []

    after = unattended.deployment.wait_until(following, "the reports")
    unattended.wait_for_ticks("reports_follow_the_migration", 2)
    assert following() == after
    (reports,) = after
    assert {key.to_user_string() for key in reports.asset_selection or ()} == FOLLOWING
    assert reports.status is dg.DagsterRunStatus.SUCCESS
    assert len(unattended.of_the_sensor()) == 1


def test_a_failed_run_is_told_once_and_its_work_is_not_requested_again(unattended: Unattended):
    before = len(unattended.of_the_sensor())
    unattended.standin.stop()
    unattended.add(4)

    def failed() -> dg.DagsterRun | None:
        runs = unattended.of_the_sensor()
        # Whether it will be tried again Dagster notes a moment after it has failed.
        return runs[-1] if len(runs) > before and "dagster/will_retry" in runs[-1].tags else None

    run = unattended.deployment.wait_until(failed, "the run that fails")
    assert (run.status, run.tags["dagster/will_retry"]) == (dg.DagsterRunStatus.FAILURE, "false")
    unattended.deployment.wait_until(lambda: unattended.hook.texts, "the alert")
    unattended.wait_for_ticks("new_base64_images", 2)
    unattended.standin.start()

    (text,) = [text for text in unattended.hook.texts if "migrate_images" in text]
    assert f"https://dagster.example.com/runs/{run.run_id}" in text
    assert len(unattended.of_the_sensor()) == before + 1
    errors = [tick for sensor in ("new_base64_images", "failed_runs_are_told") for tick in unattended.ticks(sensor)]
    assert [tick["error"] for tick in errors if tick["error"]] == []
