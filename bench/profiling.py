"""Where the service's time goes: pyinstrument over every thread of one migration, as HTML and text, by scenario.

pyinstrument looks at one thread; the service works in many. So each thread gets a profiler of its own, and those of
one name (carrier, the uploads' pool) are put together, without the time they waited for each other.
"""

import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from functools import reduce
from pathlib import Path
from typing import Any

from bench.comparing import Wanted
from bench.contenders import CONTENDERS, Surroundings
from bench.datasets import make_data_set
from bench.errors import BenchError
from bench.places import work_folder
from bench.server import NullServer

_INTERVAL_S = 0.002
_WAITING = frozenset({"lock.acquire", "SimpleQueue.get", "_worker", "wait", "_wait_for_tstate_lock"})


def write_profiles(wanted: Wanted, out: Path) -> Iterator[Path]:
    """Run the service once a scenario under the profiler; yield the files written."""
    service = CONTENDERS["service"]
    for scenario in wanted.scenarios:
        data = make_data_set(scenario.data, wanted.sizes.portions(scenario.data), wanted.cache)
        prefix = (out / f"profile-{scenario.name}").resolve()
        with (
            work_folder(wanted.work, data.table.stat().st_size) as work,
            tempfile.TemporaryDirectory(dir=work) as name,
            NullServer(wanted.cache, scenario.latency) as server,
        ):
            around = Surroundings(
                data=data, folder=Path(name), server=server, workers=0, settings=wanted.settings, sample=0
            )
            shutil.copyfile(data.table, around.table)
            command = [*service.command(around), "--profile", str(prefix)]
            ended = subprocess.run(
                command, env=service.environment(around), cwd=around.folder, capture_output=True, text=True, check=False
            )
        if ended.returncode:
            raise BenchError(f"the profile failed: {ended.stderr[-2000:].strip()}")
        yield from sorted(out.glob(f"profile-{scenario.name}-*"))


def profiled(work: Callable[[], Any], prefix: str) -> Any:
    """Call it with a profiler in every thread; write `prefix`-THREAD.html and .txt for each kind of thread."""
    try:
        from pyinstrument import Profiler
        from pyinstrument.renderers import ConsoleRenderer, HTMLRenderer
        from pyinstrument.session import Session
    except ImportError:
        raise SystemExit("pyinstrument is not installed: pip install pyinstrument") from None

    sessions: dict[str, list[Session]] = {}
    run = threading.Thread.run

    def run_profiled(self: threading.Thread) -> None:
        with Profiler(interval=_INTERVAL_S, async_mode="disabled") as profiler:
            run(self)
        kept(self.name, profiler)

    def kept(name: str, profiler: Profiler) -> None:
        if profiler.last_session is not None:
            sessions.setdefault(re.sub(r"[^a-z]+", "-", name.lower()).strip("-"), []).append(profiler.last_session)

    threading.Thread.run = run_profiled
    try:
        with Profiler(interval=_INTERVAL_S, async_mode="disabled") as profiler:
            result = work()
    finally:
        threading.Thread.run = run
    kept("main", profiler)
    for name, parts in sessions.items():
        whole = reduce(Session.combine, parts)
        whole.frame_records = [(_own(stack), time) for stack, time in whole.frame_records if not _waits(stack)]
        whole.duration = sum(time for _, time in whole.frame_records)
        whole.cpu_time = max(part.cpu_time for part in parts)  # the process's, of the longest of these threads
        Path(f"{prefix}-{name}.html").write_text(HTMLRenderer().render(whole))
        Path(f"{prefix}-{name}.txt").write_text(ConsoleRenderer(unicode=True, color=False).render(whole))
    return result


def _own(stack: list[str]) -> list[str]:
    """Return the stack from the thread's own work on: above it are the thread's name and how threads start."""
    above = next((depth for depth, frame in enumerate(stack) if _function(frame) == "run_profiled"), -1)
    return stack[above + 1 :]


def _waits(stack: list[str]) -> bool:
    """Tell whether the thread waited for another one: for a lock, or for an empty or a full queue."""
    return bool(stack) and _function(stack[-1]) in _WAITING


def _function(frame: str) -> str:
    return frame.partition("\0")[0]
