"""The stream itself: no barrier, bounded, and it always ends."""

import threading
import time
import weakref
from collections.abc import Generator, Sequence
from functools import partial

import pytest

from z_interact_assets.core.errors import StorageUnavailableError
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.reasons import Reason
from z_interact_assets.core.records import WorkItem
from z_interact_assets.migrate.flow import ByteBudget, FixedLimiter
from z_interact_assets.migrate.outcomes import Outcome, final
from z_interact_assets.migrate.pipeline import Pipeline, Upload


def items(count: int) -> list[WorkItem]:
    return [
        WorkItem(item_id=n, image_id=str(n), batch_key="b000001", state=ItemState.PLANNED, attempts=0)
        for n in range(count)
    ]


def published(item: WorkItem) -> Outcome:
    return Outcome(item=item, final=final(item, ItemState.PUBLISHED))


def unanswered(item: WorkItem) -> Outcome:
    failed = final(item, ItemState.FAILED, Reason.STORAGE_UNAVAILABLE)
    return Outcome(item=item, final=failed, error=StorageUnavailableError("no answer"))


class Settled:
    """Collects what is settled; may fail."""

    def __init__(self, fail_at: int | None = None) -> None:
        self.ids: list[str] = []
        self.groups = 0
        self._fail_at = fail_at

    def __call__(self, group: Sequence[Outcome]) -> None:
        self.groups += 1
        if self.groups == self._fail_at:
            raise OSError("disk full")
        self.ids += [outcome.item.image_id for outcome in group]


def pipeline(work, settle, *, limit: int = 4, budget: ByteBudget | None = None, share: int = 0, stop=None) -> Pipeline:
    """Each item takes a share of the budget when it is read; settling gives it back."""
    budget = budget or ByteBudget(1_000)

    def reading(group: Sequence[WorkItem]) -> Generator[Upload]:
        for item in group:
            taken = budget.take(share)
            yield Upload(partial(sending, item, taken), taken)

    def sending(item: WorkItem, taken: int) -> Outcome:
        outcome = work(item)
        outcome.taken = taken
        return outcome

    return Pipeline(reading, settle, limiter=FixedLimiter(limit), budget=budget, stop=stop or threading.Event())


def ids(groups) -> list[str]:
    return [outcome.item.image_id for group in groups for outcome in group]


def no_threads_left() -> bool:
    ours = ("carrier", "upload")
    return not [thread for thread in threading.enumerate() if thread.name.startswith(ours)]


def test_every_item_is_settled_once_and_yielded_after():
    settled = Settled()
    found = ids(pipeline(published, settled).stream(items(500)))
    assert found == settled.ids
    assert sorted(found, key=int) == [str(n) for n in range(500)]
    assert no_threads_left()


def test_no_items_are_no_groups():
    assert ids(pipeline(published, Settled()).stream([])) == []


def test_a_slow_image_holds_up_no_other():
    """Thirty-nine others end while the first is still with its worker: it waits for the last of them."""
    others_done, lock, ended = threading.Event(), threading.Lock(), []

    def work(item: WorkItem) -> Outcome:
        if item.image_id == "0":
            assert others_done.wait(20)
        with lock:
            ended.append(item.image_id)
            if len(ended) == 39:
                others_done.set()
        return published(item)

    assert len(ids(pipeline(work, Settled(), limit=2).stream(items(40)))) == 40
    assert ended[-1] == "0"


def test_no_more_are_in_flight_than_the_limit():
    lock, now, most = threading.Lock(), 0, 0

    def work(item: WorkItem) -> Outcome:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        outcome = published(item)
        with lock:
            now -= 1
        return outcome

    ids(pipeline(work, Settled(), limit=3).stream(items(300)))
    assert 1 <= most <= 3


def test_bytes_are_given_back_when_settled_also_when_settling_fails():
    budget = ByteBudget(100)
    assert len(ids(pipeline(published, Settled(), budget=budget, share=40).stream(items(50)))) == 50
    with pytest.raises(OSError, match="disk full"):
        ids(pipeline(published, Settled(fail_at=1), budget=budget, share=40).stream(items(50)))
    assert budget.peak == 80
    assert budget.take(100) == 100  # would raise if any were missing


def test_an_image_that_needs_the_whole_budget_waits_until_all_before_it_are_settled():
    budget, order = ByteBudget(100), []
    running = pipeline(lambda item: (order.append(item.image_id), published(item))[1], Settled(), budget=budget,
                       share=10**9)  # fmt: skip
    assert len(ids(running.stream(items(20)))) == 20
    assert order == [str(n) for n in range(20)]
    assert budget.peak == 100


def test_bytes_that_nobody_gives_back_end_the_run():
    budget = ByteBudget(100)
    budget.take(70)
    with pytest.raises(RuntimeError, match="not given back"):
        ids(pipeline(published, Settled(), budget=budget, share=40).stream(items(3)))
    assert no_threads_left()


def test_an_error_of_one_worker_ends_the_run_after_the_others_were_settled():
    def work(item: WorkItem) -> Outcome:
        if item.image_id == "30":
            raise PermissionError("wrong secret")
        return published(item)

    settled, seen = Settled(), []

    def watch() -> None:
        for group in pipeline(work, settled).stream(items(5_000)):
            seen.extend(ids([group]))

    with pytest.raises(PermissionError, match="wrong secret"):
        watch()
    assert seen == settled.ids
    assert {str(n) for n in range(26)} <= set(seen)
    assert len(seen) < 5_000
    assert no_threads_left()


def test_an_error_of_the_source_ends_the_run_after_what_came_was_settled():
    def source():
        yield from items(10)
        raise LookupError("ledger gone")

    settled = Settled()
    with pytest.raises(LookupError, match="ledger gone"):
        ids(pipeline(published, settled).stream(source()))
    assert len(settled.ids) == 10


def test_after_settling_failed_nothing_more_is_settled():
    settled = Settled(fail_at=2)
    with pytest.raises(OSError, match="disk full"):
        ids(pipeline(published, settled).stream(items(5_000)))
    assert settled.groups == 2
    assert no_threads_left()


def test_failures_in_a_row_are_an_outage():
    settled = Settled()
    with pytest.raises(StorageUnavailableError, match="stopped answering"):
        ids(pipeline(unanswered, settled).stream(items(5_000)))
    assert 16 <= len(settled.ids) < 200


def test_failures_among_successes_are_none():
    def work(item: WorkItem) -> Outcome:
        return unanswered(item) if item.item_id % 2 else published(item)

    assert len(ids(pipeline(work, Settled(), limit=1).stream(items(200)))) == 200


def test_fewer_failures_than_an_outage_takes_are_only_failures():
    assert len(ids(pipeline(unanswered, Settled()).stream(items(15)))) == 15


def test_abandoning_the_stream_settles_what_is_in_flight_and_ends_all_threads():
    settled = Settled()
    stream = pipeline(published, settled).stream(items(100_000))
    assert isinstance(stream, Generator)
    first = next(stream)
    stream.close()
    assert len(first) <= len(settled.ids) < 100_000
    assert no_threads_left()


def test_a_stop_lets_what_is_in_flight_end():
    stop, settled, seen = threading.Event(), Settled(), []
    for group in pipeline(published, settled, stop=stop).stream(items(100_000)):
        seen += ids([group])
        stop.set()
    assert seen == settled.ids
    assert 0 < len(seen) < 100_000
    assert no_threads_left()


def test_what_needs_no_upload_waits_for_none():
    """Rows that are set aside end while the only upload is still under way."""
    aside_settled, ended = threading.Event(), []

    def work(group: Sequence[WorkItem]) -> Generator[Outcome | Upload]:
        for item in group:
            yield Upload(partial(slowly, item)) if item.image_id == "0" else published(item)

    def slowly(item: WorkItem) -> Outcome:
        assert aside_settled.wait(20)
        return published(item)

    def settle(group: Sequence[Outcome]) -> None:
        ended.extend(outcome.item.image_id for outcome in group)
        if len(ended) == 39:
            aside_settled.set()

    stream = Pipeline(
        work, settle, limiter=FixedLimiter(1), budget=ByteBudget(1), stop=threading.Event()
    ).stream(items(40))  # fmt: skip
    assert len(ids(stream)) == 40
    assert ended[-1] == "0"


def test_uploads_that_are_never_let_in_give_their_bytes_back():
    """They are prepared and wait for the window when the run is stopped."""
    budget, stop, waiting = ByteBudget(1_000), threading.Event(), threading.Event()

    def work(group: Sequence[WorkItem]) -> Generator[Upload]:
        for item in group:
            yield Upload(partial(published_at_the_stop, item, budget.take(10)), 10)

    def published_at_the_stop(item: WorkItem, taken: int) -> Outcome:
        waiting.set()
        stop.wait(20)
        outcome = published(item)
        outcome.taken = taken
        return outcome

    stream = Pipeline(work, Settled(), limiter=FixedLimiter(1), budget=budget, stop=stop)
    threading.Thread(target=lambda: waiting.wait(20) and stop.set()).start()
    assert len(ids(stream.stream(items(100_000)))) < 100_000
    assert budget.take(1_000) == 1_000  # would raise if any were missing


def test_an_upload_holds_its_image_no_longer_than_it_is_sent():
    """Whoever waits with the outcome until it is written holds no bytes."""

    class Payload:
        pass

    def send(_: Payload) -> Outcome:
        return published(items(1)[0])

    payload = Payload()
    held = weakref.ref(payload)
    upload = Upload(partial(send, payload))
    del payload
    assert held() is not None
    outcome = upload.run()
    assert (outcome.final.state, held()) == (ItemState.PUBLISHED, None)
    with pytest.raises(RuntimeError):
        upload.run()


def test_while_a_group_is_written_no_more_end_than_the_window_holds():
    """Uploads that have ended and were not received keep their place."""
    writing, write_on, ended = threading.Event(), threading.Event(), []

    def work(item: WorkItem) -> Outcome:
        ended.append(item.image_id)
        return published(item)

    def settle(group: Sequence[Outcome]) -> None:
        writing.set()
        assert write_on.wait(20)

    stream = pipeline(work, settle, limit=3).stream(items(5_000))
    reader = threading.Thread(target=lambda: ids(stream))
    reader.start()
    assert writing.wait(20)
    time.sleep(0.1)
    before = len(ended)
    time.sleep(0.3)
    assert len(ended) == before < 5_000
    write_on.set()
    reader.join(20)
    assert len(ended) == 5_000


def test_what_ended_is_settled_while_rows_are_read():
    """Reading goes on for as long as it likes: what has ended meanwhile is written when it is due."""
    settled, waited = Settled(), []

    def work(group: Sequence[WorkItem]) -> Generator[Outcome]:
        for item in group:
            yield published(item)
            time.sleep(0.06)
            waited.append(len(settled.ids))

    stream = Pipeline(work, settled, limiter=FixedLimiter(1), budget=ByteBudget(1), stop=threading.Event())
    assert len(ids(stream.stream(items(5)))) == 5
    assert waited[-1] > 0
