"""`rollback`, `reclaim` and `verdict` as a user runs them."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.integration.cli.commandline import NewSite, Site
from z_interact_assets.cli.errors import FINISHED_WITH_FINDINGS, OUT_OF_REACH, USAGE_OR_SETTINGS
from z_interact_assets.core.models import ItemState
from z_interact_assets.demo.standin import StandIn

pytestmark = pytest.mark.slow

IMAGES = 12
AT_ONCE = {"RECLAIM_AFTER_DAYS": "0"}


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A migrated site for tests that change nothing."""
    folder = tmp_path_factory.mktemp("settled")
    with StandIn(folder / "r2") as standin:
        site = Site(folder / "site", standin)
        site.add_images(IMAGES)
        assert site.run("migrate").code == 0
        yield site


@pytest.fixture
def migrated(site: Site) -> Site:
    site.add_images(IMAGES)
    assert site.run("migrate").code == 0
    return site


def untouched(site: Site) -> dict[str, tuple[object, object]]:
    return {name: (row["image_data"], row["image_url"]) for name, row in site.app.rows().items()}


def test_a_migration_reclaimed_rolled_back_and_done_again_loses_nothing(new_site: NewSite) -> None:
    site = new_site()
    site.add_images(IMAGES)
    before = untouched(site)
    assert site.run("migrate").code == 0
    ended = site.run("reclaim", "--all-due", "--json", **AT_ONCE)
    assert ended.code == 0, ended.output
    assert (ended.document["reclaimed"], ended.document["not_due"]) == (IMAGES, 0)
    assert all(row["image_data"] is None for row in site.app.rows().values())
    ended = site.run("verdict", "--json")
    assert ended.code == 0, ended.output
    assert ended.document["safe_to_drop_base64"] is True
    ended = site.run("rollback", "--all", "--delete-objects", "--json")
    assert ended.code == 0, ended.output
    assert (ended.document["rolled_back"], ended.document["objects_deleted"]) == (IMAGES, IMAGES)
    assert untouched(site) == before
    assert site.stored_keys() == []
    ended = site.run("migrate", "--rolled-back", "--json")
    assert ended.code == 0, ended.output
    assert ended.document["migrated"] == IMAGES
    assert len(site.stored_keys()) == IMAGES


@pytest.mark.parametrize("arguments", [
    ("rollback", "--all", "--delete-objects", "--dry-run"), ("reclaim", "--all-due", "--dry-run"),
])  # fmt: skip
def test_a_dry_run_changes_nothing_anywhere(settled: Site, arguments: tuple[str, ...]) -> None:
    rows, keys = settled.app.as_stored(), settled.stored_keys()
    runs = _runs(settled)
    ended = settled.run(*arguments, "--json", **AT_ONCE)
    assert ended.code == 0, ended.output
    assert ended.document["dry_run"] is True
    assert ended.document["rolled_back" if arguments[0] == "rollback" else "reclaimed"] == IMAGES
    assert (settled.app.as_stored(), settled.stored_keys(), _runs(settled)) == (rows, keys, runs)
    assert {item.state for item in settled.items()} == {ItemState.PUBLISHED}


def _runs(site: Site) -> int:
    with closing(sqlite3.connect(site.folder / ".dagster_home" / "history" / "runs.db")) as connection:
        return connection.execute("SELECT count(*) FROM runs").fetchone()[0]


def test_only_named_batches_and_images(migrated: Site) -> None:
    assert migrated.run("rollback", "--image-id", "image-000", "--json").document["rolled_back"] == 1
    ended = migrated.run("reclaim", "--batch", "b000002", "--json", **AT_ONCE)
    assert (ended.document["total"], ended.document["reclaimed"]) == (2, 2)
    states = Counter(item.state for item in migrated.items())
    assert states == {ItemState.ROLLED_BACK: 1, ItemState.RECLAIMED: 2, ItemState.PUBLISHED: 9}


def test_a_changed_row_ends_with_1_and_is_named(migrated: Site) -> None:
    migrated.app.set("image-001", image_url="https://example.net/theirs.png")
    for arguments in (("reclaim", "--all-due"), ("rollback", "--all")):
        ended = migrated.run(*arguments, **AT_ONCE)
        assert ended.code == FINISHED_WITH_FINDINGS
        assert "image-001" in ended.stdout
        assert "row_changed" in ended.stdout
    assert migrated.app.row("image-001")["image_url"] == "https://example.net/theirs.png"


@pytest.mark.parametrize(("arguments", "said"), [
    (("rollback",), "Say what to roll back"),
    (("rollback", "--all", "--batch", "b000001"), "Say what to roll back"),
    (("reclaim",), "Say what to reclaim"),
    (("reclaim", "--all-due", "--batch", "b000001"), "Say what to reclaim"),
    (("reclaim", "--batch", "b000009"), "there is no batch b000009"),
    (("rollback", "--image-id", "nobody"), "there is no image nobody to roll back"),
])  # fmt: skip
def test_a_choice_that_is_none_is_a_usage_error(settled: Site, arguments: tuple[str, ...], said: str) -> None:
    ended = settled.run(*arguments)
    assert ended.code == USAGE_OR_SETTINGS
    assert said in ended.stderr
    assert {item.state for item in settled.items()} == {ItemState.PUBLISHED}


@pytest.mark.exhaustive
def test_without_r2_nothing_is_cleared_or_called_safe(migrated: Site) -> None:
    assert migrated.run("reclaim", "--all-due", **AT_ONCE).code == 0
    migrated.standin.stop()
    for arguments in (("reclaim", "--all-due"), ("verdict",)):
        ended = migrated.run(*arguments, **AT_ONCE)
        assert ended.code == OUT_OF_REACH, ended.output
        assert "Traceback" not in ended.stderr


def test_rows_that_hold_their_base64_come_back_while_r2_is_out_of_reach(migrated: Site) -> None:
    migrated.standin.stop()
    ended = migrated.run("rollback", "--all", "--json")
    assert ended.code == 0, ended.output
    assert ended.document["rolled_back"] == IMAGES


def test_vacuum_makes_the_file_smaller(migrated: Site) -> None:
    migrated.app.sql("UPDATE images SET prompt = ?", ("x" * 50_000,))
    migrated.app.sql("UPDATE images SET prompt = 'short'")
    ended = migrated.run("reclaim", "--all-due", "--vacuum", "--json", **AT_ONCE)
    assert ended.code == 0, ended.output
    document = ended.document
    assert document["database_bytes_after"] < document["database_bytes_before"] / 2
    assert document["free_bytes_after"] == 0
    assert document["database_bytes_after"] == migrated.app.path.stat().st_size


def test_the_verdict_names_what_is_missing_and_what_to_do(settled: Site) -> None:
    ended = settled.run("verdict")
    assert ended.code == FINISHED_WITH_FINDINGS
    assert "Do NOT drop image_data yet." in ended.stdout
    assert f"{IMAGES} of {IMAGES} rows have something in image_data: {IMAGES} published" in ended.stdout
    assert "z-interact-assets reclaim --all-due" in ended.stdout
