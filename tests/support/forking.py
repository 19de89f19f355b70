"""Commands that `fork_server` starts: what a test holds of one. It has the methods of `subprocess.Popen` we use."""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Lock, Timer
from time import sleep
from typing import Any

_ROOT = Path(__file__).parents[2]
PATIENCE_S = 90.0
_POLL_S = 0.004
# What Python reads only when it starts.
_AT_START = ("PYTHON", "LANG", "LC_")


class ForkServer:
    """The process that forks, and the wire to it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._wire, theirs = socket.socketpair()
        self._lock = Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.fork_server", str(theirs.fileno())], cwd=_ROOT,
            env={**environment, "PYTHONPATH": str(_ROOT)}, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        theirs.close()

    def ask(self, request: Mapping[str, Any], streams: Sequence[int] = ()) -> dict[str, Any]:
        """Send one request; return its answer."""
        with self._lock:
            socket.send_fds(self._wire, [f"{json.dumps(request)}\n".encode()], streams)
            answer = self._wire.recv(1024)
        assert answer, "the fork server is gone"
        return json.loads(answer)

    def close(self) -> None:
        """End it, and whatever it still has."""
        self._wire.close()
        self._process.wait()


@cache
def fork_server(at_start: frozenset[tuple[str, str]]) -> ForkServer:
    """Return this test process's own one, started with these variables."""
    server = ForkServer({"PATH": os.environ["PATH"], **dict(at_start)})
    atexit.register(server.close)
    return server


class Forked:
    """A command, running or ended."""

    def __init__(
        self, arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], stderr: int | None = None
    ) -> None:
        at_start = {item for item in environment.items() if item[0].startswith(_AT_START)}
        self._server = fork_server(frozenset(at_start))
        self.returncode: int | None = None
        out, their_out = os.pipe()
        error, their_error = os.pipe() if stderr is None else (None, os.dup(stderr))
        nothing = os.open(os.devnull, os.O_RDONLY)
        order = {"arguments": arguments, "folder": str(folder), "environment": dict(environment)}
        self.pid: int = self._server.ask(order, [nothing, their_out, their_error])["pid"]
        for number in (nothing, their_out, their_error):
            os.close(number)
        self.stdout = os.fdopen(out, encoding="utf-8")
        self.stderr = None if error is None else os.fdopen(error, encoding="utf-8")

    def poll(self) -> int | None:
        """Return its exit code, negative for a signal; None while it runs."""
        if self.returncode is None:
            self.returncode = self._server.ask({"poll": self.pid})["code"]
        return self.returncode

    def send_signal(self, number: signal.Signals) -> None:
        """Send it if it runs: until its end is asked for, its pid is its own."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def wait(self) -> int:
        """Return its exit code when it has ended."""
        while (code := self.poll()) is None:
            sleep(_POLL_S)
        return code

    def communicate(self, timeout: float = PATIENCE_S) -> tuple[str, str]:
        """Read what it says until it ends. One that takes longer is killed, with its group."""
        overdue = Timer(timeout, self._kill)
        overdue.start()
        try:
            return self._read_to_end()
        finally:
            overdue.cancel()

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def _read_to_end(self) -> tuple[str, str]:
        streams = [stream for stream in (self.stdout, self.stderr) if stream is not None]
        with ThreadPoolExecutor(len(streams)) as pool:
            said = list(pool.map(lambda stream: stream.read(), streams))
        self.wait()
        for stream in streams:
            stream.close()
        return said[0], "".join(said[1:])
