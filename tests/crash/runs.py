"""Runs of operations in processes of their own, started through the runner, and their ends."""

import json
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from tests.crash.effects import Point

LEDGER = "ledger.db"
AT_ONCE = 4  # uploads of one process
ERROR, SEEN = "error.txt", "seen.json"  # what a child leaves in its folder
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One child. It is a zombie until somebody waits for it, so its pid is its own until then."""

    runner: "Runner"
    pid: int
    folder: Path

    def wait(self) -> int:
        """Return its exit code, negative for a signal."""
        return self.runner.ask({"wait": self.pid})["code"]

    def finish(self) -> list[tuple[str, dict[str, Any]]]:
        """Wait for its good end; return its effects."""
        code = self.wait()
        assert code == 0, (self.folder / f"{self.pid}.{ERROR}").read_text()
        return [(name, facts) for name, facts in json.loads((self.folder / f"{self.pid}.{SEEN}").read_text())]

    def die(self) -> None:
        """Wait for its death by SIGKILL, and by nothing else."""
        code = self.wait()
        assert code == -signal.SIGKILL, (code, (self.folder / f"{self.pid}.{ERROR}").read_text())


class Runner:
    """The process that forks. A context manager that ends it, and whatever it still has."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.runner"], cwd=_ROOT, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def start(
        self,
        operation: str,
        folder: Path,
        endpoint_url: str,
        *,
        deadly: Point | None = None,
        stepwise: bool = False,
        ledger_url: str | None = None,
    ) -> Run:
        """Start an operation on the site in a folder. `stepwise`: one thing after the other, the same in every run."""
        order = {"operation": operation, "folder": str(folder), "endpoint_url": endpoint_url, "stepwise": stepwise,
                 "ledger_url": ledger_url or f"sqlite:///{folder / LEDGER}",
                 "deadly": list(asdict(deadly).values()) if deadly else None}  # fmt: skip
        return Run(runner=self, pid=self.ask({"start": order})["pid"], folder=folder)

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send one request; return its answer."""
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(request), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())
