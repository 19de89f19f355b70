"""A listing of several pages that breaks at its third: unknown is not empty, for an inventory and whoever needs one."""

import pytest

from tests.integration.network.conftest import ATTEMPTS
from tests.support.images import make_png
from tests.support.losses import Rows
from tests.support.sites import Site
from tests.support.weather import (
    PASSING,
    REFUSALS,
    Fault,
    Weather,
    Where,
    answer,
    cut_body,
    drop_before,
    sign_in_page,
)
from z_interact_assets.core.errors import PermanentError, StorageUnavailableError, ZInteractError
from z_interact_assets.inventory import Inventory

pytestmark = pytest.mark.slow

IMAGES = 11
PAGE = 3  # keys: what is there, ten images and an orphan, takes four pages
PAGES = 4
ORPHAN = "images/zzz/9-orphan.png"
FAULTS = {**PASSING, "cut body": cut_body}


@pytest.fixture
def paged(site: Site, rows: Rows, store, weather: Weather, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Eleven migrated images, one of which is missing, and an orphan behind them all."""
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", str(PAGE))
    rows.add_data(f"{n:02}" for n in range(IMAGES))
    assert site.report()["migrated"] == IMAGES
    store.upload(ORPHAN, make_png(999))
    store.delete(site.key("04"))
    weather.clear()
    return site


def from_page_3(weather: Weather) -> Where:
    return lambda request: request.kind == "list" and weather.asked["GET", "list"] >= 3


def assert_true(site: Site, found: Inventory) -> None:
    assert (found.objects, found.known, found.orphans, found.missing) == (
        IMAGES,
        IMAGES - 1,
        [ORPHAN],
        [site.key("04")],
    )
    assert (found.corrupted, found.misdirected, found.shared) == ([], [], [])


def test_all_pages_are_listed(paged, weather):
    assert_true(paged, paged.inventory())
    assert weather.asked["GET", "list"] == PAGES


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_page_that_passes_is_asked_for_again_and_nothing_is_listed_twice(paged, weather, fault: Fault):
    weather.turn("page 3", fault, from_page_3(weather), times=ATTEMPTS - 1)
    assert_true(paged, paged.inventory())
    assert weather.asked["GET", "list"] == PAGES + ATTEMPTS - 1


@pytest.mark.parametrize("fault", [*FAULTS.values(), sign_in_page], ids=[*FAULTS, "sign-in page"])
def test_a_page_that_stays_away_is_an_error_and_no_inventory(paged, weather, fault: Fault):
    weather.turn("page 3", fault, from_page_3(weather))
    with pytest.raises(StorageUnavailableError):
        paged.inventory()
    # A sign-in page is a whole answer: nothing says that it would be another one the next time.
    assert weather.asked["GET", "list"] == 2 + (1 if fault is sign_in_page else ATTEMPTS)


@pytest.mark.parametrize("refusal", [*REFUSALS.values(), answer(400, "InvalidArgument")])
def test_a_page_that_is_refused_is_asked_for_once(paged, weather, refusal: Fault):
    weather.turn("page 3", refusal, from_page_3(weather))
    with pytest.raises(PermanentError):
        paged.inventory()
    assert weather.asked["GET", "list"] == 3


@pytest.mark.parametrize("fault", [drop_before, answer(503, "SlowDown"), sign_in_page, answer(403, "AccessDenied")])
def test_the_second_look_at_an_object_is_no_guess_either(paged, weather, fault: Fault):
    """An object that was not listed is missing only once a HEAD has said so."""
    weather.turn("second look", fault, lambda request: (request.method, request.kind) == ("HEAD", "object"))
    with pytest.raises(ZInteractError):
        paged.inventory()
    assert weather.asked["HEAD", "object"] <= ATTEMPTS


def test_a_listing_with_wrong_etags_is_corrected_by_the_second_look(site, rows: Rows, weather):
    def spoil(request):
        whole = request.serve()
        whole.set_data(whole.get_data().replace(b"<ETag>&quot;", b"<ETag>&quot;0").replace(b'<ETag>"', b'<ETag>"0'))
        return whole

    rows.add_data(f"{n:02}" for n in range(IMAGES))
    site.migrate()
    weather.turn("wrong ETags", Fault("wrong ETag", spoil), lambda request: request.kind == "list")
    assert site.inventory().problems == []
    assert weather.asked["HEAD", "object"] == IMAGES
    site.store.upload(site.key("03"), make_png(77), overwrite=True)
    assert site.inventory().corrupted == [site.key("03")]
