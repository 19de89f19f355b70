"""Validation in bad weather: what could not be asked is unreachable or unknown, never missing and never corrupted."""

from collections.abc import Callable, Iterator
from contextlib import closing
from random import Random

import pytest

from tests.integration.network.conftest import ATTEMPTS
from tests.support.losses import Rows
from tests.support.sites import NOW_MS, Site
from tests.support.tables import AppTable
from tests.support.weather import (
    PASSING,
    REFUSALS,
    Fault,
    Weather,
    Where,
    answer,
    cut_body,
    drop_before,
    late,
    sign_in_page,
    wrong_etag,
)
from z_interact_assets.core.errors import StorageRefusedError, StorageUnavailableError
from z_interact_assets.demo.standin import StandIn
from z_interact_assets.inventory import Inventory
from z_interact_assets.storage.objects import R2Store
from z_interact_assets.storage.public import PublicReader
from z_interact_assets.validate import Mode, Validation, ValidationReport

pytestmark = pytest.mark.slow

IMAGES = 5


@pytest.fixture(scope="module")
def migrated(
    tmp_path_factory: pytest.TempPathFactory, standin: StandIn, store_of: Callable[..., R2Store]
) -> Iterator[Site]:
    """Five migrated images, which nothing here changes."""
    folder = tmp_path_factory.mktemp("migrated")
    rows = Rows(AppTable(folder / "local.db"), standin.public_url)
    rows.add_data(f"{n}" for n in range(IMAGES))
    with closing(Site(folder, rows.app, store_of())) as site:
        assert site.report()["migrated"] == IMAGES
        yield site


@pytest.fixture
def weather(shared_weather: Weather) -> Iterator[Weather]:
    """Fair weather over the same bucket for all."""
    shared_weather.clear()
    yield shared_weather
    shared_weather.clear()


def validate(site: Site, mode: Mode, *, inventory: Inventory | None = None, concurrency: int = 4) -> ValidationReport:
    with PublicReader(retries=ATTEMPTS - 1, backoff=0) as public:
        validation = Validation(
            site.table, site.ledger, site.store, site.bases, public=public, clock_ms=lambda: NOW_MS,
            concurrency=concurrency,
        )  # fmt: skip
        return validation.run(mode, inventory=inventory or Inventory(), random=Random(1))


def at(method: str, kind: str) -> Where:
    return lambda request: (request.method, request.kind) == (method, kind)


# The request that proves an image in each mode; the full one's HEAD is the first one's.
PROVES: dict[Mode, tuple[str, str]] = {
    "head": ("HEAD", "object"),
    "full": ("GET", "object"),
    "public": ("GET", "public"),
}
CASES = [
    pytest.param(mode, fault, id=f"{mode}-{name}")
    for mode, (method, _) in PROVES.items()
    for name, fault in (*PASSING.items(), *([("cut body", cut_body)] if method == "GET" else []))
]


@pytest.mark.parametrize(("mode", "fault"), CASES)
def test_a_fault_that_passes_is_outlasted(migrated: Site, weather: Weather, mode: Mode, fault: Fault):
    weather.turn("passing", fault, at(*PROVES[mode]), times=ATTEMPTS - 1)
    report = validate(migrated, mode)
    assert report.is_valid, report.problems
    assert report.valid == IMAGES
    assert weather.asked[PROVES[mode]] == IMAGES * ATTEMPTS


@pytest.mark.parametrize(("mode", "fault"), CASES)
def test_a_fault_that_stays_makes_images_unreachable_after_the_bound(migrated, weather, mode: Mode, fault: Fault):
    weather.turn("staying", fault, at(*PROVES[mode]))
    report = validate(migrated, mode)
    assert len(report.unreachable) == len(report.problems) == report.checked == IMAGES
    assert (report.valid, report.is_valid, report.found_false) == (0, False, False)
    asked = {what: count for what, count in weather.asked_for.items() if what[:2] == PROVES[mode]}
    assert set(asked.values()) == {ATTEMPTS}
    assert len(asked) == IMAGES


@pytest.mark.parametrize("mode", ["head", "full"])
@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_midway_is_raised_is_never_repeated_and_blames_no_image(
    migrated, weather, mode: Mode, refusal: Fault
):
    weather.turn("refused", refusal, lambda request: request.kind == "object" or weather.asked["HEAD", "bucket"] > 1)
    with pytest.raises(StorageRefusedError) as caught:
        validate(migrated, mode)
    assert caught.value.concerns_every_request
    assert {count for (_, kind, _), count in weather.asked_for.items() if kind == "object"} == {1}
    assert weather.asked["HEAD", "bucket"] <= 2


@pytest.mark.parametrize("refusal", [REFUSALS["403"], REFUSALS["403, a page"], REFUSALS["302"], answer(400)])
def test_a_public_url_that_refuses_is_asked_once_and_proves_nothing(migrated, weather, refusal: Fault):
    weather.turn("refused", refusal, at("GET", "public"))
    report = validate(migrated, "public")
    assert len(report.unreachable) == len(report.problems) == IMAGES
    assert weather.asked["GET", "public"] == IMAGES


@pytest.mark.parametrize("mode", PROVES)
def test_late_answers_are_waited_for_and_not_asked_for_again(migrated, weather, mode: Mode):
    weather.turn("late", late, at(*PROVES[mode]))
    assert validate(migrated, mode).is_valid
    assert weather.asked[PROVES[mode]] == IMAGES


def test_a_head_answered_by_somebody_else_proves_nothing(migrated, weather):
    weather.turn("sign-in page", sign_in_page, at("HEAD", "object"))
    report = validate(migrated, "head")
    assert len(report.unreachable) == len(report.problems) == IMAGES


def test_a_wrong_etag_is_found_false_by_head_and_right_by_the_bytes(migrated, weather):
    weather.turn("wrong ETag", wrong_etag, at("HEAD", "object"))
    assert len(validate(migrated, "head").corrupted) == IMAGES
    assert validate(migrated, "full").is_valid


@pytest.mark.parametrize("mode", ["head", "full"])
def test_an_outage_before_the_first_image_raises(migrated, weather, mode: Mode):
    weather.turn("outage", drop_before)
    with pytest.raises(StorageUnavailableError):
        validate(migrated, mode)
    assert weather.asked["HEAD", "bucket"] == weather.asked.total() == ATTEMPTS


@pytest.mark.parametrize("mode", PROVES)
def test_an_outage_midway_keeps_what_was_proved(migrated, weather, mode: Mode):
    """The server goes away after the second image and comes back for the next validation."""
    weather.turn("outage", drop_before, lambda _: weather.asked[PROVES[mode]] > 2)
    report = validate(migrated, mode, concurrency=1)
    assert (report.valid, len(report.unreachable), report.found_false) == (2, IMAGES - 2, False)
    weather.clear()
    assert validate(migrated, mode).is_valid


def test_missing_is_said_only_while_the_bucket_is_there(migrated, weather):
    """A HEAD's 404 has no body: it may be the bucket that is gone."""
    weather.turn("404", answer(404), lambda request: request.kind == "object")
    assert len(validate(migrated, "head").missing) == IMAGES
    weather.clear()
    weather.turn("404", answer(404), lambda _: weather.asked["HEAD", "object"] > 0)
    with pytest.raises(StorageRefusedError):
        validate(migrated, "head")
