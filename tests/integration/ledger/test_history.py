"""The history of statistics: in columns any tool can plot, also what an older version wrote."""

import json
import sqlite3
from contextlib import closing

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from tests.support.ledgers import put_new_ledger
from z_interact_assets.core.findings import Problem, ProblemKind
from z_interact_assets.core.snapshots import HISTORY_COLUMNS, SCALARS
from z_interact_assets.core.stats import BucketCounts
from z_interact_assets.storage.ledger import open_ledger
from z_interact_assets.storage.ledger.schema import storage_stats_history
from z_interact_assets.storage.ledger.snapshots import MAX_PROBLEMS

OLD = {
    "total_images": 10, "r2_images": 3, "base64_images": 4, "mixed_images": 2, "imageless_images": 1,
    "external_images": 0, "local_images": 0, "unfinished_images": 0, "unrecognised_images": 0,
    "quarantined_images": 1, "r2_objects": None, "r2_bytes": None, "base64_bytes": 77, "orphan_objects": None,
    "missing_objects": None, "health": {"status": "unknown", "score": None, "issues": [], "recommendations": []},
    "generated_at": "2025-10-09T08:53:20+00:00",
}  # fmt: skip
GROUP = {"group": "value", "value": "gen-z", "images": 6, "r2_images": 3, "base64_images": 2, "bytes": 9,
         "base64_bytes": 12}  # fmt: skip
NEW = OLD | {
    "bucket_as_of": "2025-10-09T08:00:00+00:00", "r2_objects": 5, "known_objects": 4,
    "health": {"status": "fair", "score": 66},
    "database": {"bytes": 4096, "reclaimed_bytes": 5}, "growth": {"images_per_day": 1.5, "full_in_days": None},
    "costs": {"now": {"total": 0.25}},
    "breakdowns": {"persona": [GROUP, GROUP | {"group": "none", "value": None}], "type": [GROUP | {"value": "a\0b"}]},
}  # fmt: skip
COUNTS = {"objects": 1, "bytes": 2, "known": 1, "orphans": 0, "missing": 0}


def old_ledger(path) -> None:
    """A ledger as revision 0002 left it, with an inventory and two snapshots."""
    engine = sa.create_engine(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", "z_interact_assets.storage.ledger:migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
    engine.dispose()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO inventories VALUES (1, 5, 'run', 8, 900, 7, 1, 0)")
        for at, document in ((6, OLD), (7, OLD | {"total_images": 11, "health": {"status": "good", "score": 97}})):
            connection.execute(
                "INSERT INTO storage_stats_history (generated_at, run_id, stats) VALUES (?, 'run', ?)",
                (at, json.dumps(document)),
            )


def test_a_ledger_of_the_version_before_is_upgraded_and_its_columns_are_filled(path):
    old_ledger(path)
    with closing(open_ledger(f"sqlite:///{path}")) as ledger:
        first, second = ledger.snapshots.history()
        counts = ledger.snapshots.latest_counts()
        assert ledger.snapshots.stats()[-1] == OLD
    known = {name: value for name, value in OLD.items() if name.endswith(("_images", "_objects", "_bytes"))}
    assert {name: first[name] for name in known} == known
    assert (first["generated_at"], first["health_status"], first["health_score"]) == (6, "unknown", None)
    assert (second["total_images"], second["health_status"], second["health_score"]) == (11, "good", 97)
    assert {first[name] for name in ("database_bytes", "known_objects", "monthly_cost_usd", "bucket_as_of")} == {None}
    assert counts == BucketCounts(objects=8, bytes=900, known=7, orphans=1, missing=0, as_of=5)


def test_a_snapshot_has_its_numbers_in_columns_and_its_breakdowns_in_rows(ledger):
    ledger.snapshots.add_stats(OLD, now_ms=1, run_id=None)
    ledger.snapshots.add_stats(NEW, now_ms=2, run_id="run")
    (old, new), groups = ledger.snapshots.history(), ledger.snapshots.breakdowns()
    assert (old["total_images"], old["database_bytes"], old["bucket_as_of"]) == (10, None, None)
    assert (new["r2_objects"], new["known_objects"], new["health_score"]) == (5, 4, 66)
    assert (new["database_bytes"], new["images_per_day"], new["monthly_cost_usd"]) == (4096, 1.5, 0.25)
    assert (new["bucket_as_of"], new["full_in_days"]) == (1_759_996_800_000, None)
    assert [(group["breakdown"], group["group"], group["value"]) for group in groups] == [
        ("persona", "value", "gen-z"), ("persona", "none", None), ("type", "value", "a\0b"),
    ]  # fmt: skip
    assert {(group["snapshot_id"], group["generated_at"], group["images"]) for group in groups} == {(2, 2, 6)}
    assert [each["generated_at"] for each in ledger.snapshots.history(limit=1)] == [2]


def test_every_column_of_the_history_is_filled_and_described():
    columns = {column.name for column in storage_stats_history.columns}
    assert columns - {"snapshot_id"} == HISTORY_COLUMNS.keys()
    assert columns - {"snapshot_id", "generated_at", "run_id", "stats"} == {*SCALARS, "bucket_as_of"}


def test_an_inventory_keeps_by_name_what_it_found_wrong_and_not_without_end(ledger):
    problems = (
        Problem(image_id=f"a{n}", kind=ProblemKind.MISSING, key=f"images/p/{n}.png", detail="gone")
        for n in range(2_000)
    )
    ledger.snapshots.add_inventory({**COUNTS, "missing": 2_000, "shared": 3}, problems, now_ms=1, run_id=None)
    latest = ledger.snapshots.latest_inventory()
    assert latest is not None
    assert (latest["missing"], latest["shared"], latest["corrupted"], len(latest["problems"])) == (
        2_000, 3, None, MAX_PROBLEMS,
    )  # fmt: skip
    assert latest["problems"][0] == {
        "kind": "missing", "image_id": "a0", "object_key": "images/p/0.png", "detail": "gone",
    }  # fmt: skip


@pytest.mark.parametrize("before", [0, 2])
def test_a_restored_history_keeps_its_breakdowns_beside_what_was_counted_before(ledger, tmp_path, before):
    ledger.snapshots.add_stats(OLD, now_ms=1, run_id=None)
    ledger.snapshots.add_stats(NEW, now_ms=2, run_id=None)
    with ledger.archive.snapshot() as taken:
        tables = [(name, list(taken.pages(name))) for name in taken.tables]
    put_new_ledger(tmp_path / "other.db")
    with closing(open_ledger(f"sqlite:///{tmp_path}/other.db")) as other:
        for at in range(before):
            other.snapshots.add_stats(OLD | {"breakdowns": {"persona": [GROUP]}}, now_ms=100 + at, run_id=None)
        other.archive.load(tables)
        history, groups = other.snapshots.history(), other.snapshots.breakdowns()
    assert [each["generated_at"] for each in history] == [*[100, 101][:before], 1, 2]
    assert [group["generated_at"] for group in groups] == [*[100, 101][:before], 2, 2, 2]
