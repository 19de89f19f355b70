"""Our commands as a user starts them: a process of its own, a small environment, a working folder."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Self

from tests.support.forking import Forked
from tests.support.images import base64_of, make_png
from tests.support.tables import AppTable
from z_interact_assets.core.records import LedgerItem
from z_interact_assets.demo.standin import StandIn
from z_interact_assets.storage.ledger import open_ledger

COMMAND = (sys.executable, "-m", "z_interact_assets")
PATIENCE_S = 90.0
_PROGRESS = re.compile(r"[A-Z]\w+: \d+ of \d+ images, .*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout; anything else there is a ValueError."""
        return json.loads(self.stdout)

    @property
    def remarks(self) -> list[str]:
        """What is on stderr beside progress, which a slow machine is told of every 5 s."""
        return [line for line in self.stderr.splitlines() if not _PROGRESS.fullmatch(line)]

    @property
    def output(self) -> str:
        return self.stdout + self.stderr


def small_environment(folder: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """What a command needs of the machine, and these settings; nothing of the test's own environment."""
    machine = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8"}
    # A process with a limit on the size of files would leave cut bytecode in our source tree for everybody else.
    return {**machine, "PYTHONDONTWRITEBYTECODE": "1", **settings}


def run(
    *arguments: str,
    folder: Path,
    settings: Mapping[str, str],
    preexec: Callable[[], None] | None = None,
    cold: bool = False,
) -> Result:
    """Run a command to its end. `cold`, or what needs a `preexec`: as a program of its own, which takes 3 s more."""
    environment = small_environment(folder, settings)
    if not cold and preexec is None:
        forked = Forked(arguments, folder=folder, environment=environment)
        stdout, stderr = forked.communicate(timeout=PATIENCE_S)
        return Result(code=forked.wait(), stdout=stdout, stderr=stderr)
    ended = subprocess.run(
        [*COMMAND, *arguments], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, encoding="utf-8", timeout=PATIENCE_S, check=False, preexec_fn=preexec,
    )  # fmt: skip
    return Result(code=ended.returncode, stdout=ended.stdout, stderr=ended.stderr)


def eventually(happened: Callable[[], object], what: str) -> None:
    """Wait until it has happened."""
    deadline = monotonic() + PATIENCE_S
    while not happened():
        assert monotonic() < deadline, f"waited in vain: {what}"
        sleep(0.02)


class Started:
    """A command that runs beside the test, in a process group of its own."""

    def __init__(self, *arguments: str, folder: Path, settings: Mapping[str, str], cold: bool = False) -> None:
        environment = small_environment(folder, settings)
        self.process: subprocess.Popen[str] | Forked
        if not cold:
            self.process = Forked(arguments, folder=folder, environment=environment)
            return
        self.process = subprocess.Popen(
            [*COMMAND, *arguments], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", start_new_session=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.communicate()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> Result:
        """Wait for its end."""
        stdout, stderr = self.process.communicate(timeout=PATIENCE_S)
        return Result(code=self.process.wait(), stdout=stdout, stderr=stderr)


class Site:
    """A working folder, the app's table in it, and a bucket."""

    def __init__(self, folder: Path, standin: StandIn) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.standin = standin
        self.app = AppTable(folder / "local.db")
        self.settings = standin.environment()

    @property
    def ledger_path(self) -> Path:
        return self.folder / ".dagster_home" / "ledger.db"

    @property
    def puts(self) -> int:
        """PUTs of objects the bucket has seen, refused ones included."""
        return self.standin.requests["PUT", "object"]

    def add_images(self, count: int, *, first: int = 0) -> list[str]:
        """Add rows with an image of their own each."""
        ids = [f"image-{number:03}" for number in range(first, first + count)]
        self.app.add_many(
            [{"id": row_id, "image_data": base64_of(make_png(10_000 + first + n))} for n, row_id in enumerate(ids)]
        )
        return ids

    def run(self, *arguments: str, **changes: str) -> Result:
        return run(*arguments, folder=self.folder, settings={**self.settings, **changes})

    def start(self, *arguments: str, **changes: str) -> Started:
        return Started(*arguments, folder=self.folder, settings={**self.settings, **changes})

    def items(self) -> Sequence[LedgerItem]:
        with closing(open_ledger(f"sqlite:///{self.ledger_path}", create=False)) as ledger:
            return list(ledger.ask.items())

    def stored_keys(self) -> list[str]:
        """The bucket's keys, as its folder tells them."""
        folder = self.standin.folder / "buckets" / self.standin.bucket
        return sorted(json.loads(path.read_text())["key"] for path in folder.glob("*.json"))

    def claimed_keys(self) -> list[str]:
        """The keys the ledger knows."""
        return sorted(item.object_key for item in self.items() if item.object_key)


NewSite = Callable[..., Site]
