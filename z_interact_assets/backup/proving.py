"""Proving a backup whole: the manifest by its checksum, each file by size, SHA-256, columns and rows. Reads only."""

import threading

from z_interact_assets.backup.cells import EXACT_COLUMN, from_record
from z_interact_assets.backup.folder import BackupFolder
from z_interact_assets.backup.manifest import MANIFEST, PROGRESS, Manifest, Part, is_a_backups, unseal
from z_interact_assets.backup.parts import count_rows, read_columns, row_schema
from z_interact_assets.backup.report import Moment, MomentListener, ignore_moment
from z_interact_assets.core.errors import BackupDamagedError, BackupUnusableError

_TOLD = ("id", EXACT_COLUMN)


def load_manifest(folder: BackupFolder) -> tuple[Manifest, str]:
    """Return the manifest and its checksum. BackupUnusableError where there is no finished backup."""
    names = folder.names()
    if MANIFEST not in names and PROGRESS in names:
        raise BackupUnusableError(
            f"The backup in {folder.path} is not finished.", remedy="Run `z-interact-assets backup` on it again."
        )
    if not any(is_a_backups(name) for name in names):
        raise BackupUnusableError(f"There is no backup in {folder.path}.", remedy="Check the path.")
    document, checksum = unseal(folder.read(MANIFEST), file=MANIFEST)
    try:
        return Manifest.parse(document), checksum
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BackupDamagedError(f"{MANIFEST} does not say what it should.", file=MANIFEST) from None


def prove_whole(
    folder: BackupFolder, *, listen: MomentListener = ignore_moment, stop: threading.Event | None = None
) -> tuple[Manifest, str] | None:
    """Return the manifest and its checksum once every file was read and found right; None if it was stopped before.

    BackupDamagedError names the file that is absent, too many or not what the manifest says.
    """
    manifest, checksum = load_manifest(folder)
    # A backup that was killed after its last file has its progress file yet.
    strangers = folder.names() - {MANIFEST, PROGRESS} - {part.name for part in manifest.all_parts}
    if strangers:
        stranger = min(strangers)
        raise BackupDamagedError(f"{stranger} is in the folder but not in {MANIFEST}.", file=stranger)
    total, done, read = manifest.rows + manifest.ledger_rows, 0, 0
    for part in manifest.all_parts:
        if stop is not None and stop.is_set():
            return None
        _prove_bytes(folder, part)
        _prove_records(folder, part, manifest)
        done, read = done + part.rows, read + part.bytes
        listen(Moment(done=done, total=total, bytes=read, stage="Proving the backup"))
    return manifest, checksum


def _prove_bytes(folder: BackupFolder, part: Part) -> None:
    size, sha256 = folder.measure(part.name)
    if size != part.bytes:
        raise BackupDamagedError(f"{part.name} has {size:,} bytes instead of {part.bytes:,}.", file=part.name)
    if sha256 != part.sha256:
        raise BackupDamagedError(f"{part.name} does not have the SHA-256 of the manifest.", file=part.name)


def _prove_records(folder: BackupFolder, part: Part, manifest: Manifest) -> None:
    """Compare what can be told without a payload: whoever wrote the manifest may have written the part, too."""
    of_table = part in manifest.parts
    if count_rows(folder, part, row_schema(manifest.columns) if of_table else None) != part.rows:
        raise BackupDamagedError(f"{part.name} has other rows or columns than the manifest.", file=part.name)
    if not of_table:
        return
    nothing = dict.fromkeys(column.name for column in manifest.columns)
    try:
        rows = (from_record({**nothing, **record}, manifest.columns) for record in read_columns(folder, part, _TOLD))
        is_possible = all(isinstance(row["id"], str) for row in rows)
    except ValueError:
        is_possible = False
    if not is_possible:
        raise BackupDamagedError(f"{part.name} holds values that no table has.", file=part.name)
