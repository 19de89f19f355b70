"""Two Celery workers on deploy/dagster.yaml share a backfill, and one of them is killed in the middle of its run."""

from collections import Counter

import pytest
import sqlalchemy as sa

from tests.deploy.cluster import WORKERS, Cluster
from tests.deploy.shared_backfill import BATCHES, BATCHES_PER_RUN, GatedBucket, Told, share_a_backfill
from z_interact_assets.demo.standin import StandIn

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def told(cluster: Cluster, bucket: GatedBucket) -> Told:
    return share_a_backfill(cluster, bucket)


def answers_of(cluster: Cluster, database: str, question: str) -> list[tuple]:
    engine = sa.create_engine(cluster.database.set(database=database))
    with engine.connect() as connection:
        answers = [tuple(row) for row in connection.execute(sa.text(question))]
    engine.dispose()
    return answers


def test_every_batch_is_done_although_a_worker_was_killed(told: Told):
    assert told.status == "COMPLETED_SUCCESS"
    assert told.partitions == {
        "numPartitions": BATCHES,
        "numMaterialized": BATCHES,
        "numFailed": 0,
        "numMaterializing": 0,
    }
    assert told.retries == 1


def test_both_workers_took_part(told: Told):
    kept, killed = WORKERS
    assert len(told.runs_by_worker[killed]) == 1
    assert len(told.runs_by_worker[kept]) == BATCHES // BATCHES_PER_RUN


def test_no_object_is_written_twice(told: Told, bucket: GatedBucket):
    assert len(bucket.writes) == BATCHES
    assert set(bucket.writes.values()) == {1}


def test_every_row_is_switched_once(told: Told, cluster: Cluster):
    switched = answers_of(cluster, "ledger", "SELECT item_id FROM events WHERE event = 'published'")
    assert len(switched) == BATCHES
    assert set(Counter(switched).values()) == {1}
    (rows,) = answers_of(cluster, "app", "SELECT count(DISTINCT image_url) FROM images WHERE r2_key IS NOT NULL")
    assert rows == (BATCHES,)


def test_what_a_run_says_is_in_the_bucket_and_in_the_ui(told: Told, cluster: Cluster):
    run_id = told.runs_by_worker[WORKERS[0]][0]
    folder = cluster.folder / "r2" / "buckets" / StandIn(cluster.folder / "r2").bucket
    assert list(folder.rglob("*"))
    assert "migrated_images" in cluster.log_of_step(run_id, "migrated_images")


def test_nothing_is_written_into_the_home(told: Told, cluster: Cluster):
    """In the image it is read-only, and has the two folders that Dagster makes where they are missing."""
    assert {path.name for path in cluster.home.rglob("*")} - {"logs", ".logs_queue"} == {"dagster.yaml"}


@pytest.mark.exhaustive
def test_the_health_check_tells_a_worker_that_answers_from_one_that_is_gone(told: Told, cluster: Cluster):
    kept, killed = WORKERS
    assert cluster.is_healthy(kept)
    assert not cluster.is_healthy(killed)
