"""The dynamic partition of a migration batch. The ledger is the truth; the instance only mirrors its keys."""

import dagster as dg

from z_interact_assets.storage.ledger import Ledger

MIGRATION_BATCH = "migration_batch"
migration_batch_partitions = dg.DynamicPartitionsDefinition(name=MIGRATION_BATCH)

RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"

# psycopg sends at most 65,535 parameters a statement; SQLite takes 10,000 keys in 0.05 s.
_KEYS_A_CALL = 10_000


def mirror_batches(instance: dg.DagsterInstance, ledger: Ledger) -> int:
    """Add the partitions the instance lacks, in the order of the batches; return how many were added."""
    present = set(instance.get_dynamic_partitions(MIGRATION_BATCH))
    absent = [key for key in ledger.planning.batch_keys() if key not in present]
    for start in range(0, len(absent), _KEYS_A_CALL):
        instance.add_dynamic_partitions(MIGRATION_BATCH, absent[start : start + _KEYS_A_CALL])
    return len(absent)


def range_tags(first: str, last: str) -> dict[str, str]:
    """Return the tags by which one run takes all batches from the first to the last."""
    return {RANGE_START: first, RANGE_END: last}


def in_runs_of(batches: int | None, asset: dg.AssetsDefinition) -> dg.AssetsDefinition:
    """Return the asset with its backfills cut into runs of at most so many batches each; None: one run takes all.

    For several workers: each takes a run. On one machine more runs are no faster, only more bookkeeping.
    """
    if batches is None:
        return asset
    return asset.with_attributes(backfill_policy=dg.BackfillPolicy.multi_run(batches))
