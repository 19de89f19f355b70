"""What is in a backup's folder already: nothing, a backup that was begun, a finished one, or something else."""

from dataclasses import replace

from z_interact_assets.backup.cells import Column
from z_interact_assets.backup.folder import UNFINISHED, BackupFolder
from z_interact_assets.backup.manifest import MANIFEST, PROGRESS, Manifest, Part, Progress, is_a_backups, unseal
from z_interact_assets.backup.proving import load_manifest
from z_interact_assets.core.errors import BackupDamagedError, BackupUnusableError

_EMPTY_FOLDER = "Choose an empty folder, or one that does not exist yet."


def ended_already(folder: BackupFolder) -> Manifest | None:
    """Return the manifest of a backup that was killed after its last file; None if there is no manifest.

    BackupUnusableError if the backup there is finished: another one needs another folder.
    """
    names = folder.names()
    if MANIFEST not in names:
        return None
    if PROGRESS not in names:
        raise BackupUnusableError(f"There is a finished backup in {folder.path}.", remedy=_EMPTY_FOLDER)
    return load_manifest(folder)[0]


def begun_before(folder: BackupFolder, table: str, columns: tuple[Column, ...]) -> Progress | None:
    """Return what can be kept of a backup that was begun here, and remove the rest of it; None in an empty folder.

    Kept are the first parts in a row that are still what the progress file says, by their bytes.
    """
    names = folder.names()
    strangers = sorted(name for name in names if not is_a_backups(name.removesuffix(UNFINISHED)))
    if strangers or (PROGRESS not in names and names - {f"{PROGRESS}{UNFINISHED}"}):
        named = f" ({strangers[0]})" if strangers else ""
        raise BackupUnusableError(f"{folder.path} holds something else than a backup{named}.", remedy=_EMPTY_FOLDER)
    if PROGRESS not in names:
        return None
    progress = _read_progress(folder)
    if (progress.table, progress.columns) != (table, columns):
        raise BackupUnusableError(f"{folder.path} holds the beginning of another table's backup.", remedy=_EMPTY_FOLDER)
    kept: list[Part] = []
    for part in progress.parts:
        if part.name not in names or folder.measure(part.name) != (part.bytes, part.sha256):
            break
        kept.append(part)
    for name in sorted(names - {PROGRESS} - {part.name for part in kept}):
        folder.remove(name)
    return replace(progress, parts=tuple(kept))


def _read_progress(folder: BackupFolder) -> Progress:
    try:
        return Progress.parse(unseal(folder.read(PROGRESS), file=PROGRESS)[0])
    except (BackupDamagedError, KeyError, TypeError, ValueError):
        raise BackupUnusableError(
            f"The backup begun in {folder.path} cannot be continued: {PROGRESS} is damaged.", remedy=_EMPTY_FOLDER
        ) from None
