"""Settings of the Celery workers: dagster_celery.app reads them from a module of this name on PYTHONPATH.

Not by `dagster-celery worker start`: it writes the broker's password to a file, and passes no SIGTERM on.
"""  # noqa: INP001

import os

broker_url = os.environ["CELERY_BROKER_URL"]
result_backend = os.environ["CELERY_RESULT_BACKEND"]
broker_connection_retry_on_startup = True

# A worker takes a task from Redis when it is free to start it, so that none waits behind a long run while another
# worker is idle; it is acknowledged when it starts. What was taken and not started is put back after this long.
worker_disable_prefetch = True
worker_prefetch_multiplier = 1
broker_transport_options = {"visibility_timeout": 60}

# A run's state must outlive the run.
result_expires = 30 * 24 * 3600
# Dagster captures what a run prints by itself.
worker_redirect_stdouts = False
