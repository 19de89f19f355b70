"""100,000 rows in every state: each total is what an independent count finds, to the unit.

A few dozen rows went through a real migration and a real rollback. The rest of table, ledger and bucket was inserted in
bulk: 100,000 uploads would take half an hour. The bucket is listed over HTTP by the real client, page by page. The same
with 10,000 rows is the cheaper one.
"""

from contextlib import closing
from types import SimpleNamespace

import pytest

from tests.integration.stats import counting, crowd
from tests.support.listed_bucket import list_all, listed_bucket
from tests.support.sites import NOW_MS, PUBLIC_URL, Site
from tests.support.tables import AppTable
from z_interact_assets.inventory import take_inventory
from z_interact_assets.stats import Sources, Terms, collect_stats
from z_interact_assets.storage.objects import R2Config, R2Store

pytestmark = pytest.mark.slow

SOAK_MS = 7 * 86_400_000
MEASURES = ("images", "r2_images", "base64_images", "bytes", "base64_bytes")


@pytest.fixture(scope="module", params=[10_000, pytest.param(100_000, marks=pytest.mark.exhaustive)])
def both(request, tmp_path_factory):
    """The document, and the other count."""
    folder = tmp_path_factory.mktemp("crowd")
    with closing(Site(folder, AppTable(folder / "local.db"))) as site:
        objects = crowd.fill(site, request.param)
        frames: list[int] = []
        with listed_bucket(objects) as endpoint:
            config = R2Config(
                endpoint_url=endpoint, access_key_id="id", secret_access_key="secret", bucket="bucket",
                public_url=PUBLIC_URL,
            )  # fmt: skip
            with closing(R2Store.from_config(config)) as store:
                bucket = take_inventory(store, site.table, site.ledger, site.bases).counts()
            listed = list_all(endpoint)
        sources = Sources(table=site.table, ledger=site.ledger, bases=site.bases, terms=Terms(soak_ms=SOAK_MS))
        document = collect_stats(sources, bucket, now_ms=NOW_MS, each_frame=lambda frame: frames.append(len(frame)))
        counted = counting.count(site.app.path, site.ledger_path, listed, now_ms=NOW_MS, soak_ms=SOAK_MS)
        yield SimpleNamespace(rows=request.param, document=document, counted=counted, frames=frames)


def test_every_row_is_counted_once_and_in_its_class(both):
    assert both.document["total_images"] == both.rows == sum(both.frames)
    assert max(both.frames) <= 20_500
    classes = {name: both.document[f"{name}_images"] for name in both.counted["classes"]}
    assert classes == both.counted["classes"]
    assert len(classes) == 8
    assert both.document["base64_bytes"] == both.counted["text"]


def test_states_and_reasons_are_all_there(both):
    names = ("states", "quarantine", "failures")
    assert {name: both.document[name] for name in names} == {name: both.counted[name] for name in names}
    assert both.counted["states"].keys() >= {
        "planned", "stored", "published", "reclaimed", "quarantined", "conflict", "failed", "rolled_back", "external",
        "imageless", "local_only", "already_in_r2",
    }  # fmt: skip


def test_the_bucket_is_what_the_other_listing_found(both):
    document, counted = both.document, both.counted
    assert (document["r2_objects"], document["r2_bytes"]) == counted["bucket"]
    assert document["r2_objects"] > 0.6 * both.rows
    found = tuple(document[name] for name in ("missing_objects", "orphan_objects", "corrupted_objects"))
    assert found == (counted["missing"], counted["orphans"], counted["corrupted"])
    assert all(found)
    assert document["known_objects"] == document["r2_objects"] - document["orphan_objects"]
    assert (document["misdirected_images"], document["shared_objects"]) == (0, 0)


@pytest.mark.parametrize("breakdown", ["persona", "session", "provider", "type", "month", "size", "dimensions"])
def test_breakdowns_agree_group_by_group(both, breakdown):
    counted = both.counted["groups"][breakdown]
    groups = both.document["breakdowns"][breakdown]
    named = {group["value"]: tuple(group[name] for name in MEASURES) for group in groups if group["group"] != "rest"}
    assert named == {value: counted[value] for value in named}
    rest = [tuple(group[name] for name in MEASURES) for group in groups if group["group"] == "rest"]
    others = [sums for value, sums in counted.items() if value not in named]
    assert rest == ([tuple(map(sum, zip(*others, strict=True)))] if others else [])
    if rest and breakdown != "month":
        assert min(sums[0] for sums in named.values()) >= max(sums[0] for sums in others)


def test_what_may_be_cleared_was_cleared_and_is_wasted(both):
    database, counted = both.document["database"], both.counted
    assert (database["reclaimable_bytes"], database["reclaimable_now_bytes"]) == counted["reclaimable"]
    assert database["reclaimed_bytes"] == counted["reclaimed"]
    assert tuple(both.document["duplicates"].values()) == counted["duplicates"]
    assert counted["duplicates"][1] > both.rows / 100


def test_throughput_agrees_day_by_day(both):
    days = {day["day"]: tuple(day.values())[1:] for day in both.document["throughput"]}
    assert days == both.counted["days"]
    assert len(days) == 90
    assert list(days) == sorted(days)


def test_growth_is_that_of_the_rows(both):
    images, size, text = both.counted["new"]
    growth = both.document["growth"]
    assert growth["images_per_day"] == round(images / 28, 2)
    assert growth["bytes_per_day"] == round(size / 28)
    assert growth["database_bytes_per_day"] == round(text / 28)


def test_costs_follow_from_what_was_counted(both):
    document, (objects, size) = both.document, both.counted["bucket"]
    now = document["costs"]["now"]
    assert now["r2_storage"] == pytest.approx(size / 1e9 * 0.015, abs=1e-6)
    used = document["database"]["bytes"] - document["database"]["free_bytes"]
    assert now["database"] == pytest.approx(used / 1e9 * 0.75, abs=1e-6)
    assert now["r2_class_a"] > 30 * -(-objects // 1_000) / 1e6 * 4.5
    assert document["costs"]["all_in_r2"]["database"] < now["database"] < document["costs"]["all_base64"]["database"]
