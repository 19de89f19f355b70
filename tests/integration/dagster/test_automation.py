"""What follows a migration by itself: once when it has ended, not in its middle, not in a loop."""

import dagster as dg
import pytest
from dagster._core.definitions.asset_daemon_cursor import AssetDaemonCursor
from werkzeug.wrappers import Response

from tests.integration.dagster.conftest import Install
from tests.integration.dagster.installation import Installation, failures
from z_interact_assets.demo.standin_app import IncomingRequest
from z_interact_assets.execution.progress import Progress
from z_interact_assets.migrate import pipeline

ASSETS = ("r2_inventory", "storage_stats", "storage_report")
TOTALS = dg.AssetCheckKey(dg.AssetKey("storage_stats"), "totals_reconcile")
ALL = [*ASSETS, "totals_reconcile"]


class Automation:
    """Evaluates the conditions as their sensor does, tick by tick."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._cursor: AssetDaemonCursor | None = None
        self.tick()  # what happened before the sensor was there is none of its business

    def tick(self) -> list[str]:
        """What this tick requests."""
        result = dg.evaluate_automation_conditions(
            self._installation.defs,
            self._installation.instance,
            asset_selection=dg.AssetSelection.assets(*ASSETS) | dg.AssetSelection.checks(TOTALS),
            cursor=self._cursor,
        )
        self._cursor = result.cursor
        requested = [name for name in ASSETS if result.get_num_requested(dg.AssetKey(name))]
        # A check is counted with the rest only.
        return [*requested, *["totals_reconcile"] * (result.total_requested - len(requested))]


@pytest.mark.slow
def test_all_three_follow_a_migration_once(installation: Installation):
    installation.add_rows(7)
    installation.plan()
    automation = Automation(installation)
    assert automation.tick() == []

    assert not failures(installation.migrate())
    assert [automation.tick(), automation.tick()] == [ALL, []]

    # What was requested runs: nothing follows from that.
    assert not failures(installation.run("take_stock_and_report"))
    assert [automation.tick(), automation.tick()] == [[], []]


@pytest.mark.slow
def test_nothing_follows_in_the_middle_of_a_migration(installation: Installation, monkeypatch):
    monkeypatch.setattr(pipeline, "GROUP_ITEMS", 3)  # so that batches do not all end at once
    installation.add_rows(30)
    installation.plan()
    automation = Automation(installation)
    meanwhile: list[tuple[int, list[str]]] = []

    def look(progress: Progress) -> None:
        done = sum(status == "MATERIALIZED" for status in installation.statuses().values())
        meanwhile.append((done, automation.tick()))

    installation.observer.progress = look
    assert not failures(installation.migrate())

    # There was a moment at which some batches were done and others not.
    assert any(0 < done < len(installation.batches) for done, _ in meanwhile)
    assert [requested for _, requested in meanwhile if requested] == []
    assert [automation.tick(), automation.tick()] == [ALL, []]


@pytest.mark.slow
@pytest.mark.exhaustive
def test_batches_that_failed_or_were_never_done_are_not_waited_for(install: Install):
    installation = install(refuse_the_unlucky)
    installation.add_rows(9)
    installation.sql("UPDATE images SET persona_id = 'unlucky' WHERE id = 'image-004'")
    installation.plan()
    automation = Automation(installation)

    assert failures(installation.migrate(["b000001", "b000002"]))

    assert installation.statuses() == {"b000001": "MATERIALIZED", "b000002": "FAILED", "b000003": None}
    assert [automation.tick(), automation.tick()] == [ALL, []]


@pytest.mark.slow
def test_an_inventory_that_failed_is_not_tried_again_by_itself(migrated: Installation):
    automation = Automation(migrated)
    assert not failures(migrated.migrate())
    assert automation.tick() == ALL
    migrated.standin.stop()

    assert failures(migrated.run("take_stock_and_report"))
    assert [automation.tick(), automation.tick()] == [[], []]


@pytest.mark.slow
@pytest.mark.exhaustive
def test_a_report_follows_statistics_somebody_took(migrated: Installation):
    automation = Automation(migrated)

    assert not failures(migrated.run("take_stock"))
    assert [automation.tick(), automation.tick()] == [["storage_report"], []]


def test_statistics_and_report_have_a_freshness_policy(installation: Installation):
    policies = {
        spec.key.to_user_string(): spec.freshness_policy
        for spec in installation.defs.resolve_all_asset_specs()
        if spec.freshness_policy is not None
    }

    assert set(policies) == {"storage_stats", "storage_report"}
    assert installation.instance.freshness_enabled


def refuse_the_unlucky(request: IncomingRequest) -> Response | None:
    return Response(status=503) if "/unlucky/" in request.key and request.method in {"PUT", "HEAD"} else None
