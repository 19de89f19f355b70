"""The commands, and the Dagster runs beneath them, in an outage: exit 3, and everything finished is recorded."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
import pytest
from click.testing import CliRunner

from tests.integration.cli.commandline import Site
from tests.support.images import base64_of, make_png
from tests.support.weather import Fault, Weather, Where, answer, drop_after, drop_before
from z_interact_assets.cli import main
from z_interact_assets.cli.errors import FINISHED_WITH_FINDINGS, OUT_OF_REACH
from z_interact_assets.core.models import ItemState
from z_interact_assets.demo.standin import StandIn
from z_interact_assets.settings import setting_names
from z_interact_assets.storage.objects import fast_puts, fast_reads

pytestmark = pytest.mark.slow

ATTEMPTS = 5  # the default
PAGE = 10  # keys
IMAGES = 45
BUSY = answer(503, "SlowDown")


@dataclass
class Desk:
    """A site whose commands run in this process, where pauses take no time."""

    site: Site
    weather: Weather

    def run(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """The exit code and the document; an empty one where the command got to none."""
        ended = CliRunner().invoke(main, [*arguments, "--json"])
        assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
        assert "Traceback" not in ended.output
        return ended.exit_code, json.loads(ended.stdout or "{}")

    def states(self) -> dict[str, ItemState]:
        return {item.image_id: item.state for item in self.site.items()}

    def inventories(self) -> int:
        """How many inventories the ledger has the numbers of."""
        with closing(sqlite3.connect(self.site.ledger_path)) as connection:
            return connection.execute("SELECT count(*) FROM inventories").fetchone()[0]

    def assert_no_key_was_asked_for_more_often_than_allowed(self, times: int = ATTEMPTS) -> None:
        objects = {what: count for what, count in self.weather.asked_for.items() if what[1] in {"object", "public"}}
        assert all(count <= times for count in objects.values())


@contextmanager
def opened_desk(folder: Path) -> Iterator[Desk]:
    weather = Weather()
    with pytest.MonkeyPatch.context() as patch, StandIn(folder / "r2", faults=weather) as standin:
        site = Site(folder / "site", standin)
        for name in setting_names():
            patch.delenv(name, raising=False)
        for name, value in {
            **site.settings,
            "DATABASE_URL": site.app.url,
            "RECLAIM_AFTER_DAYS": "0",
            "UPLOAD_CONCURRENCY": "4",
        }.items():
            patch.setenv(name, value)
        patch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", str(PAGE))
        for engine in (botocore.endpoint, fast_puts, fast_reads):
            patch.setattr(engine, "time", SimpleNamespace(sleep=lambda _: None))
        patch.chdir(site.folder)
        site.add_images(IMAGES)
        yield Desk(site, weather)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with opened_desk(tmp_path) as opened:
        yield opened


@pytest.fixture
def migrated(desk: Desk) -> Desk:
    code, document = desk.run("migrate")
    assert (code, document["migrated"]) == (0, IMAGES)
    desk.weather.clear()
    return desk


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with opened_desk(tmp_path_factory.mktemp("shared")) as opened:
        assert opened.run("migrate")[0] == 0
        yield opened


@pytest.fixture
def unchanged(shared: Desk) -> Iterator[Desk]:
    """One migrated site for all tests in which no row and no state may change."""
    before = shared.site.app.as_stored(), shared.states(), shared.site.stored_keys()
    shared.weather.clear()
    yield shared
    shared.weather.clear()
    assert (shared.site.app.as_stored(), shared.states(), shared.site.stored_keys()) == before


def at(method: str, kind: str = "object") -> Where:
    return lambda request: (request.method, request.kind) == (method, kind)


def after(weather: Weather, count: int, method: str, kind: str = "object") -> Where:
    return lambda _: weather.asked[method, kind] > count


def switched(desk: Desk) -> set[str]:
    return {name for name, row in desk.site.app.rows().items() if str(row["image_url"]).startswith("http")}


def cleared(desk: Desk) -> set[str]:
    return {name for name, row in desk.site.app.rows().items() if row["image_data"] is None}


def in_state(desk: Desk, state: ItemState) -> set[str]:
    return {name for name, found in desk.states().items() if found is state}


def test_migrate_ends_an_outage_as_exit_3_and_the_next_one_does_the_rest(desk: Desk):
    desk.weather.turn("outage", drop_before, after(desk.weather, 12, "PUT"))
    code, document = desk.run("migrate", "--concurrency", "4")
    assert code == OUT_OF_REACH
    assert switched(desk) == in_state(desk, ItemState.PUBLISHED)
    assert len(switched(desk)) == document["migrated"] > 0
    assert document["failed"] >= 16
    desk.assert_no_key_was_asked_for_more_often_than_allowed()
    assert desk.run("status")[1]["states"]["published"] == document["migrated"]
    desk.weather.clear()
    code, again = desk.run("migrate")
    assert (code, again["migrated"], again["failed"]) == (0, IMAGES - document["migrated"], 0)
    assert switched(desk) == in_state(desk, ItemState.PUBLISHED) == set(desk.site.app.rows())
    assert desk.site.stored_keys() == desk.site.claimed_keys()


def test_validate_calls_what_it_could_not_ask_unreachable(unchanged: Desk):
    unchanged.weather.turn("outage", BUSY, at("HEAD"))
    code, document = unchanged.run("validate")
    assert code == OUT_OF_REACH
    assert (document["is_valid"], document["missing"], document["corrupted"], document["valid"]) == (False, [], [], 0)
    assert document["unreachable"]
    unchanged.assert_no_key_was_asked_for_more_often_than_allowed()


def test_validate_says_null_and_never_no_orphans_where_page_3_cannot_be_listed(unchanged: Desk):
    unchanged.weather.turn("page 3", BUSY, lambda r: r.kind == "list" and unchanged.weather.asked["GET", "list"] >= 3)
    code, document = unchanged.run("validate")
    assert code == OUT_OF_REACH
    assert (document["orphaned"], document["shared"], document["is_valid"]) == (None, None, False)
    assert (document["valid"], document["missing"], document["unreachable"]) == (IMAGES, [], [])
    assert unchanged.weather.asked["GET", "list"] == 2 + ATTEMPTS


def test_validate_with_something_missing_and_something_unreachable_is_a_finding(unchanged: Desk):
    lost, silent = sorted(item.object_key or "" for item in unchanged.site.items())[:2]
    unchanged.weather.turn("404", answer(404), lambda request: request.method == "HEAD" and request.key == lost)
    assert unchanged.run("validate")[0] == FINISHED_WITH_FINDINGS
    unchanged.weather.turn("503", BUSY, lambda request: request.method == "HEAD" and request.key == silent)
    code, document = unchanged.run("validate")
    assert (code, len(document["unreachable"]), document["missing"]) == (OUT_OF_REACH, 1, [])


def test_stats_takes_no_snapshot_of_half_a_bucket(unchanged: Desk):
    unchanged.weather.turn("page 3", BUSY, lambda r: r.kind == "list" and unchanged.weather.asked["GET", "list"] >= 3)
    taken = unchanged.inventories()
    code, document = unchanged.run("stats")
    assert (code, document) == (OUT_OF_REACH, {})
    assert unchanged.inventories() == taken
    unchanged.weather.clear()
    assert unchanged.run("stats")[1]["r2_objects"] == IMAGES
    assert unchanged.inventories() == taken + 1


def test_migrate_with_nothing_to_do_asks_r2_nothing(unchanged: Desk):
    unchanged.weather.turn("outage", drop_before)
    assert unchanged.run("migrate")[0] == 0
    assert not unchanged.weather.asked


@pytest.mark.parametrize("command", [
    "validate", "validate --full", "validate --public", "doctor", "reclaim --all-due",
    "reclaim --all-due --dry-run", "rollback --all --delete-objects",
])  # fmt: skip
def test_an_outage_from_the_start_is_exit_3(unchanged: Desk, command: str):
    unchanged.weather.turn("outage", drop_before)
    assert unchanged.run(*command.split())[0] == OUT_OF_REACH


NO_PROOF = {
    "page 3 of the listing": lambda weather: lambda r: r.kind == "list" and weather.asked["GET", "list"] >= 3,
    "GET": lambda _: at("GET"),
    "the public URL": lambda _: at("GET", "public"),
}


@pytest.mark.parametrize("where", NO_PROOF)
@pytest.mark.parametrize(
    "fault", [pytest.param(drop_before, marks=pytest.mark.exhaustive), BUSY], ids=["dropped", "503"]
)
def test_reclaim_clears_nothing_it_has_no_proof_of(unchanged: Desk, where: str, fault: Fault):
    unchanged.weather.turn(where, fault, NO_PROOF[where](unchanged.weather))
    assert unchanged.run("reclaim", "--all-due")[0] == OUT_OF_REACH
    assert cleared(unchanged) == set()
    unchanged.assert_no_key_was_asked_for_more_often_than_allowed()


def test_an_outage_in_the_middle_of_reclaim_leaves_what_was_cleared_recorded(migrated: Desk):
    migrated.weather.turn("outage", drop_before, after(migrated.weather, 15, "GET"))
    code, document = migrated.run("reclaim", "--all-due")
    assert code == OUT_OF_REACH
    assert cleared(migrated) == in_state(migrated, ItemState.RECLAIMED)
    assert len(cleared(migrated)) == document["reclaimed"] < IMAGES
    migrated.weather.clear()
    assert migrated.run("reclaim", "--all-due")[0] == 0
    assert cleared(migrated) == in_state(migrated, ItemState.RECLAIMED) == set(migrated.site.app.rows())


def test_an_outage_in_the_middle_of_rollback_leaves_what_is_back_recorded(migrated: Desk):
    assert migrated.run("reclaim", "--all-due")[0] == 0
    migrated.weather.clear()
    migrated.weather.turn("outage", drop_before, after(migrated.weather, 15, "GET"))
    code, document = migrated.run("rollback", "--all")
    assert code == OUT_OF_REACH
    back = set(migrated.site.app.rows()) - cleared(migrated)
    assert back == in_state(migrated, ItemState.ROLLED_BACK)
    assert len(back) == document["rolled_back"] < IMAGES
    migrated.weather.clear()
    assert migrated.run("rollback", "--all")[0] == 0
    originals = {f"image-{n:03}": base64_of(make_png(10_000 + n)) for n in range(IMAGES)}
    assert {name: row["image_data"] for name, row in migrated.site.app.rows().items()} == originals


@pytest.mark.parametrize(
    "fault", [drop_after, pytest.param(BUSY, marks=pytest.mark.exhaustive)], ids=["dropped after", "503"]
)
def test_deletes_that_are_not_answered_are_done_by_the_next_rollback(migrated: Desk, fault: Fault):
    migrated.weather.turn("deletes", fault, at("POST", "delete"))
    code, document = migrated.run("rollback", "--all", "--delete-objects")
    assert (code, document["rolled_back"]) == (OUT_OF_REACH, IMAGES)
    assert in_state(migrated, ItemState.ROLLED_BACK) == set(migrated.site.app.rows())
    assert switched(migrated) == set()
    assert migrated.weather.asked["POST", "delete"] == ATTEMPTS
    migrated.weather.clear()
    assert migrated.run("rollback", "--all", "--delete-objects")[0] == 0
    assert migrated.site.stored_keys() == []
    code, document = migrated.run("migrate", "--rolled-back")
    assert (code, document["migrated"]) == (0, IMAGES)


def test_doctor_leaves_no_object_behind_a_lost_answer(desk: Desk):
    desk.weather.turn("lost", drop_after, at("PUT"))
    code, _ = desk.run("doctor")
    assert code == OUT_OF_REACH
    assert desk.site.stored_keys() == []
