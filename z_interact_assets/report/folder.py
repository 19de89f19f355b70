"""The folder of reports: one folder a report, and `latest`, which leads to the newest. What is in them is unknown here.

A report is written under a temporary name, made durable, and renamed: whoever looks finds it whole or not at all, also
after a power loss. `latest` is a relative link, replaced in one step.
"""

import os
import secrets
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from z_interact_assets.core.errors import ReportUnwritableError
from z_interact_assets.storage.durable import sync_folder

LATEST = "latest"
_UNFINISHED = ".unfinished"
_ABANDONED_AFTER_S = 86_400.0  # no report takes a day


def publish(directory: Path, name: str, files: Mapping[str, bytes]) -> Path:
    """Write a report and make it the latest; return its folder. ReportUnwritableError if that cannot be.

    A second report of the same name gets a number: none is ever written over.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _clear_abandoned(directory)
        return _publish(directory, name, files)
    except OSError as error:
        raise ReportUnwritableError(
            f"The report cannot be written to {directory} ({error.strerror or type(error).__name__}).",
            remedy="REPORT_DIR must name a folder we may write to, with room on its disk.",
        ) from error


def _publish(directory: Path, name: str, files: Mapping[str, bytes]) -> Path:
    draft = directory / f".{name}-{secrets.token_hex(4)}{_UNFINISHED}"
    draft.mkdir()
    try:
        for file, data in files.items():
            _write(draft / file, data)
        sync_folder(draft)
        final = _settle(draft, directory, name)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    _lead_to(final)
    return final


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _settle(draft: Path, directory: Path, name: str) -> Path:
    """Give the draft its name, or the first free one after it. Reports are not empty, so rename replaces none."""
    number = 1
    while True:
        final = directory / (name if number == 1 else f"{name}-{number}")
        if not os.path.lexists(final):
            try:
                draft.rename(final)
            except FileExistsError:  # another run's, this very moment
                pass
            except OSError:
                if not os.path.lexists(final):
                    raise
            else:
                sync_folder(directory)
                return final
        number += 1


def _lead_to(final: Path) -> None:
    link = final.parent / f".{LATEST}-{secrets.token_hex(4)}{_UNFINISHED}"
    link.symlink_to(final.name, target_is_directory=True)
    try:
        link.replace(final.parent / LATEST)
    except BaseException:
        link.unlink(missing_ok=True)
        raise
    sync_folder(final.parent)


def _clear_abandoned(directory: Path) -> None:
    """Remove what runs left that were killed."""
    before = time.time() - _ABANDONED_AFTER_S
    for path in directory.glob(f".*{_UNFINISHED}"):
        if path.lstat().st_mtime < before:
            if path.is_symlink():
                path.unlink(missing_ok=True)
            else:
                shutil.rmtree(path, ignore_errors=True)
