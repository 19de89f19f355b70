"""Dagster as people run it: code server, webserver and daemon, processes of their own on one home, asked by GraphQL.

What differs from production is patience: our dagster.yaml, but polled each second, unless it is to be as it is.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Self

import urllib3
import yaml

REPOSITORY = Path(__file__).parents[2]
LOCATION = "z_interact_assets"
PATIENCE_S = 240.0  # a run that is lost is noticed after 90 s; and machines are slow at times
_ENDING_S = 3.0  # a code server that is asked to end waits for its clients for 20 s

# Backfills go on in rounds of 30 s, for which Dagster has no setting, and one takes three of them.
_DAEMON = """
import dagster._daemon.controller as controller
controller.DEFAULT_DAEMON_INTERVAL_SECONDS = 1
from dagster._daemon.cli import main
main()
"""
_IMPATIENT = {
    "run_coordinator": {
        "module": "dagster.core.run_coordinator",
        "class": "QueuedRunCoordinator",
        "config": {"dequeue_interval_seconds": 1},
    },
    "run_monitoring": {"poll_interval_seconds": 1, "cancellation_thread_poll_interval_seconds": 1},
}


class Deployment:
    """A context manager: what it started is ended with it, run workers included."""

    def __init__(
        self, folder: Path, settings: Mapping[str, str], *, module: str = "z_interact_assets.definitions",
        impatient: bool = True,
    ) -> None:  # fmt: skip
        """`folder` is the working folder; the home is in it, the logs are kept in it."""
        self.folder = folder
        self.home = folder / "home"
        self.settings = {**settings, "DAGSTER_HOME": str(self.home)}
        self._module = module
        self._impatient = impatient
        self.port = _free_port()
        self._code_port = _free_port()
        self._graphql = urllib3.PoolManager(retries=False, timeout=60)
        self._parts = ExitStack()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            starting.push(self.__exit__)
            self._prepare()
            self.start_code_server()
            self._start("webserver", "-m", "dagster_webserver", "-h", "127.0.0.1", "-p", str(self.port), "-w", "w.yaml")
            daemon = ("-c", _DAEMON) if self._impatient else ("-m", "dagster._daemon")
            self._start("daemon", *daemon, "run", "-w", "w.yaml")
            self._wait_for(self._knows_the_code, "the webserver")
            starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        for name in ("daemon", "webserver", "code-server"):  # the daemon first: it would start runs anew
            self._end(name)
        self._graphql.clear()
        self._parts.close()

    @property
    def environment(self) -> dict[str, str]:
        """What each process gets: the machine's bare necessities and the settings."""
        machine = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8"}
        quick = {"DAGSTER_EVENT_LOG_CONSUMER_DAEMON_INTERVAL_SECONDS": "1"}
        return {**machine, **quick, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(REPOSITORY), **self.settings}

    def ask(self, query: str, **variables: Any) -> Any:
        """Answer a GraphQL query; an error fails the test."""
        answer = self._graphql.request(
            "POST", f"http://127.0.0.1:{self.port}/graphql", json={"query": query, "variables": variables}
        )
        document = json.loads(answer.data)
        assert "errors" not in document, document["errors"]
        return document["data"]

    def wait_until(self, happened: Callable[[], Any], what: str) -> Any:
        """Wait for a true value, and return it; in vain, the test fails with the end of each log."""
        return self._wait_for(happened, what)

    def start_code_server(self) -> None:
        """Start it, alone or again."""
        self._start(
            "code-server", "-m", "dagster", "api", "grpc", "-m", self._module,
            "-h", "127.0.0.1", "-p", str(self._code_port), "--location-name", LOCATION,
        )  # fmt: skip
        self._wait_for(lambda: _listens(self._code_port), "the code server")
        if "webserver" in self._processes:
            self._wait_for(self._knows_the_code, "the webserver to find the code again")

    def kill_code_server(self) -> None:
        """Kill it and all run workers, as a machine that goes down does."""
        os.killpg(self._processes["code-server"].pid, signal.SIGKILL)
        self._processes.pop("code-server").wait()

    def log(self, name: str) -> str:
        """What a process has written."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def _prepare(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        instance = yaml.safe_load((REPOSITORY / "dagster.yaml").read_text())
        for name, changes in _IMPATIENT.items() if self._impatient else ():
            instance[name] = {**instance.get(name, {}), **changes}
        (self.home / "dagster.yaml").write_text(yaml.safe_dump(instance))
        server = {"grpc_server": {"host": "127.0.0.1", "port": self._code_port, "location_name": LOCATION}}
        (self.folder / "w.yaml").write_text(yaml.safe_dump({"load_from": [server]}))

    def _start(self, name: str, *arguments: str) -> None:
        log = self._parts.enter_context((self.folder / f"{name}.log").open("ab"))
        self._processes[name] = subprocess.Popen(
            [sys.executable, *arguments], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip

    def _end(self, name: str) -> None:
        process = self._processes.pop(name, None)
        if process is None:
            return
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_ENDING_S)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # whatever is left of its group
        process.wait()

    def _knows_the_code(self) -> bool:
        found = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }"
        with suppress(urllib3.exceptions.HTTPError):
            return bool(self.ask(found)["repositoriesOrError"].get("nodes"))
        return False

    def _wait_for(self, happened: Callable[[], Any], what: str) -> Any:
        deadline = monotonic() + PATIENCE_S
        while not (value := happened()):
            ended = [name for name, process in self._processes.items() if process.poll() is not None]
            if ended or monotonic() > deadline:
                tails = {name: self.log(name)[-3_000:] for name in ("code-server", "webserver", "daemon")}
                raise AssertionError(f"waited in vain for {what}; ended: {ended}\n" + _headed(tails))
            sleep(0.1)
        return value


def _headed(texts: Mapping[str, str]) -> str:
    return "\n".join(f"--- {name}\n{text}" for name, text in texts.items())


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
