"""Runs that somebody ends in the UI, and runs that are no worker's: what the run launcher tells Dagster of them."""

import sys
from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.launcher import WorkerStatus

from tests.deploy.shipped import DEPLOY
from tests.support.redis import REDIS_SERVER, redis

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Call to deprecated setex:DeprecationWarning"),  # celery 5.7 with redis 8
    pytest.mark.skipif(REDIS_SERVER is None, reason="no Redis server here: apt-get install redis-server"),
]


@dg.job
def nothing() -> None:
    pass


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def launcher(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(DEPLOY / "python")
    monkeypatch.delitem(sys.modules, "celery_run_launcher", raising=False)
    from celery_run_launcher import WatchfulCeleryRunLauncher  # pyright: ignore[reportMissingImports]

    with redis("r3dis") as server:
        made = WatchfulCeleryRunLauncher(
            silence_seconds=1, default_queue="dagster", broker=f"{server}/0", backend=f"{server}/1"
        )
        made.register_instance(instance)
        yield made


def started(instance: dg.DagsterInstance, tags: dict[str, str]) -> dg.DagsterRun:
    run = instance.create_run_for_job(nothing, tags=tags)
    instance.report_dagster_event(
        dg.DagsterEvent(event_type_value="PIPELINE_START", job_name="nothing"), run_id=run.run_id
    )
    found = instance.get_run_by_id(run.run_id)
    assert found
    assert found.status is dg.DagsterRunStatus.STARTED
    return found


def test_a_run_that_is_terminated_is_canceling_and_not_a_failure_to_be_retried(instance, launcher):
    run = started(instance, {"dagster-celery/task_id": "task"})
    assert launcher.terminate(run.run_id)
    assert instance.get_run_by_id(run.run_id).status is dg.DagsterRunStatus.CANCELING


def test_a_run_of_the_command_line_is_none_of_the_workers_and_left_alone(instance, launcher):
    run = started(instance, {})
    assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING
    assert not launcher.terminate(run.run_id)
    assert instance.get_run_by_id(run.run_id).status is dg.DagsterRunStatus.STARTED
