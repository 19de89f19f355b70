"""How many uploads are in flight while the store asks to slow down, as a real run's progress tells it."""

from contextlib import closing

import pytest

from tests.support.losses import Rows
from tests.support.sites import Site
from tests.support.weather import Weather, answer
from z_interact_assets.demo.standin_app import IncomingRequest
from z_interact_assets.execution.progress import Progress
from z_interact_assets.migrate import migration as migration_module
from z_interact_assets.migrate.flow import AdaptiveLimiter
from z_interact_assets.migrate.migration import Migration, Scope

ROWS = 180
CALM_AT = 10


class Clock:
    """Goes by ever smaller steps, so that every round looks faster than the one before: more is always to be had."""

    def __init__(self) -> None:
        self.now = 100.0
        self._step = 0.1

    def __call__(self) -> float:
        self._step *= 0.98
        self.now += self._step
        return self.now


class Storm:
    """Fair until the window is CALM_AT wide; then every PUT's first try is refused, until the window is at its end."""

    def __init__(self, weather: Weather, clock: Clock, status: int) -> None:
        self._weather = weather
        self._clock = clock
        self._status = status
        self.windows: list[int] = []
        self.phase = "before"

    def listen(self, progress: Progress) -> None:
        self.windows.append(progress.window)
        if self.phase == "before" and (progress.window >= CALM_AT or progress.done >= ROWS // 3):
            self.phase = "storm"
            self._weather.turn("storm", answer(self._status, "SlowDown"), self._first_try, times=1)
        elif self.phase == "storm" and (progress.window == 1 or progress.done >= ROWS * 2 // 3):
            self.phase = "after"
            self._weather.turn("fair", answer(200), lambda _: False)

    def _first_try(self, request: IncomingRequest) -> bool:
        if request.method != "PUT":
            return False
        self._clock.now += 2  # each refusal is a congestion of its own
        return True


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(migration_module, "monotonic", clock)
    return clock


def run(site: Site, storm: Storm) -> Migration:
    site.plan()
    migration = Migration(site.engine, site.store, site.ledger, run_id="run", listen=storm.listen)
    list(migration.run(Scope()))
    assert storm.phase == "after"
    assert (migration.totals.migrated, migration.totals.failed) == (ROWS, 0)
    return migration


@pytest.mark.parametrize(
    "status", [pytest.param(429, marks=pytest.mark.exhaustive), pytest.param(503, marks=pytest.mark.slow)]
)
def test_the_window_halves_while_it_is_throttled_and_grows_again(
    tmp_path, rows: Rows, store, store_of, weather, clock, monkeypatch, status
):
    rows.add_data(f"{n:03}" for n in range(ROWS))
    halvings: list[tuple[int, int]] = []
    throttled = AdaptiveLimiter.throttled

    def note(limiter: AdaptiveLimiter) -> None:
        before = limiter.limit
        throttled(limiter)
        halvings.append((before, limiter.limit))

    monkeypatch.setattr(AdaptiveLimiter, "throttled", note)
    storm = Storm(weather, clock, status)
    with closing(Site(tmp_path, rows.app, store_of(), concurrency=None)) as site:
        run(site, storm)
        weather.clear()
        rows.assert_all_done(site, store)
    assert halvings[0][1] == halvings[0][0] // 2
    low = storm.windows.index(1)
    assert max(storm.windows[:low]) >= CALM_AT
    assert storm.windows[-1] >= CALM_AT // 2


@pytest.mark.slow
@pytest.mark.exhaustive
def test_a_fixed_number_stays_what_it_is(tmp_path, rows: Rows, store_of, weather, clock):
    rows.add_data(f"{n:03}" for n in range(ROWS))
    storm = Storm(weather, clock, 503)
    with closing(Site(tmp_path, rows.app, store_of(), concurrency=4)) as site:
        run(site, storm)
    assert set(storm.windows) == {4}
    assert weather.busiest <= 4
    assert weather.injected["storm"] > 0
