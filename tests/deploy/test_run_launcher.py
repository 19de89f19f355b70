"""What the run launcher tells of a run, by what stands in Redis, where no worker is."""

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


def run_of_task(task_id: str) -> dg.DagsterRun:
    return dg.DagsterRun(job_name="migrate_images", run_id=f"run-{task_id}", tags={"dagster-celery/task_id": task_id})


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with redis("r3dis") as url:
        yield url


@pytest.fixture
def launcher(server: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(DEPLOY / "python")
    monkeypatch.delitem(sys.modules, "celery_run_launcher", raising=False)
    from celery_run_launcher import WatchfulCeleryRunLauncher  # pyright: ignore[reportMissingImports]

    return WatchfulCeleryRunLauncher(
        silence_seconds=1, default_queue="dagster", broker=f"{server}/0", backend=f"{server}/1"
    )


@pytest.mark.parametrize("state", ["STARTED", pytest.param("SUCCESS", marks=pytest.mark.exhaustive)])
def test_a_run_that_no_worker_has_in_hand_is_lost_after_a_while(launcher, state: str):
    launcher.celery.backend.store_result(state, None, state)
    run = run_of_task(state)
    assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING
    assert launcher.check_run_worker_health(run).status is WorkerStatus.FAILED  # asking takes three seconds


def test_a_run_whose_task_failed_is_lost_at_once(launcher):
    launcher.celery.backend.store_result("killed", RuntimeError("killed"), "FAILURE")
    assert launcher.check_run_worker_health(run_of_task("killed")).status is WorkerStatus.FAILED


def test_nothing_is_told_of_a_run_while_redis_is_away(launcher):
    with redis("other") as away:
        launcher.celery.conf.update(result_backend=f"{away}/1", broker_url=f"{away}/0")
    with pytest.raises(Exception, match=r"refused|Connection"):
        launcher.check_run_worker_health(run_of_task("any"))
