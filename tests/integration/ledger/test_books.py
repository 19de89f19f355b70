"""What the ledger remembers: batches, work handed out, effects recorded, questions answered."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from z_interact_assets.core.models import ImageFormat, ItemState
from z_interact_assets.core.reasons import Reason
from z_interact_assets.core.records import NewItem, ObjectRecord, OutcomeRecord, StoredRecord

PENDING, DONE = ItemState.PLANNED, ItemState.PUBLISHED


def plan(ledger, *groups: str) -> list[str]:
    return ledger.planning.add_batches([group.split() for group in groups], now_ms=1)


def hand_out(ledger, *keys: str, **options):
    return list(ledger.work.hand_out(keys or ledger.planning.batch_keys(), now_ms=2, **options))


def ids(items) -> list[str]:
    return [item.image_id for item in items]


def an_object(key: str, *, role: str = "primary", sha256: str | None = "5" * 64, size: int = 10) -> ObjectRecord:
    return ObjectRecord(
        key=key, role=role, size=size, md5="a" * 32, sha256=sha256, etag="a" * 32, format=ImageFormat.PNG, width=3,
        height=2, content_type="image/png", proof="etag", created=True,
    )  # fmt: skip


def store(ledger, image_id: str, *objects: ObjectRecord, **more) -> None:
    record = StoredRecord(
        item_id=item_id(ledger, image_id), source="image_data", object_key=objects[0].key, objects=objects, **more
    )
    ledger.work.record_stored([record], now_ms=3, run_id="run")


def end(ledger, image_id: str, state: ItemState, reason: Reason | None = None, **more) -> None:
    outcome = OutcomeRecord(item_id=item_id(ledger, image_id), state=state, reason=reason, **more)
    ledger.work.record_outcomes([outcome], now_ms=4, run_id="run")


def item_id(ledger, image_id: str) -> int:
    return ledger.planning.known([image_id])[image_id].item_id


def test_batches_are_numbered_in_order_of_creation(ledger):
    assert plan(ledger, "a b", "c") == ["b000001", "b000002"]
    assert plan(ledger, "d") == ["b000003"]
    assert ledger.planning.batch_keys() == ["b000001", "b000002", "b000003"]
    assert ledger.planning.batch_count() == 3
    assert [item.image_id for item in ledger.ask.batch_items("b000001")] == ["a", "b"]


@pytest.mark.slow
def test_a_batch_of_many_thousand_images_is_written_in_one_go(ledger):
    plan(ledger, " ".join(f"{n:05}" for n in range(40_000)))
    plan(ledger, " ".join(f"{n:05}" for n in range(40_000, 40_010)))
    assert ledger.ask.batch("b000001").items == 40_000
    assert ledger.work.pending() == {"b000001": 40_000, "b000002": 10}


def test_images_set_aside_before_move_into_their_batch(ledger):
    ledger.planning.set_aside([NewItem(image_id="a", state=ItemState.LOCAL_ONLY, fingerprint="f")], now_ms=1)
    assert ledger.planning.known(["a", "nobody"])["a"].state is ItemState.LOCAL_ONLY
    before = item_id(ledger, "a")
    plan(ledger, "a b")
    known = ledger.planning.known(["a"])["a"]
    assert (known.item_id, known.state, known.fingerprint, known.batch_key) == (before, PENDING, None, "b000001")
    assert ids(hand_out(ledger)) == ["a", "b"]


def test_two_planners_at_once_make_different_batches(ledger):
    with ThreadPoolExecutor(4) as pool:
        keys = list(pool.map(lambda n: plan(ledger, f"{n}-a {n}-b")[0], range(20)))
    assert sorted(keys) == [f"b{n:06}" for n in range(1, 21)]
    assert all(len(states) == 1 for states in ledger.ask.batch_states().values())


def test_work_is_handed_out_once_a_run_in_the_order_of_its_batches(ledger, monkeypatch):
    monkeypatch.setattr("z_interact_assets.storage.ledger.work.PAGE_ITEMS", 2)
    plan(ledger, "a b c", "d", "e f", "g")
    assert ids(hand_out(ledger)) == ["a", "b", "c", "d", "e", "f", "g"]
    assert ids(hand_out(ledger, "b000003", "b000001")) == ["a", "b", "c", "e", "f"]
    for limit in range(8):
        assert ids(hand_out(ledger, limit=limit)) == list("abcdefg")[:limit]
    assert ids(hand_out(ledger, image_ids=["f", "b", "nobody"])) == ["b", "f"]
    assert ids(hand_out(ledger, "b000003", image_ids=["f", "b"], limit=1)) == ["f"]
    assert hand_out(ledger, "b000009") == []


def test_attempts_are_counted_before_work_is_handed_out_but_not_on_a_dry_run(ledger):
    plan(ledger, "a")
    assert [item.attempts for item in hand_out(ledger, dry_run=True)] == [0]
    assert [item.attempts for item in hand_out(ledger)] == [0]
    assert [item.attempts for item in hand_out(ledger)] == [1]


def test_only_pending_items_are_work(ledger):
    plan(ledger, "a b c d")
    end(ledger, "a", DONE)
    end(ledger, "b", ItemState.FAILED, Reason.STORAGE_UNAVAILABLE)
    store(ledger, "c", an_object("images/p/1-c.png"))
    end(ledger, "d", ItemState.QUARANTINED, Reason.EMPTY)
    work = hand_out(ledger)
    assert ids(work) == ["b", "c"]
    assert (work[1].state, work[1].object_key, work[1].md5, work[1].source) == (
        ItemState.STORED, "images/p/1-c.png", "a" * 32, "image_data",
    )  # fmt: skip
    assert ledger.work.pending() == {"b000001": 2}
    assert ledger.work.pending(["b000002"]) == {}
    assert ledger.work.pending(image_ids=["b"]) == {"b000001": 1}


def test_a_batch_is_summed_up_by_state_and_bytes(ledger):
    plan(ledger, "a b c")
    store(ledger, "a", an_object("images/p/1-a.png", size=7))
    end(ledger, "a", DONE)
    end(ledger, "b", ItemState.QUARANTINED, Reason.EMPTY)
    batch = ledger.ask.batch("b000001")
    assert (batch.items, batch.pending, batch.set_aside, batch.bytes) == (3, 1, 1, 7)
    assert ledger.ask.batch_states() == {"b000001": {DONE: 1, ItemState.QUARANTINED: 1, PENDING: 1}}
    assert ledger.ask.states() == {DONE: 1, ItemState.QUARANTINED: 1, PENDING: 1}
    assert ledger.ask.reasons() == {Reason.EMPTY: 1}


def test_an_outcome_replaces_the_last_ones_reason(ledger):
    plan(ledger, "a")
    end(ledger, "a", ItemState.FAILED, Reason.STORAGE_UNAVAILABLE, detail="it was gone")
    end(ledger, "a", DONE, fingerprint="f")
    item = ledger.ask.item("a")
    assert (item.state, item.reason, item.detail) == (DONE, None, "")
    assert ledger.planning.known(["a"])["a"].fingerprint == "f"


def test_events_are_only_ever_added(ledger):
    plan(ledger, "a")
    store(ledger, "a", an_object("images/p/1-a.png"))
    end(ledger, "a", ItemState.CONFLICT, Reason.ROW_CHANGED)
    ledger.planning.plan_again({item_id(ledger, "a"): "row_changed"}, now_ms=5, run_id="two")
    history = ledger.ask.history("a")
    assert [(event["event"], event["at"], event["run_id"]) for event in history] == [
        ("stored", 3, "run"), ("conflict", 4, "run"), ("planned_again", 5, "two"),
    ]  # fmt: skip
    assert history[0]["facts"][0]["key"] == "images/p/1-a.png"
    assert history[1]["facts"] == {"reason": "row_changed"}
    assert ledger.ask.work_ever_seen() == 2
    assert ledger.ask.history("nobody") == []


def test_an_object_seen_twice_keeps_its_first_owner_and_gets_the_newer_proof(ledger):
    plan(ledger, "a b")
    store(ledger, "a", an_object("images/p/1-x.png", sha256=None))
    store(ledger, "b", an_object("images/p/1-x.png"))
    ledger.work.record_proofs(["images/p/1-x.png"], proof="sha256", now_ms=9)
    assert [(found.key, found.size, found.image_id) for found in ledger.ask.recorded_objects()] == [
        ("images/p/1-x.png", 10, "a")
    ]
    assert [(item.object_key, item.sha256, item.proof) for item in ledger.ask.items()] == [
        ("images/p/1-x.png", "5" * 64, "sha256")
    ] * 2


def test_second_images_are_found_by_their_items(ledger):
    plan(ledger, "a b")
    other = an_object("images/p/1-b.png", role="alternate")
    store(ledger, "a", an_object("images/p/1-a.png"), other)
    assert ledger.ask.alternates([item_id(ledger, "a"), item_id(ledger, "b")]) == {item_id(ledger, "a"): [other]}


def test_duplicates_are_counted_with_the_bytes_they_waste(ledger):
    plan(ledger, "a b c d")
    for image_id, sha256 in zip("abcd", ("1" * 64, "1" * 64, "1" * 64, "2" * 64), strict=True):
        store(ledger, image_id, an_object(f"images/p/1-{image_id}.png", sha256=sha256, size=100))
    assert ledger.figures.duplicates() == (1, 2, 200)


def test_long_answers_come_in_pages(ledger, monkeypatch):
    monkeypatch.setattr("z_interact_assets.storage.ledger.questions.PAGE_ITEMS", 3)
    plan(ledger, " ".join(f"{n}" for n in range(10)))
    for n in range(7):
        store(ledger, str(n), an_object(f"images/p/1-{n}.png"))
        end(ledger, str(n), DONE)
    assert [item.image_id for item in ledger.ask.items()] == [str(n) for n in range(10)]
    assert len(list(ledger.ask.items([DONE]))) == 7
    assert [found.key for found in ledger.ask.recorded_objects()] == [f"images/p/1-{n}.png" for n in range(7)]
    assert ledger.ask.recorded_object("images/p/1-3.png") is not None
    assert ledger.ask.recorded_object("images/p/1-8.png") is None


@pytest.mark.parametrize("image_id", ["i" * 10_240, "a'b\"", "\u202egnp\u200b", "NUL\0id", "💃", ""])
def test_any_text_is_an_image_id(ledger, image_id):
    ledger.planning.add_batches([[image_id]], now_ms=1)
    assert ids(hand_out(ledger, image_ids=[image_id])) == [image_id]
    assert ledger.ask.item(image_id).image_id == image_id


def test_a_batch_that_is_not_there_and_an_image_nobody_knows(ledger):
    with pytest.raises(Exception, match="b000009"):
        ledger.ask.batch("b000009")
    assert ledger.ask.item("nobody") is None
    assert ledger.planning.known([]) == {}


def test_readers_and_writers_do_not_wait_for_each_other_in_vain(ledger):
    plan(ledger, " ".join(f"{n:03}" for n in range(200)))

    def write(n: int) -> None:
        end(ledger, f"{n:03}", DONE)

    def read(_: int) -> int:
        return sum(ledger.ask.states().values())

    with ThreadPoolExecutor(8) as pool:
        writes = [pool.submit(write, n) for n in range(200)]
        reads = [pool.submit(read, n) for n in range(200)]
        for each in writes:
            each.result()
        assert {each.result() for each in reads} == {200}
    assert ledger.ask.states() == {DONE: 200}


def test_snapshots_are_appended_and_read_newest_first(ledger):
    counts = {"objects": 1, "bytes": 2, "known": 1, "orphans": 0, "missing": 0}
    assert ledger.snapshots.latest_inventory() is None
    for at in (1, 2):
        ledger.snapshots.add_inventory({**counts, "objects": at}, now_ms=at, run_id=None)
        ledger.snapshots.add_stats({"total_images": at}, now_ms=at, run_id="run")
    latest = ledger.snapshots.latest_inventory()
    assert latest is not None
    assert (latest["objects"], latest["finished_at"]) == (2, 2)
    assert ledger.snapshots.stats() == [{"total_images": 2}, {"total_images": 1}]
    assert ledger.snapshots.stats(limit=1) == [{"total_images": 2}]
