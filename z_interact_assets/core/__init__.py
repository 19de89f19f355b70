"""Pure domain code: values in, values out. No I/O, no clock, no environment, no Dagster, no SQL, no S3."""
