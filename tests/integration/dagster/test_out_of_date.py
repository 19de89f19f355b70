"""What the UI calls out of date, moment by moment: exactly what has work, by the resolver that answers the UI."""

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver
from dagster._core.loader import LoadingContextForTest

from tests.integration.dagster.installation import QUIET, Installation, failures, op
from tests.support.images import base64_of, make_png

pytestmark = pytest.mark.slow

FRESH, STALE, MISSING = "FRESH", "STALE", "MISSING"


class Shown:
    """What the UI shows now."""

    def __init__(self, installation: Installation) -> None:
        self._batches = installation.batches
        self._resolver = CachingStaleStatusResolver(
            installation.instance,
            installation.defs.resolve_asset_graph(),
            LoadingContextForTest(installation.instance),
        )

    def status(self, asset: str, partition: str | None = None) -> str:
        return self._resolver.get_status(dg.AssetKey(asset), partition).value

    def why(self, asset: str) -> list[str]:
        return [cause.reason for cause in self._resolver.get_stale_causes(dg.AssetKey(asset))]

    @property
    def plan(self) -> str:
        return self.status("migration_batches")

    def batches(self, asset: str = "migrated_images") -> list[str]:
        return [self.status(asset, key) for key in self._batches]

    @property
    def stock(self) -> list[str]:
        return [self.status(asset) for asset in ("r2_inventory", "storage_stats", "storage_report")]


def take_stock(installation: Installation) -> None:
    installation.observer.results.clear()
    for job in ("take_stock", "storage_report"):
        assert not failures(installation.run(job))


def materialize(installation: Installation, asset: str) -> None:
    """Materialise it alone, as the UI's button does."""
    installation.observer.results.clear()
    job = installation.defs.resolve_implicit_global_asset_job_def()
    job.execute_in_process(instance=installation.instance, asset_selection=[dg.AssetKey(asset)], run_config=QUIET)


def test_downstream_is_out_of_date_exactly_while_there_is_work(installation: Installation) -> None:
    installation.add_rows(4)
    installation.observe()
    assert (Shown(installation).plan, Shown(installation).stock) == (MISSING, [MISSING] * 3)

    installation.plan()
    assert not failures(installation.migrate())
    take_stock(installation)
    installation.observe()
    done = Shown(installation)
    assert (done.plan, done.batches(), done.stock) == (FRESH, [FRESH] * 2, [FRESH] * 3)

    # Planned again, observed again, migrated again, counted again: there was nothing to do.
    installation.plan()
    assert not failures(installation.migrate())
    installation.observe()
    again = Shown(installation)
    assert (again.plan, again.batches(), again.stock) == (FRESH, [FRESH] * 2, [FRESH] * 3)

    installation.add_rows(1, prefix="new")
    assert Shown(installation).plan == FRESH  # nobody has looked at the table yet
    installation.observe()
    seen = Shown(installation)
    assert (seen.plan, seen.batches(), seen.stock) == (STALE, [FRESH] * 2, [FRESH] * 3)
    assert seen.why("migration_batches") == ["has a new dependency data version"]

    installation.plan()
    planned = Shown(installation)
    assert (planned.plan, planned.batches(), planned.stock) == (FRESH, [FRESH, FRESH, MISSING], [FRESH] * 3)

    assert not failures(installation.migrate())
    migrated = Shown(installation)
    assert (migrated.plan, migrated.batches(), migrated.stock) == (FRESH, [FRESH] * 3, [STALE, FRESH, FRESH])

    take_stock(installation)
    installation.observe()
    end = Shown(installation)
    assert (end.plan, end.batches(), end.stock) == (FRESH, [FRESH] * 3, [FRESH] * 3)


def test_statistics_and_report_are_out_of_date_only_once_their_numbers_changed(migrated: Installation) -> None:
    take_stock(migrated)
    materialize(migrated, "r2_inventory")
    assert Shown(migrated).stock == [FRESH] * 3  # the bucket is as it was
    migrated.store.delete(migrated.key_of("image-002"))
    materialize(migrated, "r2_inventory")
    assert Shown(migrated).stock == [FRESH, STALE, FRESH]
    materialize(migrated, "storage_stats")
    assert Shown(migrated).stock == [FRESH, FRESH, STALE]
    materialize(migrated, "storage_report")
    materialize(migrated, "storage_stats")
    assert Shown(migrated).stock == [FRESH] * 3


@pytest.mark.exhaustive
def test_a_plan_of_rows_nobody_had_observed_is_not_out_of_date(migrated: Installation) -> None:
    migrated.observe()
    migrated.add_rows(2, prefix="new")
    materialize(migrated, "migration_batches")
    assert Shown(migrated).plan == FRESH
    migrated.observe()
    assert Shown(migrated).plan == FRESH
    migrated.add_rows(1, prefix="newer")
    migrated.observe()
    assert Shown(migrated).plan == STALE


@pytest.mark.exhaustive
def test_images_tried_again_for_somebody_are_no_new_work_of_the_table(installation: Installation) -> None:
    installation.add_row("broken", "not base64!")
    installation.plan()
    assert not failures(installation.migrate())
    item = installation.item("broken")
    installation.observe()
    installation.ledger.planning.plan_again(
        {item.item_id: "asked for by the operator"}, now_ms=1_760_000_000_000, run_id=None
    )
    installation.observe()
    assert Shown(installation).plan == FRESH


@pytest.mark.exhaustive
def test_a_batch_whose_rows_the_app_changed_says_so_on_its_page(migrated: Installation) -> None:
    migrated.sql("UPDATE images SET image_data = ?, image_url = NULL WHERE id = 'image-003'", base64_of(make_png(77)))
    migrated.observe()
    assert Shown(migrated).plan == STALE
    migrated.plan()
    told = migrated.instance.fetch_observations(dg.AssetKey("migrated_images"), limit=10).records
    observations = [record.event_log_entry.asset_observation for record in told]
    assert [each and each.partition for each in observations] == [migrated.batches[1]]
    assert not failures(migrated.migrate())
    shown = Shown(migrated)
    assert (shown.plan, shown.batches()) == (FRESH, [FRESH] * 3)
    migrated.plan()
    assert len(migrated.instance.fetch_observations(dg.AssetKey("migrated_images"), limit=10).records) == 1


def test_a_reclaimed_batch_is_out_of_date_only_once_the_batch_has_another_image(
    migrated: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECLAIM_AFTER_DAYS", "0")
    batches = migrated.batches
    tags = {"dagster/asset_partition_range_start": batches[0], "dagster/asset_partition_range_end": batches[-1]}
    reclaimed = migrated.run("reclaim_base64", config=op("reclaimed_images", dry_run=False), tags=tags)
    assert not failures(reclaimed)
    assert not failures(migrated.migrate())
    assert Shown(migrated).batches("reclaimed_images") == [FRESH] * 3
    migrated.sql("UPDATE images SET image_data = ? WHERE id = 'image-003'", base64_of(make_png(78)))
    migrated.plan()
    assert not failures(migrated.migrate())
    assert Shown(migrated).batches("reclaimed_images") == [FRESH, STALE, FRESH]
