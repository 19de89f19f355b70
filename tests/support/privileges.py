"""File modes mean nothing to root: tests of them act as somebody else."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NOBODY = 65_534


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """A folder that any user may enter and write to; pytest's own are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="z-interact-test-"))
    folder.chmod(0o777)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def without_privileges() -> Iterator[None]:
    """Be nobody for a while, if we are root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
