"""The dry run changes nothing and foretells exactly what the real run reports."""

import pytest

from tests.support.images import base64_of, data_url_of, make_png
from tests.support.sites import PUBLIC_URL
from tests.support.tables import contents
from z_interact_assets.core.costs import Prices
from z_interact_assets.core.models import ImageMetadata
from z_interact_assets.migrate.forecast import Forecaster, plan_document
from z_interact_assets.migrate.migration import Scope

OLD_KEY = "images/gen-z/1-old.png"


@pytest.fixture
def mixed(site, app):
    """Rows of every kind: some migrated, some planned, some new, some changed since; objects there, and other bytes."""
    ids = [f"{n:02}" for n in range(10)]
    app.add_many([{"id": row_id, "image_url": data_url_of(make_png(n))} for n, row_id in enumerate(ids)])
    site.batch_size = 3
    site.migrate(Scope(limit=5))  # b000001 whole, b000002 in part
    app.set("00", image_url=data_url_of(make_png(50)))  # planned again, in the first batch
    app.set("03", image_url="https://picsum.photos/1")
    app.add("a-bad", image_data=base64_of(make_png(20))[:40])
    app.add("b-old", image_url=f"{PUBLIC_URL}/{OLD_KEY}")
    app.add("c-gone", image_url=f"{PUBLIC_URL}/images/gen-z/2-gone.png")
    app.add("d-both", image_data=base64_of(make_png(21)), image_url=data_url_of(make_png(22)))
    app.add("e-other-bytes", image_url=data_url_of(make_png(23)))
    app.add("f-there", image_url=data_url_of(make_png(24)))
    app.add("g-external", image_url="https://picsum.photos/2")
    app.add("h-pointing", image_data=base64_of(make_png(25)), image_url=f"{PUBLIC_URL}/{OLD_KEY}")
    for shade, row_id in enumerate(("i", "j", "k", "l", "m"), start=30):
        app.add(row_id, image_data=base64_of(make_png(shade)))
    site.memory.upload(OLD_KEY, make_png(25))
    for row_id, data in (("e-other-bytes", make_png(99)), ("f-there", make_png(24))):
        prepared = site.engine.preparation.prepare(site.table.read(row_id))
        site.memory.upload(prepared.primary.key, data, metadata=ImageMetadata())
    return site


SCOPES = {
    "everything": Scope(),
    "limit 1": Scope(limit=1),
    "limit 4": Scope(limit=4),
    "limit 9": Scope(limit=9),
    "more than there is": Scope(limit=1000),
    "one batch": Scope(batch_keys=("b000001",)),
    "batches, some new": Scope(batch_keys=("b000002", "b000005", "b000007")),
    "images": Scope(image_ids=("00", "08", "d-both", "e-other-bytes", "nobody")),
    "images of a batch, limited": Scope(batch_keys=("b000002", "b000005"), image_ids=("05", "a-bad", "b-old"), limit=2),
}


@pytest.mark.parametrize("name", SCOPES)
def test_the_dry_run_equals_the_real_run_in_every_field(mixed, name):
    foretold = mixed.foretold(SCOPES[name])
    report = mixed.report(SCOPES[name])
    assert foretold == {**report, "dry_run": True}
    assert report["planned"] > 0


def test_the_whole_run_meets_every_outcome(mixed):
    report = mixed.report()
    assert (report["planned"], report["migrated"], report["already_stored"], report["quarantined"]) == (18, 12, 3, 3)
    assert [(error["image_id"], error["reason"]) for error in report["errors"]] == [
        ("a-bad", "truncated_image"), ("c-gone", "object_missing"), ("e-other-bytes", "object_differs"),
    ]  # fmt: skip
    other = mixed.memory.download(mixed.engine.preparation.prepare(mixed.table.read("e-other-bytes")).primary.key)
    assert other == make_png(99)


@pytest.mark.parametrize("scope", [Scope(), Scope(limit=4), Scope(image_ids=("00",))])
def test_the_dry_run_changes_neither_table_nor_ledger_nor_bucket(mixed, scope):
    listed, puts = list(mixed.memory.list()), mixed.memory.requests["put"]
    table, ledger = contents(mixed.app.path), contents(mixed.ledger_path)
    mixed.forecast(scope)
    assert (contents(mixed.app.path), contents(mixed.ledger_path)) == (table, ledger)
    assert list(mixed.memory.list()) == listed
    assert (mixed.memory.requests["put"], mixed.memory.requests["delete"]) == (puts, 0)


def test_a_forecast_of_the_plan_asks_the_bucket_nothing(mixed):
    mixed.plan()
    before = mixed.memory.requests.copy()
    forecast = Forecaster(mixed.engine, mixed.ledger, mixed.planner()).of_plan()
    assert mixed.memory.requests == before
    assert (forecast.images, forecast.already_in_r2, forecast.duplicates) == (15, 2, 0)
    assert forecast.quarantined == [{"image_id": "a-bad", "reason": "truncated_image"}]


def test_the_estimate_counts_what_the_run_then_writes(site, app):
    for row_id in ("a", "b", "c"):
        app.add(row_id, image_data=base64_of(make_png(1)))
    app.add("d", image_data=base64_of(make_png(2)), image_url=data_url_of(make_png(3)))
    plan = site.plan()
    forecast = Forecaster(site.engine, site.ledger, site.planner()).of_plan()
    document = plan_document(forecast, batches=plan.batches, images=plan.planned, external=0, imageless=0, skipped=0,
                             prices=Prices())  # fmt: skip
    assert (document["batches"], document["images"], document["duplicates"]) == (1, 4, 2)
    report = site.report()
    assert document["bytes"] == report["bytes_uploaded"] == sum(entry.size for entry in site.memory.list())
    assert document["estimate"]["class_a_operations"] == report["objects_written"] == 5
    freed = sum(len(text or "") for text in app.sql("SELECT image_data FROM images") for text in text)
    assert document["estimate"]["database_bytes_freed"] == freed + len(data_url_of(make_png(3)))


def test_a_quick_plans_document_leaves_open_what_only_payloads_tell():
    document = plan_document(None, batches=2, images=11, external=1, imageless=3, skipped=4,
                             prices=Prices())  # fmt: skip
    assert (document["batches"], document["images"], document["skipped"]) == (2, 11, 4)
    assert document["bytes"] is document["quarantined"] is document["duplicates"] is document["estimate"] is None
