"""One cluster for all tests of it: Postgres, Redis, a bucket, the Dagster services and two workers."""

from collections.abc import Iterator

import pytest

from tests.deploy.cluster import Cluster
from tests.deploy.shared_backfill import BATCHES_PER_RUN, GatedBucket, fill_table
from tests.support.postgres import find_binary, postgres
from tests.support.redis import REDIS_SERVER, redis
from z_interact_assets.demo.standin import StandIn


@pytest.fixture(scope="module")
def bucket() -> GatedBucket:
    return GatedBucket()


@pytest.fixture(scope="module")
def cluster(bucket: GatedBucket, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if find_binary("initdb") is None:
        pytest.skip("no Postgres server here: apt-get install postgresql")
    if REDIS_SERVER is None:
        pytest.skip("no Redis server here: apt-get install redis-server")
    folder = tmp_path_factory.mktemp("cluster")
    with postgres() as server, redis("r3dis") as broker, StandIn(folder / "r2", faults=bucket) as standin:
        fill_table(server)
        settings = {
            **standin.environment(),
            "DATABASE_URL": f"{server}/app",
            "MIGRATION_BATCH_SIZE": "1",
            "BATCHES_PER_RUN": str(BATCHES_PER_RUN),
            "UPLOAD_CONCURRENCY": "2",
            "UNATTENDED": "false",
            "COMPUTE_LOGS_BUCKET": standin.bucket,
            "AWS_ACCESS_KEY_ID": standin.access_key_id,
            "AWS_SECRET_ACCESS_KEY": standin.secret_access_key,
            "AWS_DEFAULT_REGION": "auto",
            "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
            "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
        }
        with Cluster(folder, postgres=server, redis=broker, settings=settings) as made:
            try:
                made.start_workers()
                yield made
            finally:
                made.end_workers()
