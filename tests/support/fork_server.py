"""Starts commands at once, `python -m tests.support.fork_server FD`: it imports everything once and forks for each.

A command is a process of its own, as one that a shell starts: its session, environment, folder, streams, signals and
exit code; Python itself ends it. Only what it would import is there already. `forking` asks for one: a JSON document a
line on the socket FD, `{"arguments": …}` with three files for its streams, or `{"poll": PID}`.
"""

import gc
import json
import os
import runpy
import signal
import socket
import sys
import threading
from importlib import import_module
from typing import Any

PROGRAM = "z_interact_assets"
_STREAMS = 3
_READ_BYTES = 65_536
# What the commands import when they run, late as most of it is. None of it reads the environment or the clock.
_IMPORTED = (
    "alembic.command", "alembic.config", "alembic.ddl.sqlite", "boto3.s3.inject", "cryptography.x509",
    "dagster._core.execution.execute_in_process", "dagster._core.executor.in_process",
    "dagster._core.storage.schedules.sqlite", "dagster._core.storage.sqlite_storage", "dotenv", "pyarrow.parquet",
    "rich.live", "sqlalchemy.dialects.sqlite", "upath.implementations.local", f"{PROGRAM}.cli.migrating",
    f"{PROGRAM}.cli.planning", f"{PROGRAM}.cli.progress", f"{PROGRAM}.cli.reversing", f"{PROGRAM}.cli.stocktaking",
    f"{PROGRAM}.cli.validating", f"{PROGRAM}.defs.build", f"{PROGRAM}.doctor",
)  # fmt: skip


def serve(wire: socket.socket) -> dict[str, Any] | None:
    """Answer until nobody asks any more; in a fork, return the order of what it is to become."""
    children: set[int] = set()
    while request := _received(wire):
        if "poll" in request:
            pid, status = os.waitpid(request["poll"], os.WNOHANG)
            children.discard(pid)
            answer = {"code": os.waitstatus_to_exitcode(status) if pid else None}
        else:
            pid = os.fork()
            if not pid:
                wire.close()
                return request
            children.add(pid)
            answer = {"pid": pid}
            for number in request["streams"]:
                os.close(number)
        wire.sendall(f"{json.dumps(answer)}\n".encode())
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return None


def _received(wire: socket.socket) -> dict[str, Any]:
    data, streams, *_ = socket.recv_fds(wire, _READ_BYTES, _STREAMS)
    while data and not data.endswith(b"\n"):
        data += wire.recv(_READ_BYTES)
    return {**json.loads(data), "streams": streams} if data else {}


def become(order: dict[str, Any]) -> None:
    """Be the command from here on."""
    os.setsid()
    for number, stream in enumerate(order["streams"]):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin, sys.stdout, sys.stderr = _opened(sys.stdin), _opened(sys.stdout), _opened(sys.stderr)
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.path[0] = order["folder"]
    sys.argv = [PROGRAM, *order["arguments"]]
    runpy.run_module(PROGRAM, run_name="__main__", alter_sys=True)


def _opened(stream: Any) -> Any:
    """Open one of the three anew, as Python does when it starts: a terminal or a pipe may be where a file was."""
    number = stream.fileno()
    by_line = number == sys.stderr.fileno() or os.isatty(number)
    return open(
        number, stream.mode, 1 if by_line else -1, encoding=stream.encoding, errors=stream.errors, closefd=False
    )


def main() -> None:
    """Import, then serve."""
    for name in _IMPORTED:
        import_module(name)
    assert threading.active_count() == 1, "a fork would lack the other threads"
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as wire:
        order = serve(wire)
    if order is not None:
        become(order)


if __name__ == "__main__":
    main()
