"""Running jobs in this process against the shared instance, with Ctrl-C that finishes what is in flight.

The job runs in a thread of its own: Dagster takes over SIGINT in the main thread, where we want it to mean "stop
taking new work".
"""

import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import click

from z_interact_assets.cli.dagster_home import open_instance
from z_interact_assets.cli.errors import INTERRUPTED
from z_interact_assets.core import errors
from z_interact_assets.core.errors import (
    LedgerUnavailableError,
    LedgerUnusableError,
    PermanentError,
    TransientError,
    ZInteractError,
)
from z_interact_assets.defs.resources import RunObserver
from z_interact_assets.execution.progress import Progress, ProgressListener, ignore_progress
from z_interact_assets.storage.objects import R2Store
from z_interact_assets.storage.sql_errors import SQLErrors
from z_interact_assets.workspace import Workspace

if TYPE_CHECKING:
    from dagster import DagsterInstance, ExecuteInProcessResult

# Dagster's UI finds a job's runs by this tag; a run that was not launched through a code location lacks it.
_REPOSITORY_TAG = {".dagster/repository": "__repository__@z_interact_assets", "launched_by": "command line"}
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
_HOME_ERRORS = SQLErrors("Dagster's home", unusable=LedgerUnusableError, unavailable=LedgerUnavailableError)
_SHOW_CURSOR = "\x1b[?25h"


class RunFailedError(TransientError):
    """A Dagster run ended by an error that is none of ours."""


class CommandObserver(RunObserver):
    """Shows a run's progress and can stop it."""

    def __init__(self) -> None:
        super().__init__()
        self.listen: ProgressListener = ignore_progress

    def progress(self, progress: Progress) -> None:
        """Pass it on."""
        self.listen(progress)


class Runs:
    """Launches jobs of this project for one command."""

    def __init__(self, workspace: Workspace) -> None:
        from z_interact_assets.defs.build import build_defs  # noqa: PLC0415 - imports dagster

        self.observer = CommandObserver()
        with _HOME_ERRORS.translated():
            self._instance = open_instance(workspace.settings.home)
        self._defs = build_defs({"workspace": workspace, "observer": self.observer, "r2": _OpenedStore(workspace)})

    @property
    def instance(self) -> "DagsterInstance":
        """The instance the runs are recorded in."""
        return self._instance

    def run(
        self,
        job: str,
        *,
        config: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        check: bool = True,
    ) -> None:
        """Run the job to its end. What ended it early is in `observer.error` then, and raised unless `check` is off.

        Images that failed are no error: the observer's totals count them.
        """
        self.observer.error = None
        outcome: list[ExecuteInProcessResult | BaseException] = []

        def work() -> None:
            try:
                result = self._defs.resolve_job_def(job).execute_in_process(
                    instance=self._instance,
                    tags={**_REPOSITORY_TAG, **(tags or {})},
                    run_config={**_QUIET, **(config or {})},
                    raise_on_error=False,
                )
                outcome.append(result)
            except BaseException as error:  # noqa: BLE001 - raised again in the main thread
                outcome.append(error)

        thread = threading.Thread(target=work, name=f"job {job}")
        with _streams_kept():
            thread.start()
            while thread.is_alive():
                thread.join(timeout=0.2)
        ended = outcome[0]
        if isinstance(ended, BaseException):
            with _HOME_ERRORS.translated():
                raise ended
        self.observer.error = self.observer.error or _error_of(ended)
        if check and self.observer.error is not None:
            raise self.observer.error

    def close(self) -> None:
        """Give the instance back."""
        self._instance.dispose()


@contextmanager
def _streams_kept() -> Iterator[None]:
    """Give stdout and stderr back to the command, whatever happens.

    Dagster leads them into a file of its home during a step. On a full disk it fails when it flushes that file and
    leaves them there: the command would end with Python's 120, without a word.
    """
    kept = {number: os.dup(number) for number in (1, 2)}
    try:
        yield
    finally:
        for number, copy in kept.items():
            os.dup2(copy, number)
            os.close(copy)


@contextmanager
def opened_runs(workspace: Workspace) -> Iterator[Runs]:
    """Yield Runs on the workspace's own Dagster home; Ctrl-C sets the observer's `stop` meanwhile."""
    runs = Runs(workspace)
    try:
        with interruptible(runs.observer.stop):
            yield runs
    finally:
        with suppress(sqlite3.Error):  # a home on a full disk: the command has said so already
            runs.close()


def _error_of(result: "ExecuteInProcessResult") -> ZInteractError | None:
    """Return what ended a step: an error of ours that the observer did not hear of, or a stranger's.

    A failure without an error in its metadata only says that images failed. Of a stranger only the class is told: its
    text may hold anything.
    """
    for event in result.all_events:
        if not event.is_step_failure:
            continue
        failure = event.step_failure_data.user_failure_data
        if failure is None:
            info = event.step_failure_data.error
            cause = (info.cause or info).cls_name if info else None
            return RunFailedError(
                f"The Dagster run {result.run_id} failed ({cause or 'unknown'}).",
                remedy="What was finished is recorded; the run's page in the Dagster UI says more.",
            )
        if "error" in failure.metadata:
            kind = getattr(errors, str(failure.metadata["error"].value), TransientError)
            return (TransientError if issubclass(kind, TransientError) else PermanentError)(failure.description or "")
    return None


@contextmanager
def interruptible(stop: threading.Event) -> Iterator[None]:
    """Make SIGINT and SIGTERM set `stop`; a second one ends the process at once (nothing is lost by that either)."""

    def ask(signum: int, frame: object) -> None:  # noqa: ARG001 - the signature of a handler
        if stop.is_set():
            if sys.stderr.isatty():
                click.echo(_SHOW_CURSOR, nl=False, err=True)  # the progress bar has hidden it
            os._exit(INTERRUPTED)
        stop.set()
        click.echo("\nFinishing what is in flight … (Ctrl-C again ends it at once; nothing is lost by that.)", err=True)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _OpenedStore:
    """Stands in for R2Resource where the command has opened the store already."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def get_store(self) -> R2Store:
        return self._workspace.store
