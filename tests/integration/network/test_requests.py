"""Each fault at each operation of the store: what may pass is repeated within its bound, what will not is asked once.

The number of requests is asserted to the last one: a retry too many is a bill and a storm, one too few an outage.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

import botocore.endpoint
import pytest

from tests.support.images import make_png
from tests.support.weather import (
    PASSING,
    REFUSALS,
    Befalls,
    Weather,
    answer,
    cut_body,
    drop_before,
    late,
    sign_in_page,
    wrong_etag,
)
from z_interact_assets.core.errors import (
    ObjectNotFoundError,
    StorageRefusedError,
    StorageUnavailableError,
)
from z_interact_assets.storage.objects import R2Store, fast_puts, fast_reads

pytestmark = pytest.mark.slow

ATTEMPTS = 3
IMAGE = make_png(1)
THERE, NEW = "images/p/1-there.png", "images/p/2-new.png"


@dataclass(frozen=True, slots=True)
class Operation:
    method: str
    kind: str
    call: Callable[[R2Store], object]
    answer: object
    has_body: bool = False


OPERATIONS = {
    "put": Operation("PUT", "object", lambda store: store.upload(NEW, IMAGE).size, len(IMAGE)),
    "get": Operation("GET", "object", lambda store: store.download(THERE), IMAGE, has_body=True),
    "head": Operation("HEAD", "object", lambda store: (found := store.head(THERE)) and found.size, len(IMAGE)),
    "list": Operation("GET", "list", lambda store: [entry.key for entry in store.list()], [THERE], has_body=True),
    "delete": Operation("DELETE", "object", lambda store: store.delete(THERE), None),
    "delete many": Operation("POST", "delete", lambda store: store.delete_many([THERE]), 1, has_body=True),
    "check": Operation("HEAD", "bucket", lambda store: store.check(), None),
}
PAIRS = [
    pytest.param(operation, fault, id=f"{name}-{what}")
    for name, operation in OPERATIONS.items()
    for what, fault in (*PASSING.items(), *([("cut body", cut_body)] if operation.has_body else []))
]
every_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)


@pytest.fixture
def store(weather: Weather, store: R2Store) -> R2Store:
    """A bucket with one object."""
    store.upload(THERE, IMAGE)
    weather.clear()
    return store


def asked(weather: Weather, operation: Operation) -> int:
    return weather.asked[operation.method, operation.kind]


@pytest.mark.parametrize(("operation", "fault"), PAIRS)
def test_a_fault_that_passes_is_outlasted(weather, store, operation: Operation, fault: Befalls):
    weather.turn("passing", fault, times=ATTEMPTS - 1)
    assert operation.call(store) == operation.answer
    assert asked(weather, operation) == ATTEMPTS
    weather.clear()
    expected = {"put": [THERE, NEW], "delete": [], "delete many": []}
    name = next(name for name, one in OPERATIONS.items() if one is operation)
    assert [entry.key for entry in store.list()] == expected.get(name, [THERE])


@pytest.mark.parametrize(("operation", "fault"), PAIRS)
def test_a_fault_that_stays_ends_after_the_bound_as_unavailable(weather, store, operation: Operation, fault: Befalls):
    weather.turn("staying", fault)
    with pytest.raises(StorageUnavailableError):
        operation.call(store)
    assert asked(weather, operation) == ATTEMPTS


@every_operation
@pytest.mark.parametrize(
    "fault",
    [*REFUSALS.values(), answer(400, "InvalidArgument"), answer(501, "NotImplemented")],
    ids=[*REFUSALS, "400", "501"],
)
def test_a_refusal_is_never_repeated(weather, store, operation: Operation, fault: Befalls):
    weather.turn("refused", fault)
    if operation.kind == "object" and operation.method == "HEAD" and fault is REFUSALS["404, the bucket"]:
        assert operation.call(store) is None  # a HEAD's 404 has no body: only `check` can tell
    else:
        with pytest.raises(StorageRefusedError) as caught:
            operation.call(store)
        assert caught.value.concerns_every_request == (fault in REFUSALS.values())
    assert asked(weather, operation) == 1


def test_an_object_that_is_not_there_is_asked_for_once(weather, store):
    assert store.head(NEW) is None
    with pytest.raises(ObjectNotFoundError):
        store.download(NEW)
    assert (weather.asked["HEAD", "object"], weather.asked["GET", "object"]) == (1, 1)


def test_a_put_answered_with_a_wrong_etag_is_no_success_and_is_looked_at_once(weather, store):
    weather.turn("wrong etag", wrong_etag, lambda request: request.method == "PUT")
    with pytest.raises(StorageUnavailableError, match="the right bytes seem to be there now"):
        store.upload(NEW, IMAGE)
    assert (weather.asked["PUT", "object"], weather.asked["HEAD", "object"]) == (1, 1)


def test_a_head_answered_by_somebody_else_is_not_taken_for_the_object(weather, store):
    weather.turn("sign-in page", sign_in_page)
    with pytest.raises(StorageUnavailableError, match="not one of S3's"):
        store.head(THERE)


def test_a_client_keeps_repeating_however_much_has_failed_before(weather, store):
    """botocore's own quota would be used up after some 35 repetitions and fail every later call at its first try."""
    for _ in range(40):
        weather.turn("congestion", answer(500, "InternalError"))
        with pytest.raises(StorageUnavailableError):
            store.head(THERE)
    weather.turn("congestion", answer(500, "InternalError"), times=ATTEMPTS - 1)
    assert store.head(THERE)


@every_operation
def test_a_server_silent_beyond_the_timeout_is_asked_again(weather, store, store_of, operation: Operation):
    impatient = store_of(read_timeout=0.2)  # of a PUT: five times that for all of it
    with weather.holding(times=1):
        assert operation.call(impatient) == operation.answer
    assert asked(weather, operation) == 2


@every_operation
def test_an_answer_that_comes_late_is_waited_for(weather, store, operation: Operation):
    weather.turn("late", late)
    assert operation.call(store) == operation.answer
    assert asked(weather, operation) == 1


def make_pauses(monkeypatch, sleep: Callable[[float], None]) -> None:
    """Have all engines make their pauses by `sleep`."""
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=sleep))
    monkeypatch.setattr(fast_puts, "time", SimpleNamespace(sleep=sleep))
    monkeypatch.setattr(fast_reads, "time", SimpleNamespace(sleep=sleep))


@pytest.fixture
def pauses(monkeypatch) -> list[float]:
    """The pauses between requests, which take no time here."""
    made: list[float] = []
    make_pauses(monkeypatch, made.append)
    return made


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_waited_for(weather, store_of, pauses, status):
    weather.turn("told", answer(status, "SlowDown", {"Retry-After": "7"}), times=2)
    assert store_of(backoff=0.5).head(NEW) is None
    assert [7 <= pause <= 7.5 for pause in pauses] == [True, True]


@pytest.mark.parametrize("operation", [OPERATIONS["head"], OPERATIONS["put"]], ids=["head", "put"])
def test_without_retry_after_pauses_double_and_are_jittered(weather, store_of, pauses, operation: Operation):
    store = store_of(max_attempts=5, backoff=0.5)
    for _ in range(5):
        weather.turn("staying", answer(503, "SlowDown"))
        with pytest.raises(StorageUnavailableError):
            operation.call(store)
    for start, most in enumerate((0.5, 1, 2, 4)):
        assert all(most / 2 <= pause <= most for pause in pauses[start::4])
    assert len(pauses) == len(set(pauses)) == 20


def test_a_server_that_asks_for_an_hour_is_out_and_is_not_asked_again(weather, store_of, pauses):
    weather.turn("told", answer(503, "SlowDown", {"Retry-After": "3600"}))
    with pytest.raises(StorageUnavailableError):
        store_of(backoff=0.5).head(NEW)
    assert (weather.asked["HEAD", "object"], pauses) == (1, [])


class Away:
    """A server that is away from now on for so many seconds of pauses, which take no time here."""

    def __init__(self, weather: Weather, seconds: float) -> None:
        self.waited = 0.0
        weather.turn("away", drop_before, lambda _: self.waited < seconds)

    def sleep(self, seconds: float) -> None:
        self.waited += seconds


@every_operation
def test_a_server_away_for_three_seconds_is_waited_for(weather, store, store_of, monkeypatch, operation: Operation):
    away = Away(weather, 3)
    make_pauses(monkeypatch, away.sleep)
    assert operation.call(store_of(max_attempts=5, backoff=0.5)) == operation.answer
    assert 3 <= away.waited <= 7.5


@every_operation
def test_a_server_away_for_a_minute_is_given_up_and_found_again(weather, store, store_of, monkeypatch, operation):
    """One call waits 7.5 s at most; whoever calls again after a minute finds the server back."""
    away = Away(weather, 60)
    make_pauses(monkeypatch, away.sleep)
    patient = store_of(max_attempts=5, backoff=0.5)
    with pytest.raises(StorageUnavailableError):
        operation.call(patient)
    assert (3.75 <= away.waited <= 7.5, asked(weather, operation)) == (True, 5)
    away.sleep(60)
    assert operation.call(patient) == operation.answer
    assert asked(weather, operation) == 6
