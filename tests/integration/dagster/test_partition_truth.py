"""A failing run says of each batch what is true of it, and the next run does only what is left."""

from collections.abc import Callable

import dagster as dg
import pytest
from werkzeug.wrappers import Response

from tests.integration.dagster.installation import Installation, check_of, failures, plain
from z_interact_assets.demo.standin_app import IncomingRequest

pytestmark = pytest.mark.slow

MATERIALIZED, FAILED = "MATERIALIZED", "FAILED"


class Breaker:
    """Faults that can be mended."""

    def __init__(self) -> None:
        self.broken = True

    def __call__(self, request: IncomingRequest) -> Response | None:
        if self.broken and "/unlucky/" in request.key and request.method in {"PUT", "HEAD"}:
            return Response(status=503)
        return None


class After:
    """Does something with each PUT but the first `count`."""

    def __init__(self, count: int, then: Callable[[], None]) -> None:
        self.count = count
        self.then = then

    def __call__(self, request: IncomingRequest) -> None:
        if (request.method, request.kind) == ("PUT", "object") and request.number > self.count:
            self.then()


def one_unlucky_of_seven(installation: Installation) -> None:
    installation.add_rows(7)
    installation.sql("UPDATE images SET persona_id = 'unlucky' WHERE id = 'image-004'")
    installation.plan()


def test_one_failing_image_fails_its_batch_alone(install):
    installation: Installation = install(Breaker())
    one_unlucky_of_seven(installation)
    result = installation.migrate()
    check = check_of(result, "every_image_is_migrated")
    assert len(failures(result)) == 1
    assert installation.statuses() == {"b000001": MATERIALIZED, "b000002": FAILED, "b000003": MATERIALIZED}
    assert installation.puts == 7
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert plain(check.metadata)["failed"] == 1


def test_the_next_run_finishes_the_failed_batch_and_nothing_else(install):
    breaker = Breaker()
    installation: Installation = install(breaker)
    one_unlucky_of_seven(installation)
    installation.migrate()
    puts = installation.puts
    breaker.broken = False
    assert not failures(installation.migrate())
    assert installation.statuses() == dict.fromkeys(installation.batches, MATERIALIZED)
    assert installation.puts == puts + 1


@pytest.mark.slow
@pytest.mark.exhaustive
def test_a_failed_run_can_be_re_executed_from_its_failure(install):
    breaker = Breaker()
    installation: Installation = install(breaker)
    one_unlucky_of_seven(installation)
    failed = installation.migrate()
    breaker.broken = False
    job = dg.reconstructable(migrate_images_job)
    options = dg.ReexecutionOptions.from_failure(failed.run_id, installation.instance)
    tags = failed.dagster_run.tags
    with dg.execute_job(job, installation.instance, tags=tags, reexecution_options=options) as again:
        assert again.success
    assert installation.statuses() == dict.fromkeys(installation.batches, MATERIALIZED)


def migrate_images_job() -> dg.JobDefinition:
    """The job, as a process of Dagster's own makes it."""
    from z_interact_assets.definitions import defs

    return defs.resolve_job_def("migrate_images")


@pytest.mark.slow
def test_an_outage_keeps_what_is_done_and_the_next_run_completes(install):
    def cut_off() -> None:
        raise ConnectionError

    outage = After(16, cut_off)
    installation: Installation = install(outage)
    installation.add_rows(30)
    installation.plan()
    result = installation.migrate()
    finished = {batch for batch in installation.batches if installation.ledger.ask.batch(batch).pending == 0}
    assert len(failures(result)) == 1
    assert 1 <= len(finished) <= 16 // 3
    assert installation.statuses() == {
        batch: MATERIALIZED if batch in finished else FAILED for batch in installation.batches
    }
    outage.count = 1_000
    assert not failures(installation.migrate())
    assert installation.statuses() == dict.fromkeys(installation.batches, MATERIALIZED)
    assert sum(1 for _ in installation.store.list("images/")) == 30


@pytest.mark.slow
def test_a_stopped_run_fails_the_batches_it_did_not_reach(installation: Installation):
    installation.add_rows(60)
    installation.plan()
    assert not failures(installation.migrate(["b000001", "b000002"]))
    installation.observer.stop.set()
    (message,) = failures(installation.migrate())
    finished = {batch for batch in installation.batches if installation.ledger.ask.batch(batch).pending == 0}
    assert "The run was stopped" in message
    assert 2 <= len(finished) < 20
    assert installation.statuses() == {
        batch: MATERIALIZED if batch in finished else FAILED for batch in installation.batches
    }
    installation.observer.stop.clear()
    assert not failures(installation.migrate())
    assert installation.statuses() == dict.fromkeys(installation.batches, MATERIALIZED)


@pytest.mark.exhaustive
def test_a_bucket_out_of_reach_from_the_start_fails_every_batch_that_has_work(installation: Installation):
    installation.add_rows(4)
    installation.plan()
    assert not failures(installation.migrate(["b000001"]))
    installation.standin.stop()
    result = installation.migrate()
    (message,) = failures(result)
    assert "R2" in message or "bucket" in message
    assert not check_of(result, "every_image_is_migrated").passed
    assert installation.statuses() == {"b000001": MATERIALIZED, "b000002": FAILED}
