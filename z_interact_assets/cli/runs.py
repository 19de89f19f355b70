"""Running jobs in this process against the shared instance, with Ctrl-C that finishes what is in flight.

The job runs in a thread of its own: Dagster takes over SIGINT in the main thread, where we want it to mean "stop
taking new work".
"""

import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from z_interact_assets.cli.dagster_home import open_instance
from z_interact_assets.cli.errors import INTERRUPTED
from z_interact_assets.defs.resources import RunObserver
from z_interact_assets.migrate.progress import Progress, ProgressListener, ignore_progress
from z_interact_assets.storage.objects import R2Store
from z_interact_assets.workspace import Workspace

if TYPE_CHECKING:
    from dagster import DagsterInstance

# Dagster's UI finds a job's runs by this tag; a run that was not launched through a code location lacks it.
_REPOSITORY_TAG = {".dagster/repository": "__repository__@z_interact_assets", "launched_by": "command line"}
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


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
        self._instance = open_instance(workspace.settings.home)
        self._defs = build_defs({"workspace": workspace, "observer": self.observer, "r2": _OpenedStore(workspace)})

    @property
    def instance(self) -> "DagsterInstance":
        """The instance the runs are recorded in."""
        return self._instance

    def run(self, job: str, *, config: Mapping[str, Any] | None = None, tags: Mapping[str, str] | None = None) -> bool:
        """Run the job to its end; whether it succeeded. Raises our own error if that is why it did not."""
        self.observer.error = None
        outcome: list[Any] = []

        def work() -> None:
            try:
                result = self._defs.resolve_job_def(job).execute_in_process(
                    instance=self._instance,
                    tags={**_REPOSITORY_TAG, **(tags or {})},
                    run_config={**_QUIET, **(config or {})},
                    raise_on_error=False,
                )
                outcome.append(result.success)
            except BaseException as error:  # noqa: BLE001 - raised again in the main thread
                outcome.append(error)

        thread = threading.Thread(target=work, name=f"job {job}")
        thread.start()
        while thread.is_alive():
            thread.join(timeout=0.2)
        if isinstance(outcome[0], BaseException):
            raise outcome[0]
        if self.observer.error is not None and not self.observer.totals:
            raise self.observer.error
        return bool(outcome[0])

    def close(self) -> None:
        """Give the instance back."""
        self._instance.dispose()


@contextmanager
def opened_runs(workspace: Workspace) -> Iterator[Runs]:
    """Yield Runs on the workspace's own Dagster home."""
    runs = Runs(workspace)
    try:
        yield runs
    finally:
        runs.close()


def op_config(op: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return run config for one op, leaving out what is None."""
    return {"ops": {op: {"config": {name: value for name, value in config.items() if value is not None}}}}


@contextmanager
def interruptible(stop: threading.Event, *, how_to_go_on: str) -> Iterator[None]:
    """Make SIGINT and SIGTERM set `stop`; a second one ends the process at once (nothing is lost by that either)."""

    def ask(signum: int, frame: object) -> None:  # noqa: ARG001 - the signature of a handler
        if stop.is_set():
            os._exit(INTERRUPTED)
        stop.set()
        click.echo(f"\nFinishing what is in flight … {how_to_go_on} Once more Ctrl-C ends it at once.", err=True)

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
