"""The toll of a test run: how many faults were injected, by kind and by request, over all of xdist's workers.

`tests/conftest.py` takes the hooks; the table is printed at the end of a run that injected any, with `-v`.
"""

from collections import Counter
from typing import Any

import pytest

_toll: Counter[tuple[str, str]] = Counter()
_WORKERS_WORD = "injected_faults"


def note_fault(kind: str, request: str) -> None:
    """Count one."""
    _toll[kind, request] += 1


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands over what it counted."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_WORKERS_WORD] = [[*what, count] for what, count in _toll.items()]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """The controller adds it up."""
    for kind, request, count in getattr(node, "workeroutput", {}).get(_WORKERS_WORD, ()):
        _toll[kind, request] += count


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table."""
    if not _toll or terminalreporter.verbosity < 1:
        return
    requests = sorted({request for _, request in _toll})
    terminalreporter.section(f"{_toll.total():,} faults injected")
    terminalreporter.write_line(_line("", [*requests, "all"]))
    for kind in sorted({kind for kind, _ in _toll}):
        counts = [_toll[kind, request] for request in requests]
        terminalreporter.write_line(_line(kind, [*counts, sum(counts)]))


def _line(first: str, cells: list[Any]) -> str:
    return f"{first:<22}" + "".join(f"{cell!s:>{max(len(str(cell)), 12) + 1}}" for cell in cells)
