"""What a row is by its head, what planning makes of it, and the arithmetic of batches."""

import pytest

from z_interact_assets.core.models import PENDING_STATES, ItemState
from z_interact_assets.core.planning import (
    ASIDE_STATES,
    COMFORTABLE_BATCHES,
    MAX_BATCHES,
    Decision,
    HeadKind,
    Rules,
    TooManyBatchesError,
    advised_batch_size,
    aside_reason,
    batch_count,
    batch_key,
    classify_head,
    decide,
    needs_batch,
)
from z_interact_assets.core.reasons import Reason
from z_interact_assets.core.records import KnownItem
from z_interact_assets.core.rows import RowHead
from z_interact_assets.core.urls import KnownBases

BASES = KnownBases("https://img.example.com", ("https://old.example.com/images-bucket",), bucket="z-interact-images")
RULES = Rules(BASES)
R2_URL = "https://img.example.com/images/p/1-a.png"


def head(data: int | None = None, url: str | None = None, status: str | None = None) -> RowHead:
    return RowHead(id="a", data_bytes=data, url_bytes=None if url is None else len(url), url_head=url, status=status)


@pytest.mark.parametrize(("row", "kind"), [
    (head(4), HeadKind.EMBEDDED),
    (head(4, "/images/x.jpg"), HeadKind.EMBEDDED),
    (head(4, "data:image/png;base64"), HeadKind.EMBEDDED),
    (head(4, R2_URL), HeadKind.EMBEDDED),
    (head(4, "https://example.net/a.png"), HeadKind.EMBEDDED),
    (head(0), HeadKind.EMBEDDED),  # set but empty: somebody should hear of it
    (head(0, ""), HeadKind.EMBEDDED),
    (head(0, "data:image/png;base64"), HeadKind.DATA_URL),
    (head(0, R2_URL), HeadKind.ON_R2),
    (head(None, "data:image/png;base64"), HeadKind.DATA_URL),
    (head(None, " DATA:image/png;base64"), HeadKind.DATA_URL),
    (head(None, "/images/x.jpg"), HeadKind.LOCAL),
    (head(None, R2_URL), HeadKind.ON_R2),
    (head(None, "https://old.example.com/images-bucket/images/p/1-a.png"), HeadKind.ON_R2),
    (head(None, f"https://pub-{'0' * 32}.r2.dev/images/p/1-a.png"), HeadKind.ON_R2),
    (head(None, "https://abc.r2.cloudflarestorage.com/z-interact-images/images/p/1-a.png"), HeadKind.ON_R2),
    (head(None, "https://r2.example.org/images/p/1-a.png"), HeadKind.EXTERNAL),
    (head(None, "https://picsum.photos/1"), HeadKind.EXTERNAL),
    (head(None, "blob:https://x"), HeadKind.UNRECOGNISED),
    (head(None, "/etc/passwd"), HeadKind.UNRECOGNISED),
    (head(None, None, "completed"), HeadKind.IMAGELESS),
    (head(None, "", "completed"), HeadKind.IMAGELESS),
    (head(None, "image_url", "status"), HeadKind.IMAGELESS),
    (head(None, None, None), HeadKind.IMAGELESS),
    (head(None, None, "failed"), HeadKind.UNFINISHED),
    (head(None, "", " Generating\n"), HeadKind.UNFINISHED),
    (head(None, "https://picsum.photos/1", "failed"), HeadKind.EXTERNAL),
])  # fmt: skip
def test_a_row_is_what_its_head_says(row, kind):
    assert classify_head(row, BASES) is kind


def test_every_kind_is_work_or_aside_or_nobodys_problem():
    work = {kind for kind in HeadKind if needs_batch(kind, RULES)}
    assert work == {HeadKind.EMBEDDED, HeadKind.DATA_URL, HeadKind.ON_R2, HeadKind.UNRECOGNISED}
    assert work | set(ASIDE_STATES) | {HeadKind.UNFINISHED} == set(HeadKind)
    assert needs_batch(HeadKind.LOCAL, Rules(BASES, static_files=True))


def known(state: ItemState, row: RowHead | None = None, *, batch: str | None = "b000001") -> KnownItem:
    return KnownItem(
        item_id=1, image_id="a", state=state, reason=None, fingerprint=None if row is None else row.fingerprint,
        batch_key=batch,
    )  # fmt: skip


WORK, EXTERNAL = head(4), head(None, "https://picsum.photos/1")
LOCAL, UNFINISHED = head(None, "/images/a.jpg"), head(None, None, "failed")


@pytest.mark.parametrize(("row", "item", "decision"), [
    (WORK, None, Decision.BATCH),
    (EXTERNAL, None, Decision.SET_ASIDE),
    (LOCAL, None, Decision.SET_ASIDE),
    (UNFINISHED, None, Decision.FORGET),
    (WORK, known(ItemState.PUBLISHED, WORK), Decision.LEAVE),
    (head(5), known(ItemState.PUBLISHED, WORK), Decision.PLAN_AGAIN),
    (WORK, known(ItemState.QUARANTINED, WORK), Decision.LEAVE),
    (head(5), known(ItemState.QUARANTINED, WORK), Decision.PLAN_AGAIN),
    (WORK, known(ItemState.CONFLICT), Decision.PLAN_AGAIN),
    (WORK, known(ItemState.ROLLED_BACK, WORK), Decision.LEAVE),
    (head(5), known(ItemState.ROLLED_BACK, WORK), Decision.PLAN_AGAIN),
    (WORK, known(ItemState.EXTERNAL, EXTERNAL, batch=None), Decision.BATCH),
    (EXTERNAL, known(ItemState.EXTERNAL, EXTERNAL, batch=None), Decision.LEAVE),
    (EXTERNAL, known(ItemState.PUBLISHED, WORK), Decision.SET_ASIDE),
    (UNFINISHED, known(ItemState.CONFLICT), Decision.FORGET),
])  # fmt: skip
def test_a_decision_hangs_on_the_row_and_what_is_known_of_it(row, item, decision):
    assert decide(row, item, RULES) is decision


@pytest.mark.parametrize("state", sorted(PENDING_STATES))
@pytest.mark.parametrize("row", [WORK, head(99), EXTERNAL])
def test_what_a_run_has_in_hand_is_left(state, row):
    assert decide(row, known(state, WORK), RULES) is Decision.LEAVE


def test_local_rows_become_work_once_there_is_a_static_folder():
    item = known(ItemState.LOCAL_ONLY, LOCAL, batch=None)
    assert decide(LOCAL, item, RULES) is Decision.LEAVE
    assert decide(LOCAL, item, Rules(BASES, static_files=True)) is Decision.BATCH
    again = known(ItemState.LOCAL_ONLY, LOCAL)
    assert decide(LOCAL, again, Rules(BASES, static_files=True)) is Decision.LEAVE  # looked for there, and not found


def test_only_an_imageless_row_needs_a_reason_to_be_set_aside():
    assert aside_reason(HeadKind.IMAGELESS) is Reason.COMPLETED_WITHOUT_IMAGE
    assert aside_reason(HeadKind.EXTERNAL) is None


def test_batch_keys_sort_as_their_numbers_do():
    keys = [batch_key(number) for number in (1, 2, 10, 999, MAX_BATCHES)]
    assert keys[0] == "b000001"
    assert keys == sorted(keys)


@pytest.mark.parametrize(("rows", "size", "batches"), [(0, 10, 0), (1, 10, 1), (10, 10, 1), (11, 10, 2), (7, 1, 7)])
def test_as_many_batches_as_it_takes(rows, size, batches):
    assert batch_count(rows, size) == batches


@pytest.mark.parametrize("rows", [0, 1, 1_999, 2_000, 2_001, 50_001, 10_000_000])
def test_the_advised_size_makes_a_comfortable_number_of_batches(rows):
    size = advised_batch_size(rows)
    assert size >= 1
    assert batch_count(rows, size) <= COMFORTABLE_BATCHES


def test_too_many_batches_carry_the_size_that_would_do():
    error = TooManyBatchesError(50_001, 26)
    assert (error.batches, error.batch_size) == (50_001, 26)
    assert "MIGRATION_BATCH_SIZE=26" in str(error)
    assert "50,001" in str(error)
