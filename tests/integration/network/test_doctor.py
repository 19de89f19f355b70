"""The doctor in bad weather: a fault that passes is no finding, one that stays is exit 3, and no object is left."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.integration.network.conftest import ATTEMPTS
from tests.support.losses import Rows
from tests.support.weather import PASSING, REFUSALS, Fault, Weather, cut_body, drop_after, wrong_etag
from z_interact_assets.doctor import Finding, diagnose, exit_code
from z_interact_assets.storage.ledger import open_ledger
from z_interact_assets.storage.legacy import open_table
from z_interact_assets.storage.objects import R2Store
from z_interact_assets.storage.public import PublicReader

Diagnose = Callable[[], dict[str, Finding]]

# The probe that asks first, by request.
PROBES = {
    ("HEAD", "bucket"): "bucket_access",
    ("PUT", "object"): "upload",
    ("GET", "object"): "download",
    ("HEAD", "object"): "metadata",
    ("GET", "public"): "public_url",
    ("DELETE", "object"): "cleanup",
}
# One of each kind: that each of them may pass is told by test_requests.
FAULTS = {
    name: PASSING[name] for name in ("429, Retry-After", "500", "503, no body", "dropped before", "dropped after")
}
CASES = [
    pytest.param(what, fault, id=f"{' '.join(what)}-{name}")
    for what in PROBES
    for name, fault in (*FAULTS.items(), *([("cut body", cut_body)] if what[0] == "GET" else []))
]


@pytest.fixture
def examine(tmp_path, rows: Rows, store_of: Callable[..., R2Store], weather: Weather) -> Diagnose:
    def run() -> dict[str, Finding]:
        findings = diagnose(
            settings_problems=[],
            open_table=partial(open_table, rows.app.url),
            open_ledger=partial(open_ledger, f"sqlite:///{tmp_path / 'ledger.db'}"),
            open_store=store_of,
            open_public=partial(PublicReader, retries=ATTEMPTS - 1, backoff=0),
        )
        return {finding.name: finding for finding in findings}

    return run


def at(what: tuple[str, str]):
    return lambda request: (request.method, request.kind) == what


def keys(store: R2Store) -> list[str]:
    return [entry.key for entry in store.list()]


@pytest.mark.slow
@pytest.mark.parametrize(("what", "fault"), CASES)
def test_a_fault_that_passes_is_no_finding(examine: Diagnose, store, weather, what: tuple[str, str], fault: Fault):
    weather.turn("passing", fault, at(what), times=ATTEMPTS - 1)
    assert exit_code(examine().values()) == 0
    weather.clear()
    assert keys(store) == []


@pytest.mark.slow
@pytest.mark.parametrize(("what", "fault"), CASES)
def test_a_fault_that_stays_may_pass_and_is_exit_3(
    examine: Diagnose, store, weather, what: tuple[str, str], fault: Fault
):
    weather.turn("staying", fault, at(what))
    findings = examine()
    assert findings[PROBES[what]].status == "fail"
    assert exit_code(findings.values()) == 3
    weather.clear()
    assert keys(store) == [] or what[0] == "DELETE"


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_asked_for_once_and_is_exit_2(examine: Diagnose, store, weather, refusal: Fault):
    weather.turn("refused", refusal)
    findings = examine()
    assert (findings["bucket_access"].status, exit_code(findings.values())) == ("fail", 2)
    assert weather.asked.total() == 1


@pytest.mark.parametrize("fault", [drop_after, wrong_etag], ids=["dropped after", "wrong ETag"])
def test_an_upload_that_is_not_proved_leaves_no_object(examine: Diagnose, store, weather, fault: Fault):
    weather.turn("unproved", fault, at(("PUT", "object")))
    assert exit_code(examine().values()) == 3
    weather.clear()
    assert keys(store) == []
