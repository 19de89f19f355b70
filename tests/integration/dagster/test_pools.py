"""Which runs take the pools that cap writes to the table and reads of the bucket, over all runs."""

import pytest

from tests.integration.dagster.installation import Installation
from z_interact_assets.defs.pools import IMAGES_TABLE, R2_READS


def test_a_run_of_the_command_line_takes_its_place_in_the_pool_too(migrated: Installation):
    run = migrated.instance.get_run_by_id(migrated.migrate().run_id)

    assert run is not None
    assert run.run_op_concurrency is not None
    assert run.run_op_concurrency.all_pools == {IMAGES_TABLE}


@pytest.mark.parametrize(
    ("job", "pools"),
    [
        ("migrate_images", {IMAGES_TABLE}),
        ("reclaim_base64", {IMAGES_TABLE}),
        ("rollback_migration", {IMAGES_TABLE}),
        ("restore_images", {IMAGES_TABLE}),
        ("take_stock", {R2_READS}),
        ("take_stock_and_report", {R2_READS}),
        ("validate_migration", {R2_READS}),
    ],
)
def test_whatever_writes_the_table_or_reads_the_bucket_at_large_is_in_a_pool(
    installation: Installation, job: str, pools: set[str]
):
    nodes = installation.defs.resolve_job_def(job).nodes

    assert {pool for node in nodes for pool in node.definition.pools} >= pools


def test_each_pool_lets_one_run_through_at_a_time(installation: Installation):
    config = installation.instance.get_concurrency_config()

    assert config.pool_config.default_pool_limit == 1
    assert config.pool_config.pool_granularity is not None
    assert config.pool_config.pool_granularity.value == "run"
