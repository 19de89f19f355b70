"""Where tables are worked on."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from bench.errors import BenchError

_SHARED = Path("/dev/shm")
_COPIES = 3  # of a table that must fit into memory for the work to be done there


@contextmanager
def work_folder(wanted: Path | None, table_bytes: int) -> Iterator[Path]:
    """Memory where there is room: every round starts from the same there, and no disk's fsync is measured."""
    folder = wanted
    if folder is None:
        room = min(psutil.virtual_memory().available, psutil.disk_usage(str(_SHARED)).free) if _SHARED.is_dir() else 0
        folder = _SHARED if room > _COPIES * table_bytes + 1e9 else Path(tempfile.gettempdir())
    elif not folder.is_dir():
        raise BenchError(f"there is no folder {folder}", remedy="Make it, or leave --work-folder out.")
    with tempfile.TemporaryDirectory(dir=folder, prefix="z-interact-bench-") as name:
        yield Path(name)


def in_memory(folder: Path) -> bool:
    return _SHARED.is_dir() and folder.stat().st_dev == _SHARED.stat().st_dev
