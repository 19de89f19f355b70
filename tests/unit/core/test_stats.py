"""Counts, whether they add up, and the score that is made of them."""

import pytest

from z_interact_assets.core.models import ItemState
from z_interact_assets.core.rows import RowHead
from z_interact_assets.core.stats import BucketCounts, HealthStatus, TableCounts, health, stats_document
from z_interact_assets.core.urls import KnownBases

BASES = KnownBases("https://img.example.com")
R2_URL = "https://img.example.com/images/p/1-a.png"


def bucket(objects: int = 10, *, orphans: int = 0, missing: int = 0) -> BucketCounts:
    return BucketCounts(objects=objects, bytes=100, known=objects - orphans, orphans=orphans, missing=missing)


def table(**counts: int) -> TableCounts:
    return TableCounts(total=sum(counts.values()), **counts)


@pytest.mark.parametrize(("data", "url", "status", "name", "base64_bytes"), [
    (8, None, None, "base64", 8),
    (8, "/images/a.jpg", None, "base64", 8),
    (8, R2_URL, None, "mixed", 8),
    (None, "data:image/png;base64", None, "base64", 21),
    (None, R2_URL, None, "r2", 0),
    (None, "/images/a.jpg", None, "local", 0),
    (None, "https://picsum.photos/1", None, "external", 0),
    (None, None, "completed", "imageless", 0),
    (None, None, "generating", "unfinished", 0),
    (None, "blob:x", None, "unrecognised", 0),
])  # fmt: skip
def test_each_row_is_counted_in_one_class(data, url, status, name, base64_bytes):
    counts = TableCounts()
    size = None if url is None else len(url)
    counts.add(RowHead(id="a", data_bytes=data, url_bytes=size, url_head=url, status=status), BASES)
    assert (counts.total, getattr(counts, name), counts.base64_bytes) == (1, 1, base64_bytes)
    assert counts.reconciles


def test_classes_that_do_not_add_up_are_noticed():
    counts = table(r2=2, base64=1)
    assert counts.reconciles
    counts.total += 1
    assert not counts.reconciles


@pytest.mark.parametrize(("counts", "objects", "states", "score", "status"), [
    (table(r2=10), bucket(), {}, 100, HealthStatus.GOOD),
    (table(), bucket(0), {}, 100, HealthStatus.GOOD),
    (table(imageless=3, external=2), bucket(0), {}, 100, HealthStatus.GOOD),
    (table(r2=5, mixed=4, base64=1), bucket(), {}, 90, HealthStatus.GOOD),
    (table(r2=6, base64=4), bucket(), {}, 60, HealthStatus.FAIR),
    (table(r2=59, base64=41), bucket(), {}, 59, HealthStatus.POOR),
    (table(base64=10), bucket(0), {}, 0, HealthStatus.POOR),
    (table(r2=10), bucket(missing=1), {}, 70, HealthStatus.FAIR),
    (table(r2=10), bucket(orphans=2), {}, 95, HealthStatus.GOOD),
    (table(r2=10), bucket(orphans=1, missing=1), {}, 65, HealthStatus.FAIR),
    (table(r2=5, base64=5), bucket(), {ItemState.QUARANTINED: 5}, 40, HealthStatus.POOR),
    (table(base64=10), bucket(missing=1), {ItemState.QUARANTINED: 10}, 0, HealthStatus.POOR),
    (table(r2=10), None, {}, None, HealthStatus.UNKNOWN),
])  # fmt: skip
def test_the_score_follows_the_shares(counts, objects, states, score, status):
    found = health(counts, objects, states)
    assert (found.score, found.status) == (score, status)


def test_each_issue_comes_with_a_command_and_none_twice():
    found = health(
        table(r2=1, base64=12), bucket(orphans=3, missing=2), {ItemState.QUARANTINED: 4, ItemState.FAILED: 2}
    )
    assert len(found.issues) == 5
    assert any(issue.startswith("8 images are still base64") for issue in found.issues)
    assert len(found.recommendations) == len(set(found.recommendations)) == 3
    assert all(command.startswith("z-interact-assets ") for command in found.recommendations)


def test_quarantined_images_are_not_counted_as_waiting_too():
    found = health(table(base64=4), bucket(0), {ItemState.QUARANTINED: 4})
    assert not any("still base64" in issue for issue in found.issues)


def test_all_is_well_says_nothing():
    found = health(table(r2=10), bucket(), {ItemState.PUBLISHED: 10})
    assert (found.issues, found.recommendations) == ((), ())


def test_the_document_has_the_fields_scripts_rely_on():
    document = stats_document(table(r2=1, mixed=2), bucket(3), {ItemState.QUARANTINED: 1}, generated_at="now")
    assert set(document) >= {
        "total_images", "r2_images", "base64_images", "mixed_images", "imageless_images", "external_images",
        "quarantined_images", "r2_objects", "r2_bytes", "base64_bytes", "orphan_objects", "missing_objects", "health",
        "generated_at",
    }  # fmt: skip
    assert set(document["health"]) == {"status", "score", "issues", "recommendations"}
    assert (document["total_images"], document["r2_images"], document["mixed_images"]) == (3, 1, 2)
    assert (document["r2_objects"], document["quarantined_images"], document["generated_at"]) == (3, 1, "now")


def test_what_only_a_listing_tells_is_unknown_without_one():
    document = stats_document(table(r2=1), None, {}, generated_at="now")
    assert {document[name] for name in ("r2_objects", "r2_bytes", "orphan_objects", "missing_objects")} == {None}
    assert (document["health"]["status"], document["health"]["score"]) == ("unknown", None)
