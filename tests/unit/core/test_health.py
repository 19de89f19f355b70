"""The score, the findings, and whether each helps somebody."""

import re

import pytest

from z_interact_assets.core.advice import ADVICE, Severity
from z_interact_assets.core.health import HealthStatus, Situation, health
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.stats import BucketCounts, TableCounts

MB = 10**6
GRAVEST_FIRST = list(Severity)


def bucket(objects: int = 10, *, orphans: int = 0, missing: int = 0, **more: int) -> BucketCounts:
    return BucketCounts(
        objects=objects, bytes=100, known=objects - orphans, orphans=orphans, missing=missing,
        **({"corrupted": 0, "misdirected": 0, "shared": 0} | more),
    )  # fmt: skip


def table(**counts: int) -> TableCounts:
    return TableCounts(total=sum(counts.values()), **counts)


def judge(counts: TableCounts | None = None, listed: BucketCounts | None = None, **more):
    return health(Situation(table=counts or table(r2=10), bucket=listed or bucket(), **more))


def codes(found) -> list[str]:
    return [finding.code for finding in found.findings]


@pytest.mark.parametrize(("counts", "listed", "states", "score", "status"), [
    (table(r2=10), bucket(), {}, 100, HealthStatus.GOOD),
    (table(), bucket(0), {}, 100, HealthStatus.GOOD),
    (table(imageless=3, external=2), bucket(0), {}, 100, HealthStatus.GOOD),
    (table(r2=5, mixed=4, base64=1), bucket(), {}, 90, HealthStatus.GOOD),
    (table(r2=6, base64=4), bucket(), {}, 60, HealthStatus.FAIR),
    (table(r2=59, base64=41), bucket(), {}, 59, HealthStatus.POOR),
    (table(base64=10), bucket(0), {}, 0, HealthStatus.POOR),
    (table(base64=10, external=90), bucket(0), {}, 0, HealthStatus.POOR),
    (table(r2=10), bucket(missing=1), {}, 70, HealthStatus.FAIR),
    (table(r2=10), bucket(corrupted=1), {}, 70, HealthStatus.FAIR),
    (table(r2=10), bucket(missing=1, corrupted=1), {}, 70, HealthStatus.FAIR),
    (table(r2=10), bucket(orphans=2), {}, 95, HealthStatus.GOOD),
    (table(r2=10), bucket(misdirected=2, shared=1), {}, 100, HealthStatus.GOOD),
    (table(r2=10), bucket(orphans=1, missing=1), {}, 65, HealthStatus.FAIR),
    (table(r2=5, base64=5), bucket(), {ItemState.QUARANTINED: 5}, 40, HealthStatus.POOR),
    (table(base64=10), bucket(missing=1), {ItemState.QUARANTINED: 10}, 0, HealthStatus.POOR),
])  # fmt: skip
def test_the_score_follows_the_documented_formula(counts, listed, states, score, status):
    found = judge(counts, listed, states=states)
    assert (found.score, found.status) == (score, status)


def test_without_a_listing_nothing_is_scored_and_what_to_do_is_told():
    found = health(Situation(table=table(r2=10), bucket=None))
    assert (found.score, found.status) == (None, HealthStatus.UNKNOWN)
    assert codes(found) == ["bucket_not_listed"]
    assert found.recommendations == ["z-interact-assets doctor"]


@pytest.mark.parametrize(("size", "limit", "days", "score"), [
    (90 * MB, 100 * MB, None, 100),
    (91 * MB, 100 * MB, None, 90),
    (1 * MB, 100 * MB, 90, 90),
    (1 * MB, 100 * MB, 91, 100),
    (91 * MB, None, 5, 100),
    (None, 100 * MB, None, 100),
])  # fmt: skip
def test_a_database_that_fills_up_costs_ten(size, limit, days, score):
    found = judge(database_bytes=size, database_limit=limit, full_in_days=days)
    assert found.score == score
    assert codes(found) == (["database_filling_up"] if score < 100 else [])


def test_all_is_well_says_nothing():
    found = judge(states={ItemState.PUBLISHED: 10})
    assert (found.issues, found.recommendations, found.findings) == ([], [], ())


def everything():
    return judge(
        table(r2=1, mixed=5, base64=12, external=3, unrecognised=2),
        bucket(orphans=3, missing=2, corrupted=1, misdirected=4, shared=5),
        states={ItemState.QUARANTINED: 4, ItemState.FAILED: 2, ItemState.CONFLICT: 1},
        base64_states={"quarantined": 3, "rolled_back": 2},
        reclaimable_now=5,
        reclaimable_now_bytes=5 * MB,
        duplicates=7,
        duplicate_bytes=6,
        database_bytes=99,
        database_limit=100,
    )


def test_everything_that_can_be_wrong_is_told_gravest_first():
    found = everything()
    assert set(codes(found)) == set(ADVICE) - {"bucket_not_listed"}
    ranks = [GRAVEST_FIRST.index(finding.severity) for finding in found.findings]
    assert ranks == sorted(ranks)
    counts = {finding.code: finding.count for finding in found.findings}
    assert counts["still_base64"] == 12 - 3 - 2
    assert (counts["missing"], counts["shared"], counts["rolled_back"], counts["reclaimable"]) == (2, 5, 2, 5)


def test_issues_and_commands_come_from_the_findings_and_no_command_comes_twice():
    found = everything()
    assert found.issues == [finding.issue for finding in found.findings]
    assert set(found.recommendations) == {finding.command for finding in found.findings}
    assert len(set(found.recommendations)) == len(found.recommendations)
    assert "5 images in R2 still have their base64 in the database (5.0 MB)." in found.issues


def test_quarantined_images_are_not_counted_as_waiting_too():
    found = judge(table(base64=4), bucket(0), states={ItemState.QUARANTINED: 4}, base64_states={"quarantined": 4})
    assert codes(found) == ["quarantined"]


def test_a_few_duplicates_are_not_worth_a_word():
    assert codes(judge(duplicates=1, duplicate_bytes=5)) == []
    assert codes(judge(duplicates=1, duplicate_bytes=6)) == ["duplicates"]


@pytest.mark.parametrize("code", ADVICE)
def test_each_finding_has_a_command_and_plain_words(code):
    advice = ADVICE[code]
    assert advice.command.startswith("z-interact-assets ")
    assert advice.why.endswith(".")
    assert not re.search(r"\b(sha|etag|CAS|HEAD|scope|ledger|soak|batch|null)\b", advice.why)
    for sentence in (advice.issue(1, 10), advice.issue(1_234, 10)):
        assert sentence.endswith(".")
        assert "{" not in sentence
    if "base64" in advice.why.lower():
        assert "text" in advice.why


def test_one_is_told_as_one():
    assert judge(table(r2=1, base64=1)).issues == ["1 image is still base64 in the database."]
    assert judge(table(r2=1, base64=1_200)).issues == ["1,200 images are still base64 in the database."]
