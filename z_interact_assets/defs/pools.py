"""Concurrency pools: what must not run twice at once, over all runs and workers. `dagster.yaml` sets their limits."""

IMAGES_TABLE = "images_table"  # whatever writes the app's table
R2_READS = "r2_reads"  # whatever lists the bucket or reads it at large
