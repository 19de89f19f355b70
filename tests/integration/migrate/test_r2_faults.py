"""R2 refuses, throttles, vanishes: what is finished stays, what is not is done by the next run, each image once."""

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from werkzeug.wrappers import Response

from tests.support.images import base64_of, data_url_of, make_png
from tests.support.sites import PUBLIC_URL, Site, r2_store
from z_interact_assets.core.errors import StorageRefusedError, StorageUnavailableError
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.reasons import Reason
from z_interact_assets.demo.standin import StandIn
from z_interact_assets.demo.standin_app import IncomingRequest
from z_interact_assets.migrate.flow import AdaptiveLimiter
from z_interact_assets.migrate.migration import Scope

pytestmark = pytest.mark.slow

ROWS = 60


class Weather:
    """What befalls requests: `fault` is asked about each object's PUT, GET and HEAD."""

    def __init__(self) -> None:
        self.fault = lambda _: None

    def __call__(self, request: IncomingRequest) -> Response | None:
        return self.fault(request) if request.kind == "object" else None


@pytest.fixture
def weather() -> Weather:
    return Weather()


@pytest.fixture
def standin(tmp_path, weather) -> Iterator[StandIn]:
    with StandIn(tmp_path / "standin", faults=weather) as started:
        yield started


@pytest.fixture
def r2(r2_site, app) -> Site:
    app.add_many(
        [{"id": f"{n:02}", "persona_id": f"p{n:02}", "image_url": data_url_of(make_png(n))} for n in range(ROWS)]
    )
    return r2_site


def slow_down() -> Response:
    return Response("<Error><Code>SlowDown</Code></Error>", status=503, content_type="application/xml")


def all_is_well(site: Site, rows_in_all: int = ROWS) -> None:
    assert {state for state, _ in site.ended().values()} == {ItemState.PUBLISHED}
    assert len(site.ended()) == rows_in_all
    rows = site.app.rows()
    keys = [site.key(row_id) for row_id in rows]
    assert sorted(entry.key for entry in site.store.list()) == sorted(keys)


def test_a_key_that_always_fails_leaves_its_batch_pending_and_all_others_done(r2, weather):
    weather.fault = lambda request: slow_down() if "/p07/" in request.key else None
    migration, batches = r2.migrate()
    assert (migration.totals.migrated, migration.totals.failed) == (ROWS - 1, 1)
    assert r2.state("07") == (ItemState.FAILED, Reason.STORAGE_UNAVAILABLE)
    assert {batch.key: batch.pending for batch in batches} == {
        "b000001": 1, **{f"b{number:06}": 0 for number in range(2, 7)}
    }  # fmt: skip
    assert r2.app.row("07")["image_url"].startswith("data:")
    weather.fault = lambda _: None
    migration, batches = r2.migrate(Scope(batch_keys=("b000001",)))
    assert (migration.totals.planned, migration.totals.migrated) == (1, 1)
    assert [(batch.key, batch.pending) for batch in batches] == [("b000001", 0)]
    all_is_well(r2)


def test_an_outage_ends_the_run_with_an_error_after_what_was_finished_is_recorded(r2, weather, standin):
    def gone(request: IncomingRequest) -> Response | None:
        if request.method == "PUT" and request.number > 20:
            raise ConnectionAbortedError
        return None

    weather.fault = gone
    r2.plan()
    migration = r2.migration()
    with pytest.raises(StorageUnavailableError, match="stopped answering") as caught:
        list(migration.run(Scope()))
    assert "again" in caught.value.remedy
    published = [row_id for row_id, (state, _) in r2.ended().items() if state is ItemState.PUBLISHED]
    assert migration.totals.migrated == len(published) == 20
    assert migration.totals.failed >= 16
    assert migration.totals.done < ROWS
    assert migration.totals.batches >= 2
    switched = [row for row in r2.app.rows().values() if row["image_url"].startswith("http")]
    assert len(switched) == 20
    weather.fault = lambda _: None
    report = r2.report()
    assert (report["planned"], report["migrated"], report["already_stored"]) == (ROWS - 20, ROWS - 20, 0)
    assert report["objects_written"] == ROWS - 20
    all_is_well(r2)


@pytest.mark.slow
@pytest.mark.exhaustive
def test_a_server_stopped_in_the_middle_is_an_outage_too(r2, standin, app, weather):
    stopping = threading.Event()

    def hold_back(request: IncomingRequest) -> None:
        if request.method == "PUT" and request.number > 20:
            assert stopping.wait(60)

    weather.fault = hold_back
    app.add_many([{"id": f"more-{n:03}", "image_url": data_url_of(make_png(1000 + n))} for n in range(90)])
    r2.plan()
    batches = r2.migration().run(Scope())
    next(batches)
    stopping.set()
    standin.stop()
    with pytest.raises(StorageUnavailableError):
        list(batches)
    standin.start()
    assert r2.report()["failed"] == 0
    all_is_well(r2, ROWS + 90)


def test_a_server_that_is_gone_at_the_start_is_told_before_any_attempt(r2, standin):
    r2.plan()
    states = r2.ended()
    standin.stop()
    with pytest.raises(StorageUnavailableError):
        list(r2.migration().run(Scope()))
    assert r2.ended() == states


def test_an_answer_lost_after_the_object_was_written_makes_no_second_object(r2, weather, standin):
    """The PUT arrives, its answer does not."""
    lost = set()

    def lose(request: IncomingRequest) -> Response | None:
        if request.method != "PUT" or "/p03/" not in request.key or lost:
            return None
        lost.add(request.key)
        other.client.put_object(Bucket=standin.bucket, Key=request.key, Body=request.body, ContentType="image/png")
        raise ConnectionAbortedError

    with closing(r2_store(standin)) as other:
        weather.fault = lose
        report = r2.report()
    assert (report["migrated"], report["failed"]) == (ROWS - 1, 1)
    assert r2.report() | {"batches": 1} == report | {
        "planned": 1, "migrated": 0, "already_stored": 1, "failed": 0, "bytes_uploaded": 0, "objects_written": 0,
        "batches": 1, "errors": [],
    }  # fmt: skip
    all_is_well(r2)


def test_bytes_that_come_back_wrong_leave_the_row_its_last_copy(r2, weather):
    def garble(request: IncomingRequest) -> Response | None:
        return (
            Response(make_png(999), content_type="image/png")
            if request.method == "GET" and "/p03/" in request.key
            else None
        )

    weather.fault = garble
    assert r2.report()["failed"] == 1
    assert r2.state("03") == (ItemState.FAILED, Reason.STORAGE_UNAVAILABLE)
    assert r2.app.row("03")["image_url"] == data_url_of(make_png(3))


def test_a_refusal_of_one_object_is_that_rows_quarantine(r2, weather):
    too_large = "<Error><Code>MetadataTooLarge</Code></Error>"
    weather.fault = lambda request: (
        Response(too_large, status=400, content_type="application/xml") if "/p05/" in request.key else None
    )
    assert r2.report()["quarantined"] == 1
    assert r2.state("05") == (ItemState.QUARANTINED, Reason.STORAGE_REFUSED)


@pytest.mark.parametrize(("wrong", "code"), [
    ({"secret_access_key": "not-it"}, "403"),
    ({"bucket": "no-such-bucket"}, "404"),
])  # fmt: skip
def test_wrong_credentials_or_bucket_are_told_before_any_row_is_touched(tmp_path, r2, standin, wrong, code):
    r2.plan()
    stored, states = r2.app.as_stored(), r2.ended()
    with closing(r2_store(standin, **wrong)) as store:
        r2.store = store
        with pytest.raises(StorageRefusedError) as caught:
            list(r2.migration().run(Scope()))
        with pytest.raises(StorageRefusedError):
            r2.forecast()
    assert caught.value.remedy
    assert caught.value.concerns_every_request
    assert "not-it" not in str(caught.value)
    assert (r2.app.as_stored(), r2.ended()) == (stored, states)
    assert standin.requests["PUT", "object"] == 0


def test_credentials_revoked_in_the_middle_end_the_run_and_quarantine_nothing(r2, weather):
    denied = "<Error><Code>AccessDenied</Code></Error>"
    weather.fault = lambda request: (
        Response(denied, status=403, content_type="application/xml") if request.number > 10 else None
    )
    r2.plan()
    with pytest.raises(StorageRefusedError):
        list(r2.migration().run(Scope()))
    assert {state for state, _ in r2.ended().values()} <= {ItemState.PLANNED, ItemState.PUBLISHED}
    weather.fault = lambda _: None
    r2.migrate()
    all_is_well(r2)


@pytest.mark.slow
def test_throttling_narrows_the_window_of_the_run(r2, weather, monkeypatch):
    halved = []
    monkeypatch.setattr(AdaptiveLimiter, "throttled", lambda self: halved.append(self.limit))
    object.__setattr__(r2.engine, "concurrency", None)
    weather.fault = lambda request: slow_down() if "/p07/" in request.key else None
    assert r2.report()["failed"] == 1
    assert len(halved) == 1


def test_an_object_with_other_bytes_is_never_overwritten(site, app):
    app.add("a", image_url=data_url_of(make_png(1)))
    site.migrate()
    key = site.item("a").object_key
    site.memory.upload(key, make_png(2), overwrite=True)
    app.set("a", image_url=data_url_of(make_png(1)) + "\n")
    site.migrate()
    assert site.state("a") == (ItemState.QUARANTINED, Reason.OBJECT_DIFFERS)
    assert site.memory.download(key) == make_png(2)
    assert app.row("a")["image_url"] == data_url_of(make_png(1)) + "\n"


@pytest.mark.parametrize(("data", "state"), [
    (make_png(1), ItemState.PUBLISHED),
    (make_png(2), ItemState.QUARANTINED),
])  # fmt: skip
def test_a_row_that_points_at_a_multipart_object_is_judged_by_its_bytes(site, app, monkeypatch, data, state):
    """The old migrator uploaded in parts: such an ETag is no MD5."""
    key = "images/gen-z/1-a.png"
    site.memory.upload(key, make_png(1))
    head = site.memory.head
    in_parts = lambda asked: (found := head(asked)) and type(found)(**{  # noqa: E731 - one expression, used once
        **{name: getattr(found, name) for name in found.__slots__}, "etag": f"{found.etag}-2"
    })  # fmt: skip
    monkeypatch.setattr(site.memory, "head", in_parts)
    app.add("a", image_data=base64_of(data), image_url=f"{PUBLIC_URL}/{key}")
    foretold = site.foretold()
    assert site.report() == {**foretold, "dry_run": False}
    assert site.state("a")[0] is state
