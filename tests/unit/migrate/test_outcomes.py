"""The arithmetic of a run's totals and its report."""

import json

import pytest

from z_interact_assets.core.models import ItemState
from z_interact_assets.core.reasons import Reason
from z_interact_assets.core.records import StoredRecord, WorkItem
from z_interact_assets.execution.progress import Progress
from z_interact_assets.migrate import outcomes
from z_interact_assets.migrate.outcomes import Outcome, Totals, error_entry, final

FIELDS = [
    "planned", "migrated", "already_stored", "quarantined", "conflicts", "failed", "skipped", "bytes_uploaded",
    "objects_written", "batches", "large_images", "duration_seconds", "dry_run", "errors",
]  # fmt: skip


def item(image_id: str = "a") -> WorkItem:
    return WorkItem(item_id=1, image_id=image_id, batch_key="b000001", state=ItemState.PLANNED, attempts=0)


def outcome(
    state: ItemState, reason: Reason | None = None, *, image_id: str = "a", created: int = 0, size: int = 0
) -> Outcome:
    return Outcome(
        item=item(image_id), final=final(item(image_id), state, reason), created=created, uploaded_bytes=size
    )


@pytest.mark.parametrize(("state", "created", "counted"), [
    (ItemState.PUBLISHED, 1, "migrated"),
    (ItemState.PUBLISHED, 2, "migrated"),
    (ItemState.PUBLISHED, 0, "already_stored"),
    (ItemState.ALREADY_IN_R2, 0, "already_stored"),
    (ItemState.QUARANTINED, 0, "quarantined"),
    (ItemState.CONFLICT, 1, "conflicts"),
    (ItemState.FAILED, 0, "failed"),
    (ItemState.LOCAL_ONLY, 0, "skipped"),
    (ItemState.EXTERNAL, 0, "skipped"),
    (ItemState.IMAGELESS, 0, "skipped"),
])  # fmt: skip
def test_each_image_is_counted_in_exactly_one_place(state, created, counted):
    totals = Totals(planned=1)
    totals.add(outcome(state, created=created, size=10 * created))
    report = totals.report(duration_seconds=1.23456, dry_run=False)
    assert {name for name in FIELDS[1:7] if report[name]} == {counted}
    assert totals.done == 1
    assert (report["objects_written"], report["bytes_uploaded"]) == (created, 10 * created)
    assert report["duration_seconds"] == 1.235


def test_the_report_has_the_fields_scripts_rely_on_in_their_order():
    report = Totals().report(duration_seconds=0, dry_run=True)
    assert list(report) == FIELDS
    assert json.loads(json.dumps(report)) == report


def test_errors_are_sorted_and_say_reason_and_sentence():
    totals = Totals()
    for image_id, state, reason in (
        ("b", ItemState.FAILED, Reason.STORAGE_UNAVAILABLE), ("a", ItemState.CONFLICT, Reason.ROW_CHANGED),
        ("c", ItemState.QUARANTINED, Reason.EMPTY), ("d", ItemState.PUBLISHED, None),
    ):  # fmt: skip
        totals.add(outcome(state, reason, image_id=image_id))
    errors = totals.report(duration_seconds=0, dry_run=False)["errors"]
    assert [(error["image_id"], error["reason"]) for error in errors] == [
        ("a", "row_changed"), ("b", "storage_unavailable"), ("c", "empty"),
    ]  # fmt: skip
    assert errors[2]["message"] == Reason.EMPTY.sentence


def test_the_list_of_errors_is_bounded_and_the_counts_are_whole(monkeypatch):
    monkeypatch.setattr(outcomes, "MAX_LISTED_ERRORS", 3)
    totals = Totals()
    for n in range(10):
        totals.add(outcome(ItemState.FAILED, Reason.STORAGE_UNAVAILABLE, image_id=str(n)))
    assert (len(totals.errors), totals.failed) == (3, 10)


def test_a_detail_stands_behind_the_sentence():
    assert error_entry("a", Reason.EMPTY, "image_data")["message"] == f"{Reason.EMPTY.sentence} (image_data)"
    assert error_entry("a", None, "") == {"image_id": "a", "reason": "", "message": ""}


def test_a_settled_outcome_lets_its_payload_go():
    stored = StoredRecord(item_id=1, source="image_data", object_key="k", objects=())
    settled = Outcome(item=item(), final=final(item(), ItemState.PUBLISHED), stored=stored, sha256="5" * 64)
    settled.drop_payload()
    assert (settled.stored, settled.change, settled.sha256) == (None, None, "5" * 64)


def test_progress_tells_rate_and_time_left():
    progress = Progress(done=250, total=1_000, bytes=5_000_000, seconds=10.0, in_flight=4, window=7)
    assert (progress.rate, progress.eta_seconds) == (25.0, 30.0)
    assert str(progress) == "250 of 1,000 images, 5.0 MB, 25.0 images/s, 30 s to go (4 of 7 uploads in flight)"


def test_progress_without_a_rate_has_no_end_in_sight():
    progress = Progress(done=0, total=10, bytes=0, seconds=0.0, in_flight=0, window=5)
    assert (progress.rate, progress.eta_seconds) == (0.0, None)
    assert "to go" not in str(progress)
