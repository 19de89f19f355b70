"""The folder of reports: one folder a report, and `latest`, which leads to the newest. What is in them is unknown here.

A report is written under a temporary name, made durable, and renamed: whoever looks finds it whole or not at all, also
after a power loss. `latest` is a relative link, replaced in one step. Old reports go when the new one is in place, and
nothing else ever does: a folder that does not look like a report of ours is not ours to remove.
"""

import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from z_interact_assets.core.errors import ReportUnwritableError
from z_interact_assets.core.times import iso_utc
from z_interact_assets.storage.durable import sync_folder

LATEST = "latest"
MANIFEST = "datapackage.json"  # the last file of a report; a folder without it is none

_NAME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ)(?:-([1-9]\d{0,5}))?")
_UNFINISHED = ".unfinished"
_ABANDONED_AFTER_S = 86_400.0  # no report takes a day


class Draft:
    """A report that is being written: `folder` is where its files go, and afterwards where the whole report is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder


def name_of(now_ms: int) -> str:
    """Return the name of a report made at that time: the time, as a folder may be called anywhere."""
    return f"{iso_utc(now_ms, timespec='seconds').removesuffix('+00:00').replace(':', '-')}Z"


def age_rank(name: str) -> tuple[str, int] | None:
    """Return by what reports are ordered, oldest first; None for a name that is none of ours."""
    match = _NAME.fullmatch(name)
    return None if match is None else (match[1], int(match[2] or 1))


@contextmanager
def drafted(directory: Path, name: str, *, keep: int) -> Iterator[Draft]:
    """Yield a draft to be filled; at the end of the block it is a report, and the latest. At most `keep` stay.

    If the block raises, nothing is left of it. ReportUnwritableError if the disk or its rights do not take the report.
    A second report of the same name gets a number: none is ever written over.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _clear_abandoned(directory)
        draft = Draft(directory / f".{name}-{secrets.token_hex(4)}{_UNFINISHED}")
        draft.folder.mkdir()
        try:
            yield draft
            _make_durable(draft.folder)
            draft.folder = _settle(draft.folder, directory, name)
        except BaseException:
            shutil.rmtree(draft.folder, ignore_errors=True)
            raise
        _lead_to(draft.folder)
    except OSError as error:
        raise ReportUnwritableError(
            f"The report cannot be written to {directory} ({error.strerror or type(error).__name__}).",
            remedy="REPORT_DIR (or --out) must name a folder we may write to, with room on its disk.",
        ) from error
    _retire(directory, keep)


def _make_durable(folder: Path) -> None:
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    sync_folder(folder)


def _settle(draft: Path, directory: Path, name: str) -> Path:
    """Give the draft its name, or the next number of it. Reports are not empty, so rename replaces none.

    A number that became free is not used again: its report would look older than it is.
    """
    number = max((_number(path.name, name) for path in directory.iterdir()), default=0)
    while True:
        number += 1
        final = directory / (name if number == 1 else f"{name}-{number}")
        try:
            draft.rename(final)
        except OSError:
            if not os.path.lexists(final):
                raise
            continue  # another run's, this very moment
        sync_folder(directory)
        return final


def _number(found: str, name: str) -> int:
    """Return which report of this name it is, 0 if it is none."""
    if found == name:
        return 1
    number = found.removeprefix(f"{name}-")
    return int(number) if number != found and number.isascii() and number.isdecimal() else 0


def _lead_to(final: Path) -> None:
    link = final.parent / f".{LATEST}-{secrets.token_hex(4)}{_UNFINISHED}"
    link.symlink_to(final.name, target_is_directory=True)
    try:
        link.replace(final.parent / LATEST)
    except BaseException:
        link.unlink(missing_ok=True)
        raise
    sync_folder(final.parent)


def _retire(directory: Path, keep: int) -> None:
    """Remove the oldest reports beyond `keep`; one that cannot be removed is left for the next time."""
    latest = (directory / LATEST).resolve()
    found = [(rank, path) for path in directory.iterdir() if (rank := age_rank(path.name)) and _is_report(path)]
    for _, path in sorted(found)[:-keep]:
        if path.resolve() == latest:
            continue
        doomed = directory / f".{path.name}-{secrets.token_hex(4)}{_UNFINISHED}"
        try:
            path.rename(doomed)  # at once: half a report must not look like one
        except OSError:
            continue
        shutil.rmtree(doomed, ignore_errors=True)


def _is_report(path: Path) -> bool:
    manifest = path / MANIFEST
    return path.is_dir() and not path.is_symlink() and manifest.is_file() and not manifest.is_symlink()


def _clear_abandoned(directory: Path) -> None:
    """Remove what runs left that were killed."""
    before = time.time() - _ABANDONED_AFTER_S
    for path in directory.glob(f".*{_UNFINISHED}"):
        if path.lstat().st_mtime < before:
            if path.is_symlink():
                path.unlink(missing_ok=True)
            else:
                shutil.rmtree(path, ignore_errors=True)
