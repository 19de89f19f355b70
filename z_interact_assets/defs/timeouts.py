"""How long a run may take before the daemon ends it. Generous: they are for runs that hang, not for slow ones.

Dagster reads the tag from the run, so runs launched without a job (a backfill) have `dagster.yaml`'s default instead.
"""

_MAX_RUNTIME_S = "dagster/max_runtime"

A_DAY = {_MAX_RUNTIME_S: "86400"}  # what moves or reads images
TWO_HOURS = {_MAX_RUNTIME_S: "7200"}  # what counts and lists
