"""The engine that needs nothing: the seeds, then changes of them by chance, the same for the same number."""

import random
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from types import FrameType

from tests.fuzz.mutations import mutate
from tests.fuzz.targets import LONGEST_INPUT, MEMORY, SECONDS_EACH, TARGETS, seeds


class Finding(Exception):  # noqa: N818 - what a fuzzer finds is called that
    """An input that breaks a rule or a bound; it is in the file `path`."""

    def __init__(self, path: Path, cause: BaseException) -> None:
        super().__init__(f"{type(cause).__name__}: {cause} (input in {path})")
        self.path = path


def run(target: str, folder: Path, *, seconds: float, most: int = sys.maxsize, number: int = 0) -> int:
    """Run the target for so long or so often; return how often. Raise Finding at the first one."""
    check, pool, chance = TARGETS[target], seeds(target), random.Random(number)
    whole = iter(pool)
    ends, executed = monotonic() + seconds, 0
    before = signal.signal(signal.SIGALRM, _too_slow)
    try:
        while executed < most and monotonic() < ends:
            data = next(whole, None) or mutate(chance.choice(pool), chance.choice(pool), chance)[:LONGEST_INPUT]
            _try(check, data, folder)
            executed += 1
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    return executed


def _try(check: Callable[[bytes], None], data: bytes, folder: Path) -> None:
    signal.alarm(SECONDS_EACH)
    try:
        check(data)
        # The highest so far: the first input past the bound is the one that took it.
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < MEMORY // 1024, "it takes too much memory"
    except Exception as error:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "finding"
        path.write_bytes(data)
        raise Finding(path, error) from error


def _too_slow(_signal: int, _frame: FrameType | None) -> None:
    raise AssertionError(f"it takes more than {SECONDS_EACH} s")
