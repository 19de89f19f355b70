"""Whatever ends a migration, what was done is recorded, nothing is lost or doubled, and the next run finishes."""

import os
import resource
import signal
from collections.abc import Callable
from time import sleep

import pytest
from werkzeug.wrappers import Response

from tests.integration.cli.commandline import NewSite, Site, Started, eventually, run
from z_interact_assets.cli.errors import INTERRUPTED, OUT_OF_REACH
from z_interact_assets.core.models import ItemState
from z_interact_assets.demo.standin_app import IncomingRequest

pytestmark = pytest.mark.slow

IMAGES = 30
SLOWLY = ("migrate", "--json", "--concurrency", "2")
SLOW_PUT_S = 0.15
ENOUGH = 4


def slow_puts(request: IncomingRequest) -> None:
    """R2 far away."""
    if (request.method, request.kind) == ("PUT", "object"):
        sleep(SLOW_PUT_S)


class DyingBucket:
    """Drops every connection after so many PUTs, until it is healed."""

    def __init__(self, puts: int) -> None:
        self.puts = puts
        self.is_healed = False

    def __call__(self, request: IncomingRequest) -> Response | None:
        if not self.is_healed and request.method == "PUT" and request.number > self.puts:
            raise ConnectionError
        return None


def started(site: Site) -> Started:
    """A slow migration that has stored some images already."""
    command = site.start(*SLOWLY)
    eventually(lambda: len(site.stored_keys()) >= ENOUGH or command.process.poll() is not None, "the first objects")
    assert command.process.poll() is None
    return command


def assert_next_run_finishes(site: Site) -> None:
    """Each image is stored exactly once, every row points at its object, and no object is nobody's."""
    ended = site.run("migrate", "--json")
    assert ended.code == 0, ended.output
    assert {item.state for item in site.items()} == {ItemState.PUBLISHED}
    assert site.stored_keys() == site.claimed_keys()
    assert len(site.stored_keys()) == IMAGES
    urls = sorted(row["image_url"] for row in site.app.rows().values())
    assert urls == [f"{site.standin.public_url}/{key}" for key in site.stored_keys()]


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.exhaustive)])
def test_a_signal_finishes_what_is_in_flight_and_says_how_to_go_on(new_site: NewSite, number: signal.Signals) -> None:
    site = new_site(slow_puts)
    site.add_images(IMAGES)
    with started(site) as command:
        command.signal(number)
        ended = command.end()
        with pytest.raises(ProcessLookupError):
            os.killpg(command.process.pid, 0)
    assert ended.code == INTERRUPTED, ended.output
    assert "Run the same command again to go on" in ended.stderr
    assert "Traceback" not in ended.stderr
    done = ended.document["migrated"]
    assert ENOUGH <= done < IMAGES
    assert len(site.stored_keys()) == done
    assert site.stored_keys() == site.claimed_keys()
    assert_next_run_finishes(site)


def test_a_second_signal_ends_at_once(new_site: NewSite) -> None:
    site = new_site(slow_puts)
    site.add_images(IMAGES)
    with started(site) as command:
        command.signal(signal.SIGINT)
        stderr = command.process.stderr
        assert stderr is not None
        eventually(lambda: "Finishing what is in flight" in stderr.readline(), "the first message")
        command.signal(signal.SIGINT)
        ended = command.end()
    assert ended.code == INTERRUPTED
    assert ended.stdout == ""
    assert_next_run_finishes(site)


def test_a_killed_run_is_finished_by_the_next(new_site: NewSite) -> None:
    site = new_site(slow_puts)
    site.add_images(IMAGES)
    with started(site) as command:
        command.signal(signal.SIGKILL)
        assert command.end().code == -signal.SIGKILL
    assert_next_run_finishes(site)


def test_ctrl_c_while_planning_ends_with_130(new_site: NewSite) -> None:
    site = new_site()
    site.add_images(IMAGES)
    with site.start("plan", "--json") as command:
        eventually(site.ledger_path.exists, "the ledger")
        command.signal(signal.SIGINT)
        ended = command.end()
    assert ended.code == INTERRUPTED, ended.output
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    assert_next_run_finishes(site)


@pytest.mark.exhaustive
def test_a_bucket_that_dies_in_the_middle_is_out_of_reach_and_nothing_done_is_lost(new_site: NewSite) -> None:
    bucket = DyingBucket(puts=10)
    site = new_site(bucket)
    site.add_images(IMAGES)
    ended = site.run("migrate", "--json", "--concurrency", "8")
    assert ended.code == OUT_OF_REACH, ended.output
    assert "R2 has stopped answering" in ended.stderr
    assert "run the same command again" in ended.stderr
    assert ended.document["migrated"] == len(site.stored_keys()) == 10
    published = [item for item in site.items() if item.state is ItemState.PUBLISHED]
    assert len(published) == 10
    bucket.is_healed = True
    assert_next_run_finishes(site)


def no_file_over(kilobytes: int) -> Callable[[], None]:
    """A disk that is full: no file may grow past this."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, resource.RLIM_INFINITY))


@pytest.mark.parametrize(
    "kilobytes", [pytest.param(16, marks=pytest.mark.exhaustive), pytest.param(160, marks=pytest.mark.exhaustive), 240]
)
@pytest.mark.exhaustive
def test_a_full_disk_is_named_and_the_next_run_finishes(new_site: NewSite, kilobytes: int) -> None:
    """At the home's making, while planning, and among the uploads."""
    site = new_site()
    site.add_images(IMAGES)
    ended = run(*SLOWLY, folder=site.folder, settings=site.settings, preexec=no_file_over(kilobytes))
    assert ended.code == OUT_OF_REACH, ended.output
    assert "Traceback" not in ended.stderr
    assert "Check the disk" in ended.stderr or "is recorded" in ended.stderr
    assert_next_run_finishes(site)
