"""A whole migration in bad weather. Whatever befalls, no row loses its image, and the run after finishes the work."""

import threading
from contextlib import closing
from itertools import count
from types import SimpleNamespace

import botocore.endpoint
import pytest

from tests.integration.cli.commandline import eventually
from tests.support.losses import Rows
from tests.support.sites import Site
from tests.support.weather import (
    PASSING,
    REFUSALS,
    Befalls,
    Weather,
    answer,
    cut_body,
    drop_before,
    sign_in_page,
    wrong_etag,
)
from z_interact_assets.cli.errors import exit_code_of
from z_interact_assets.core.errors import StorageRefusedError, StorageUnavailableError
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.reasons import Reason
from z_interact_assets.demo.standin_app import IncomingRequest
from z_interact_assets.migrate.migration import Scope
from z_interact_assets.storage.objects import fast_puts, fast_reads

ATTEMPTS = 3
EACH = 4
UNFINISHED = {ItemState.PLANNED, ItemState.FAILED, ItemState.PUBLISHED, ItemState.ALREADY_IN_R2}

CUT = pytest.param(cut_body, "GET", id="GET-cut body")
METHODS = ("PUT", "GET", "HEAD")
SOMETIMES = [CUT, *(pytest.param(fault, method, id=f"{method}-{name}") for method in METHODS
                    for name, fault in PASSING.items())]  # fmt: skip
# What the store makes of each is tested by itself, so that one of each kind has to do for two of the methods.
OF_EACH_KIND = ("429, Retry-After", "503", "dropped after")
STAYING = [CUT, *(pytest.param(fault, method, id=f"{method}-{name}", marks=(
    () if method == "PUT" or name in OF_EACH_KIND else pytest.mark.exhaustive
)) for method in METHODS for name, fault in PASSING.items())]  # fmt: skip


@pytest.fixture
def filled(rows: Rows, store, weather: Weather) -> Rows:
    """Rows of every way to R2: PUT and ETag; PUT and GET; HEAD alone."""
    rows.add_data(f"data-{n}" for n in range(EACH))
    rows.add_data_urls(f"url-{n}" for n in range(EACH))
    rows.add_on_r2((f"old-{n}" for n in range(EACH)), store)
    weather.clear()
    return rows


def at(method: str, kind: str = "object"):
    return lambda request: (request.method, request.kind) == (method, kind)


@pytest.mark.exhaustive
@pytest.mark.parametrize(("fault", "method"), SOMETIMES)
def test_a_passing_fault_at_every_object_changes_nothing(site, filled, store, weather, fault: Befalls, method: str):
    weather.turn("passing", fault, at(method), times=ATTEMPTS - 1)
    report = site.report()
    # An object whose answer was lost is found there by the repetition: not written by it, so not counted as migrated.
    done = report["migrated"] + report["already_stored"]
    assert (report["failed"], report["quarantined"], done) == (0, 0, 3 * EACH)
    touched = {"PUT": 2 * EACH, "GET": EACH, "HEAD": EACH}[method]
    assert weather.injected["passing"] >= touched * (ATTEMPTS - 1)
    weather.clear()
    filled.assert_all_done(site, store)


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "method"), [
    *STAYING,
    pytest.param(wrong_etag, "PUT", id="PUT-wrong ETag"),
    pytest.param(sign_in_page, "PUT", id="PUT-sign-in page"),
    pytest.param(sign_in_page, "GET", id="GET-sign-in page"),
    pytest.param(sign_in_page, "HEAD", id="HEAD-sign-in page"),
])  # fmt: skip
def test_a_fault_that_stays_fails_its_images_and_the_next_run_does_them(site, filled, store, weather, fault, method):
    weather.turn("staying", fault, at(method))
    report = site.report()
    assert report["failed"] == {"PUT": 2 * EACH, "GET": EACH, "HEAD": EACH}[method]
    assert report["quarantined"] == 0
    assert {error["reason"] for error in report["errors"]} == {Reason.STORAGE_UNAVAILABLE}
    weather.clear()
    filled.assert_nothing_lost(store)
    again = site.report()
    assert (again["planned"], again["failed"]) == (report["failed"], 0)
    filled.assert_all_done(site, store)


def test_each_image_costs_a_bounded_number_of_requests(site, filled, weather):
    weather.turn("503", answer(503, "SlowDown"), at("PUT"))
    assert site.report()["failed"] == 2 * EACH
    assert weather.asked["PUT", "object"] == 2 * EACH * ATTEMPTS


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_midway_ends_the_run_and_blames_no_image(site, filled, store, weather, refusal: Befalls):
    """It concerns every request: quarantining image after image for it would be wrong."""
    site.plan()
    weather.turn("refused midway", refusal, lambda request: weather.asked["PUT", "object"] > EACH)
    with pytest.raises(StorageRefusedError) as caught:
        list(site.migration().run(Scope()))
    assert caught.value.remedy
    # Those in flight ask once each, nobody twice.
    assert weather.asked["PUT", "object"] <= EACH + 4 + 1
    assert {state for state, _ in site.ended().values()} <= UNFINISHED
    weather.clear()
    filled.assert_nothing_lost(store)
    assert site.report()["failed"] == 0
    filled.assert_all_done(site, store)


@pytest.mark.parametrize("still_there", [True, False], ids=["object gone", "bucket gone"])
def test_only_while_the_bucket_is_there_is_an_object_called_missing(site, rows, store, weather, still_there):
    rows.add_on_r2(["old"], store)
    site.plan()
    store.delete(site.bases.key_of(rows.app.row("old")["image_url"]) or "")
    began = threading.Event()

    def vanished(request: IncomingRequest) -> bool:
        # The check before the run still finds the bucket.
        if request.kind == "object":
            began.set()
        return began.is_set() and not still_there

    weather.turn("bucket gone", answer(404), vanished)
    if still_there:
        list(site.migration().run(Scope()))
        assert site.state("old") == (ItemState.QUARANTINED, Reason.OBJECT_MISSING)
        return
    with pytest.raises(StorageRefusedError) as caught:
        list(site.migration().run(Scope()))
    assert caught.value.code == "NoSuchBucket"
    assert site.state("old")[0] is ItemState.PLANNED


def test_an_object_not_found_while_the_bucket_cannot_be_asked_is_tried_again(site, filled, weather):
    site.plan()
    weather.turn("object 404, bucket 503", lambda request: answer(404 if request.kind == "object" else 503)(request),
                 lambda request: request.method == "HEAD" and weather.asked["HEAD", "object"] > 0)  # fmt: skip
    with pytest.raises(StorageUnavailableError):
        list(site.migration().run(Scope()))
    assert {site.state(f"old-{n}") for n in range(EACH)} == {(ItemState.FAILED, Reason.STORAGE_UNAVAILABLE)}


def test_an_outage_among_the_last_few_images_is_one_too(site, filled, weather):
    """Fewer than the pipeline takes for an outage: R2 itself is asked whether it is one."""
    site.plan()
    weather.turn("outage", drop_before, lambda _: weather.asked["PUT", "object"] > 2)
    migration = site.migration()
    with pytest.raises(StorageUnavailableError) as caught:
        list(migration.run(Scope()))
    assert exit_code_of(caught.value) == 3
    assert 0 < migration.totals.failed < 16
    assert migration.totals.done == migration.totals.planned


@pytest.mark.slow
def test_an_outage_ends_as_exit_3_with_what_was_finished_recorded_and_the_next_run_finishes(site, rows, store, weather):
    rows.add_data_urls(f"{n:03}" for n in range(80))
    site.plan()
    weather.turn("outage", drop_before, lambda _: weather.asked["PUT", "object"] > 30)
    migration = site.migration()
    with pytest.raises(StorageUnavailableError) as caught:
        list(migration.run(Scope()))
    assert exit_code_of(caught.value) == 3
    asked = weather.asked["PUT", "object"]
    weather.clear()
    published = {name for name, (state, _) in site.ended().items() if state is ItemState.PUBLISHED}
    switched = {name for name, row in rows.app.rows().items() if row["image_url"].startswith("http")}
    assert published == switched
    assert migration.totals.migrated == len(published) > 0
    # The bound: 16 failures in a row are an outage, and those in flight end, too; each after its attempts.
    assert asked <= 30 + ATTEMPTS * (16 + 2 * 4)
    rows.assert_nothing_lost(store)
    assert site.report()["failed"] == 0
    rows.assert_all_done(site, store)


def test_a_short_outage_is_bridged_by_pauses(tmp_path, rows, standin, store, store_of, weather, monkeypatch):
    """The server is really gone: connections are refused, until the fourth pause of any worker brings it back."""
    rows.add_data(f"{n:03}" for n in range(40))
    stopping, guard, pauses, answered = threading.Event(), threading.Lock(), [], 24
    numbers = count(1)

    def pause(seconds: float) -> None:
        with guard:
            pauses.append(seconds)
            if len(pauses) == 4:
                standin.start()

    def hold_back(request: IncomingRequest) -> None:
        if request.method == "PUT" and next(numbers) > answered and not pauses:
            assert stopping.wait(60)
            raise ConnectionError  # gone with its server: the next one sweeps what is half-written in the same folder

    for engine in (botocore.endpoint, fast_puts, fast_reads):
        monkeypatch.setattr(engine, "time", SimpleNamespace(sleep=pause))
    weather.watch = hold_back
    with closing(Site(tmp_path, rows.app, store_of(max_attempts=5, backoff=0.5))) as site:
        site.plan()
        migration = site.migration()
        batches = migration.run(Scope())
        next(batches)
        eventually(lambda: sum(1 for _ in store.list("images/")) == answered, "the requests that came in time")
        standin.stop()
        stopping.set()
        list(batches)
        assert (migration.totals.migrated, migration.totals.failed) == (40, 0)
        assert len(pauses) >= 4
        rows.assert_all_done(site, store)
