"""Which process is this, and is that other one still there? Only a process of this machine can be asked about."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

import psutil

# Two looks at one process may differ a little: its start is told as an offset from the boot, whose time gets adjusted.
_SAME_START_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessIdentity:
    """A process among all that ever were: machine, process id, and when it started (seconds since 1970)."""

    host: str
    pid: int
    started_at: float


def this_process() -> ProcessIdentity:
    """Return the identity of the process that asks."""
    return ProcessIdentity(host=_host(), pid=os.getpid(), started_at=psutil.Process().create_time())


def is_gone(process: ProcessIdentity) -> bool:
    """Tell whether a process has certainly ended; of one on another machine nobody here can tell."""
    if process.host != _host():
        return False
    try:
        there = psutil.Process(process.pid)
        same = abs(there.create_time() - process.started_at) < _SAME_START_S
        return not same or there.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False


def _host() -> str:
    """Return the machine's name and, on Linux, its space of process ids: containers may share the former only."""
    try:
        return f"{platform.node()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return platform.node()
