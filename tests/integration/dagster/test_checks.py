"""Each check passes on a good migration, and fails exactly when its claim is false."""

import dagster as dg
import pytest
from werkzeug.wrappers import Response

from tests.integration.dagster.conftest import Install
from tests.integration.dagster.installation import BATCH_SIZE, Installation, check_of, failures, make_png, op, plain
from z_interact_assets.demo.standin_app import IncomingRequest

pytestmark = pytest.mark.slow  # a migration and a validation for each test

ERROR, WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN
ORPHAN = "images/gen-x/1700000000000-orphan.png"
VALIDATION = ("every_object_is_stored", "every_checksum_matches", "every_row_points_at_its_object")


def validate(installation: Installation, mode: str = "full") -> dict[str, dg.AssetCheckEvaluation]:
    result = installation.run("validate_migration", config=op("validation", mode=mode))
    assert not failures(result)
    return {evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()}


def failing(evaluations: dict[str, dg.AssetCheckEvaluation]) -> list[str]:
    return [name for name, evaluation in evaluations.items() if not evaluation.passed]


@pytest.mark.parametrize("mode", ["head", "full", "public"])
def test_a_good_migration_passes_every_validation(migrated: Installation, mode):
    evaluations = validate(migrated, mode)
    assert sorted(evaluations) == sorted(VALIDATION)
    assert failing(evaluations) == []
    for evaluation in evaluations.values():
        metadata = plain(evaluation.metadata)
        assert (metadata["mode"], metadata["checked"], metadata["valid"]) == (mode, 7, 7)


def test_a_deleted_object_is_not_stored(migrated: Installation):
    migrated.store.delete(migrated.key_of("image-002"))
    evaluations = validate(migrated)
    assert failing(evaluations) == ["every_object_is_stored"]
    metadata = plain(evaluations["every_object_is_stored"].metadata)
    assert (metadata["failing"], metadata["examples"]) == (1, ["image-002"])


def test_other_bytes_under_a_key_do_not_match(migrated: Installation):
    migrated.store.upload(migrated.key_of("image-002"), make_png(1), overwrite=True)
    evaluations = validate(migrated)
    assert failing(evaluations) == ["every_checksum_matches"]
    assert plain(evaluations["every_checksum_matches"].metadata)["examples"] == ["image-002"]


def test_an_edited_url_points_elsewhere(migrated: Installation):
    migrated.sql("UPDATE images SET image_url = 'https://example.org/a.png' WHERE id = 'image-002'")
    evaluations = validate(migrated)
    assert failing(evaluations) == ["every_row_points_at_its_object"]
    assert plain(evaluations["every_row_points_at_its_object"].metadata)["examples"] == ["image-002"]


def test_what_does_not_answer_proves_nothing(migrated: Installation):
    migrated.standin.stop()
    result = migrated.run("validate_migration", config=op("validation", mode="full"))
    assert len(failures(result)) == 1
    assert result.get_asset_check_evaluations() == []


def test_an_image_nothing_answers_for_is_unproved_and_no_loss(install: Install):
    silent: list[str] = []

    def fault(request: IncomingRequest) -> Response | None:
        asked = request.method in ("GET", "HEAD") and request.key in silent
        return Response("", status=503) if asked else None

    installation = install(fault)
    installation.add_rows(4)
    installation.plan()
    assert not failures(installation.migrate())
    silent.append(installation.key_of("image-002"))
    for evaluation in validate(installation).values():
        metadata = plain(evaluation.metadata)
        assert (evaluation.passed, evaluation.severity) == (False, WARN)
        assert (metadata["failing"], metadata["unreachable"]) == (0, 1)
        assert metadata["unreachable_examples"] == ["image-002"]


def test_one_validation_can_be_executed_alone(migrated: Installation):
    migrated.store.delete(migrated.key_of("image-002"))
    assert not migrated.check("migrated_images", "every_object_is_stored").passed
    assert migrated.check("migrated_images", "every_checksum_matches").passed


def test_public_urls_that_serve_other_bytes_fail_the_sampled_check(migrated: Installation):
    assert migrated.check("migrated_images", "public_urls_serve_the_images").passed
    migrated.store.upload(migrated.key_of("image-002"), make_png(1), overwrite=True)
    evaluation = migrated.check("migrated_images", "public_urls_serve_the_images")
    assert (evaluation.passed, plain(evaluation.metadata)["examples"]) == (False, ["image-002"])


def test_public_urls_that_serve_nothing_fail_the_sampled_check(migrated: Installation):
    migrated.store.delete(migrated.key_of("image-002"))
    assert not migrated.check("migrated_images", "public_urls_serve_the_images").passed


def test_orphans_are_a_warning_and_missing_objects_an_error(migrated: Installation):
    good = migrated.run("take_stock")
    migrated.store.upload(ORPHAN, make_png(1))
    migrated.store.delete(gone := migrated.key_of("image-002"))
    bad = migrated.run("take_stock")
    assert [check_of(good, name).passed for name in ("no_orphan_objects", "no_missing_objects")] == [True, True]
    orphans, missing = check_of(bad, "no_orphan_objects"), check_of(bad, "no_missing_objects")
    assert (orphans.passed, orphans.severity, plain(orphans.metadata)["examples"]) == (False, WARN, [ORPHAN])
    assert (missing.passed, missing.severity, plain(missing.metadata)["examples"]) == (False, ERROR, [gone])


def test_a_new_base64_row_is_a_warning_until_it_is_planned(migrated: Installation):
    assert migrated.check("legacy_images", "no_new_base64").passed
    migrated.add_rows(1, prefix="new")
    evaluation = migrated.check("legacy_images", "no_new_base64")
    assert (evaluation.passed, evaluation.severity) == (False, WARN)
    assert plain(evaluation.metadata) == {"images": 1, "examples": ["new-000"], "planned_and_waiting": 0}
    migrated.plan()
    evaluation = migrated.check("legacy_images", "no_new_base64")
    assert (evaluation.passed, plain(evaluation.metadata)["planned_and_waiting"]) == (True, 1)


def test_an_unknown_column_is_a_warning(migrated: Installation):
    assert migrated.check("legacy_images", "table_shape_is_known").passed
    migrated.sql("ALTER TABLE images ADD COLUMN caption TEXT")
    evaluation = migrated.check("legacy_images", "table_shape_is_known")
    assert (evaluation.passed, evaluation.severity) == (False, WARN)
    assert plain(evaluation.metadata)["unknown_columns"] == ["caption"]


def test_a_table_of_no_use_is_an_error_with_its_remedy(migrated: Installation):
    migrated.sql("ALTER TABLE images RENAME COLUMN image_url TO link")
    evaluation = migrated.check("legacy_images", "table_shape_is_known")
    assert (evaluation.passed, evaluation.severity) == (False, ERROR)
    assert "image_url" in (evaluation.description or "")
    assert plain(evaluation.metadata)["remedy"]


def test_a_table_without_image_data_is_a_warning(migrated: Installation):
    migrated.sql("ALTER TABLE images DROP COLUMN image_data")
    evaluation = migrated.check("legacy_images", "table_shape_is_known")
    assert (evaluation.passed, evaluation.severity) == (False, WARN)
    assert "image_data" in (evaluation.description or "")


def test_totals_reconcile_only_if_the_newest_snapshot_adds_up(migrated: Installation):
    assert not migrated.check("storage_stats", "totals_reconcile").passed  # no snapshot yet
    assert not failures(migrated.run("take_stock"))
    assert migrated.check("storage_stats", "totals_reconcile").passed
    (newest,) = migrated.ledger.snapshots.stats(limit=1)
    migrated.ledger.snapshots.add_stats({**newest, "total_images": 8}, now_ms=1, run_id=None)
    assert not migrated.check("storage_stats", "totals_reconcile").passed


def test_a_quarantined_image_is_a_warning_and_does_not_block_its_batch(installation: Installation):
    installation.add_rows(BATCH_SIZE - 1)
    installation.add_row("broken", "not base64!")
    (batch,) = installation.plan()
    result = installation.migrate()
    evaluation = check_of(result, "every_image_is_migrated")
    assert not failures(result)
    assert installation.statuses() == {batch: "MATERIALIZED"}
    assert (evaluation.passed, evaluation.severity) == (False, WARN)
    assert plain(evaluation.metadata)["examples"] == ["broken"]
