"""One process and all its children: time, CPU, memory. Nothing here knows what is run."""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_EVERY_S = 0.02
_CHILDREN_EVERY = 10  # looking for children walks all of /proc
_YOUNG_S = 0.5  # until it has become another program, a child's memory is its parent's, and would count twice


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a command took. Memory is in bytes: the highest sum over its process tree, and the main process's own.

    Memory is 0 for a command that ended before anybody could look.
    """

    seconds: float
    cpu_seconds: float
    tree_rss: int
    main_rss: int
    exit_code: int
    stdout: str
    stderr: str


def measure(command: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> Measured:
    """Run the command to its end."""
    with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, env=dict(env), cwd=cwd, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr
        )
        memory = _Memory(process.pid)
        # wait4, because its CPU time is that of the tree, children that have ended included.
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        memory.stop()
        said = [(stream.seek(0), stream.read())[1] for stream in (stdout, stderr)]
    return Measured(
        seconds=seconds,
        cpu_seconds=used.ru_utime + used.ru_stime,
        tree_rss=memory.tree,
        main_rss=memory.main,
        exit_code=process.returncode,
        stdout=said[0],
        stderr=said[1],
    )


class _Memory:
    """Looks at the resident memory of a process tree fifty times a second."""

    def __init__(self, pid: int) -> None:
        self.tree = 0
        self.main = 0
        self._status = Path(f"/proc/{pid}/status")
        self._root = psutil.Process(pid)
        self._children: list[psutil.Process] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        looks = 0
        while True:
            with suppress(psutil.Error, OSError):
                if looks % _CHILDREN_EVERY == 0:
                    grown = time.time() - _YOUNG_S
                    self._children = [
                        child for child in self._root.children(recursive=True) if child.create_time() < grown
                    ]
                self._look()
            looks += 1
            if self._ended.wait(_EVERY_S):
                return

    def _look(self) -> None:
        total = self._root.memory_info().rss
        for child in self._children:
            with suppress(psutil.Error):
                total += child.memory_info().rss
        self.tree = max(self.tree, total)
        for line in self._status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                self.main = max(self.main, int(line.split()[1]) * 1024)
