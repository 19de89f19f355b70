"""Celery as Dagster's run launcher, with an eye on the workers.

dagster_celery believes the last state that a worker wrote. One that was killed outright, or whose machine went down,
wrote "started", and its run would be going on for ever, and keep its place in the queue. Here the workers are asked who
has the run in hand.
"""  # noqa: INP001

from collections.abc import Mapping
from time import monotonic
from typing import Any, Self, cast

import dagster as dg
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._serdes import ConfigurableClassData
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

ANSWER_S = 3.0  # how long the workers have for an answer


class WatchfulCeleryRunLauncher(CeleryRunLauncher):
    """A run that no worker has had in hand for `silence_seconds` is lost; run monitoring then fails it, to be retried.

    Two workers on one run would be harmless, only wasteful: batches are leased, and every write is conditional.
    """

    def __init__(self, *, silence_seconds: int, inst_data: ConfigurableClassData | None = None, **config: Any) -> None:
        super().__init__(inst_data=inst_data, **config)
        self._silence_seconds = silence_seconds
        self._missed_since: dict[str, float] = {}

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """What dagster.yaml may hold: CeleryRunLauncher's, and `silence_seconds`."""
        described = "After how many seconds without a sign of it from any worker a run is lost."
        return {
            **cast("dict[str, Any]", super().config_type()),
            "silence_seconds": dg.Field(dg.IntSource, is_required=False, default_value=30, description=described),
        }

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Self:
        """Dagster's way of making one."""
        return cls(inst_data=inst_data, **config_value)

    def terminate(self, run_id: str) -> bool:
        """Note first that somebody asked for it: else the run would end as failed by itself, and be retried."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished or DAGSTER_CELERY_TASK_ID_TAG not in run.tags:
            return False
        self._instance.report_run_canceling(run)
        return super().terminate(run_id)

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Ask the workers, unless the task has failed. Without Redis it raises, and nothing is said of the run.

        A task that has "succeeded" is asked for as well: so ends one that could not tell Dagster of its run's end.
        """
        if DAGSTER_CELERY_TASK_ID_TAG not in run.tags:  # of a command line on this instance: no worker has it
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        written = super().check_run_worker_health(run)
        if written.status is WorkerStatus.FAILED:
            return written
        if self._is_in_hand(run.tags[DAGSTER_CELERY_TASK_ID_TAG]):
            self._missed_since.pop(run.run_id, None)
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        silence = monotonic() - self._missed_since.setdefault(run.run_id, monotonic())
        if silence < self._silence_seconds:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        del self._missed_since[run.run_id]
        return CheckRunHealthResult(
            WorkerStatus.FAILED, f"No Celery worker has had the run in hand for {silence:.0f} s."
        )

    def _is_in_hand(self, task_id: str) -> bool:
        answers = self.celery.control.inspect(timeout=ANSWER_S).query_task(task_id) or {}
        return any(task_id in tasks for tasks in answers.values())
