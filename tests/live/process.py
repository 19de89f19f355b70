"""The app's process as a test handles it, and what its journal says afterwards."""

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


class RunningApp:
    """A process that writes when told to."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def write(self, count: int) -> None:
        """Let it make so many writes, and wait until it has."""
        self._order(count)
        self._await()

    @contextmanager
    def writing(self, count: int) -> Iterator[threading.Event]:
        """Let it make so many writes beside us; the event is set once it has. Waits for that at the end."""
        ended = threading.Event()

        def wait() -> None:
            try:
                self._await()
            finally:
                ended.set()

        self._order(count)
        waiting = threading.Thread(target=wait)
        waiting.start()
        try:
            yield ended
        finally:
            waiting.join()

    def _order(self, count: int) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{json.dumps({'writes': count})}\n")
        self._process.stdin.flush()

    def _await(self) -> None:
        assert self._process.stdout
        assert self._process.stdout.readline(), "the app's process has ended"


@contextmanager
def running_app(
    journal: Path, *, seed: int = 1, image_bytes: int = 200, pause_s: float = 0.0, path: str = "", url: str = ""
) -> Iterator[RunningApp]:
    """Start it on `path=` or `url=`; its end is waited for."""
    order = {
        "journal": str(journal),
        "seed": seed,
        "image_bytes": image_bytes,
        "pause_s": pause_s,
        "path": path,
        "url": url,
    }
    with subprocess.Popen(
        [sys.executable, "-m", "tests.live.app", json.dumps(order)], cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        yield RunningApp(process)
        assert process.stdin
        process.stdin.close()
        assert process.wait() == 0


@dataclass(slots=True)
class Written:
    """What a row was last written as, and every primary image it had since its URL was last written.

    `columns` is None once it is deleted.
    """

    columns: dict[str, Any] | None = None
    since_url: list[str] = field(default_factory=list[str])

    def write(self, columns: dict[str, Any] | None) -> None:
        """Take one write in."""
        if columns is None or "id" in columns:
            self.columns, self.since_url = columns, []
        elif self.columns is not None:
            self.columns = self.columns | columns
            if "image_url" in columns:
                self.since_url = []
        if self.columns is not None and (text := self.columns["image_data"] or self.columns["image_url"]):
            self.since_url.append(text)


class Journal:
    """All that the app has written."""

    def __init__(self, path: Path) -> None:
        self.entries: list[dict[str, Any]] = [
            json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()
        ]
        self.rows: dict[str, Written] = {}
        for entry in self.entries:
            self.rows.setdefault(entry["id"], Written()).write(entry["columns"])

    def kinds(self) -> Counter[str]:
        """How many writes of each kind."""
        return Counter(entry["kind"] for entry in self.entries)

    def summary(self) -> dict[str, float]:
        """Counts, and the milliseconds of a write that went through and of the whole wait for it."""
        took = sorted(entry["ms"] for entry in self.entries)
        waited = sorted(entry["waited_ms"] for entry in self.entries)
        refused = sum(entry["busy"] > 0 for entry in self.entries)
        return {
            "writes": len(took), "refused": refused, "refused_per_1000": round(1000 * refused / len(took), 2),
            "median_ms": round(took[len(took) // 2], 2), "p99_ms": round(took[len(took) * 99 // 100], 2),
            "max_ms": round(took[-1], 2), "longest_wait_ms": round(waited[-1], 2),
        }  # fmt: skip
