"""Each condition alone makes the verdict what it is: no evidence is overlooked, and what is unknown is not fine."""

from dataclasses import replace

import pytest

from z_interact_assets.core.models import ItemState
from z_interact_assets.core.records import LeaseHolder, ProofSummary
from z_interact_assets.verdict import judge
from z_interact_assets.verdict.evidence import BucketEvidence, Evidence, PublicEvidence, TableEvidence

NOW_MS = 1_760_000_000_000
TABLE = TableEvidence(rows=5, unaddressable=0, unplanned=0)
BUCKET = BucketEvidence(objects=5, missing=0, corrupted=0, misdirected=0, shared=0)
PROOFS = ProofSummary(objects=5, unproved=0, stale=0, oldest=NOW_MS - 1_000)
HOLDER = LeaseHolder(
    holder_id="h", operation="migrate", run_id=None, host="here", pid=7, process_started_at=0, since=0,
    expires_at=NOW_MS + 1,
)  # fmt: skip
FINE = Evidence(
    at=NOW_MS, table=TABLE, states={ItemState.RECLAIMED: 5}, proofs=PROOFS, fresh_since=NOW_MS - 10_000,
    reclaimed_without_undo=0, at_work=(), bucket=BUCKET, public=PublicEvidence(checked=5, served=5, silent=0),
)  # fmt: skip


def test_it_is_safe_if_all_is_fine():
    verdict = judge(FINE)
    assert verdict.is_safe
    assert all(condition.holds is True for condition in verdict.conditions)
    assert all(condition["remedy"] == "" for condition in verdict.to_json()["conditions"])


FALSE = {
    "a row has base64": ("no_row_holds_base64", {"table": replace(TABLE, holders={ItemState.PUBLISHED: 1})}),
    "a bad row has text": ("no_row_holds_base64", {"table": replace(TABLE, holders={ItemState.QUARANTINED: 1})}),
    "a row nobody knows has text": ("no_row_holds_base64", {"table": replace(TABLE, holders={None: 1})}),
    "a row without an id": ("every_row_was_looked_at", {"table": replace(TABLE, unaddressable=1)}),
    "a row is not planned": ("no_image_waits", {"table": replace(TABLE, unplanned=1)}),
    "an image is planned": ("no_image_waits", {"states": {ItemState.PLANNED: 1}}),
    "an image failed": ("no_image_waits", {"states": {ItemState.FAILED: 1}}),
    "an image is half-way": ("no_image_waits", {"states": {ItemState.STORED: 1}}),
    "an object was never read": ("every_byte_is_proved", {"proofs": replace(PROOFS, unproved=1)}),
    "a proof is old": ("every_byte_is_proved", {"proofs": replace(PROOFS, stale=1)}),
    "an undo record is lost": ("every_text_can_be_rebuilt", {"reclaimed_without_undo": 1}),
    "an object is missing": ("bucket_matches", {"bucket": replace(BUCKET, missing=1)}),
    "an object differs": ("bucket_matches", {"bucket": replace(BUCKET, corrupted=1)}),
    "a row points elsewhere": ("bucket_matches", {"bucket": replace(BUCKET, misdirected=1)}),
    "an object has two rows": ("bucket_matches", {"bucket": replace(BUCKET, shared=1)}),
    "a public URL serves something else": (
        "public_urls_serve_the_images", {"public": PublicEvidence(checked=5, served=4, silent=0)},
    ),
    "a run is at work": ("no_run_is_at_work", {"at_work": (HOLDER,)}),
}  # fmt: skip


@pytest.mark.parametrize("name", FALSE)
def test_one_false_condition_is_enough(name):
    condition, change = FALSE[name]
    verdict = judge(replace(FINE, **change))
    assert not verdict.is_safe
    assert verdict.found_false
    (false,) = [found for found in verdict.conditions if not found.holds]
    assert (false.name, false.holds) == (condition, False)
    assert false.remedy


UNKNOWN = {
    "the bucket": {"bucket": None},
    "the public URLs": {"public": None},
    "one public URL": {"public": PublicEvidence(checked=5, served=4, silent=1)},
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_could_not_be_asked_is_not_fine_and_not_false(name):
    verdict = judge(replace(FINE, **UNKNOWN[name]))
    assert not verdict.is_safe
    assert not verdict.found_false
    (unknown,) = [found for found in verdict.conditions if not found.holds]
    assert (unknown.holds, unknown.proved_at) == (None, None)


def test_rows_with_base64_are_told_by_state_with_what_to_do():
    holders = {ItemState.PUBLISHED: 3, ItemState.ROLLED_BACK: 2, None: 1}
    condition = judge(replace(FINE, table=replace(TABLE, holders=holders))).conditions[0]
    assert "3 published, 2 rolled_back, 1 unknown to the ledger" in condition.evidence
    assert "reclaim --all-due" in condition.remedy
    assert "migrate --rolled-back" in condition.remedy
