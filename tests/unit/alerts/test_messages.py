"""The words of an alert: what failed, whether anything is lost, what to do; and nothing a stranger put in."""

import pytest

from z_interact_assets.alerts import FailedRun, WeekInNumbers, about_failure, about_week
from z_interact_assets.core.models import ItemState

UI = "https://dagster.example.com"


def failed(**changes: object) -> FailedRun:
    values: dict[str, object] = {"job": "migrate_images", "run_id": "run-1", "reason": "R2 has stopped answering."}
    return FailedRun(**{**values, **changes})  # type: ignore[arg-type]


def test_a_failed_migration_is_told_with_its_batches_and_what_to_do():
    told = about_failure(failed(first_batch="b000001", last_batch="b000120"), ui_url=UI)

    assert told.title == "migrate_images failed (batches b000001 to b000120)"
    assert told.sentences == (
        "R2 has stopped answering.",
        "Nothing is lost: what was finished is recorded, every other row holds its base64 as before.",
        "Mend the cause, then materialise the same batches again, or leave it to nightly_migration if that is on.",
    )
    assert told.link == "https://dagster.example.com/runs/run-1"


def test_one_batch_is_one():
    assert about_failure(failed(first_batch="b000007"), ui_url=UI).title.endswith("(batch b000007)")


def test_without_an_address_of_the_ui_the_run_is_named():
    told = about_failure(failed(), ui_url=None)

    assert told.link is None
    assert "run-1" in told.sentences[-1]


@pytest.mark.parametrize(("retries", "says"), [(0, ""), (1, "tried it again once"), (2, "tried it again 2 times")])
def test_retries_are_told(retries: int, says: str):
    assert says in about_failure(failed(retries=retries), ui_url=UI).sentences[0]


@pytest.mark.parametrize(
    "job", ["plan_batches", "reclaim_base64", "rollback_migration", "validate_migration", "a job of tomorrow"]
)
def test_every_job_says_that_nothing_is_lost_and_what_to_do(job: str):
    _, lost, advice = about_failure(failed(job=job), ui_url=UI).sentences

    assert lost.startswith("Nothing is lost")
    assert advice.startswith("Mend the cause")


def test_a_reason_is_one_line_and_not_endless():
    reason, *_ = about_failure(failed(reason="a\r\nBcc: x\x1b[31m" + "y" * 10_000), ui_url=UI).sentences

    assert reason.isprintable()
    assert len(reason) < 600


def test_the_week_is_summed_up():
    told = about_week(
        WeekInNumbers(
            states={ItemState.PUBLISHED: 1_200, ItemState.FAILED: 2, ItemState.PLANNED: 1, ItemState.ROLLED_BACK: 4},
            came_to={"published": 300, "quarantined": 5, "failed": 7, "stored": 300},
            bytes_stored=123_456_789,
            health="good",
            score=97,
            issues=("2 images failed in the last run.",),
        ),
        ui_url=UI,
    )

    assert told.title == "Weekly summary: 3 images wait"
    assert told.sentences == (
        "This week 300 images moved to R2 (123.5 MB), 5 set aside, 7 failed at least once, 0 reclaimed, 0 rolled back.",
        "Images now: 2 failed, 1 planned, 1,200 published, 4 rolled back.",
        "Health: good, 97 of 100.",
        "2 images failed in the last run.",
    )


def test_an_empty_week_has_a_summary_too():
    told = about_week(WeekInNumbers(states={}, came_to={}, bytes_stored=0), ui_url=None)

    assert told.title == "Weekly summary: nothing waits"
    assert told.sentences[1] == "No image is planned yet."
    assert told.link is None
