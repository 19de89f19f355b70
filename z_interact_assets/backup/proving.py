"""Proving a backup whole: the manifest by its checksum, each file by size, SHA-256, columns and rows. Reads only."""

from z_interact_assets.backup.cells import EXACT_COLUMN
from z_interact_assets.backup.folder import BackupFolder
from z_interact_assets.backup.manifest import MANIFEST, PROGRESS, Manifest, unseal
from z_interact_assets.backup.parts import part_rows_and_names
from z_interact_assets.core.errors import BackupDamagedError, BackupUnusableError


def load_manifest(folder: BackupFolder) -> tuple[Manifest, str]:
    """Return the manifest and its checksum. BackupUnusableError where there is no finished backup."""
    names = folder.names()
    if MANIFEST not in names and PROGRESS in names:
        raise BackupUnusableError(
            f"The backup in {folder.path} is not finished.", remedy="Run `z-interact-assets backup` on it again."
        )
    if not names:
        raise BackupUnusableError(f"There is no backup in {folder.path}.", remedy="Check the path.")
    document, checksum = unseal(folder.read(MANIFEST), file=MANIFEST)
    try:
        return Manifest.parse(document), checksum
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BackupDamagedError(f"{MANIFEST} does not say what it should.", file=MANIFEST) from None


def prove_whole(folder: BackupFolder) -> tuple[Manifest, str]:
    """Return the manifest and its checksum once every file was read and found right; BackupDamagedError names it."""
    manifest, checksum = load_manifest(folder)
    names = [*(column.name for column in manifest.columns), EXACT_COLUMN]
    for part in manifest.all_parts:
        size, sha256 = folder.measure(part.name)
        if size != part.bytes:
            raise BackupDamagedError(f"{part.name} has {size:,} bytes instead of {part.bytes:,}.", file=part.name)
        if sha256 != part.sha256:
            raise BackupDamagedError(f"{part.name} does not have the SHA-256 of the manifest.", file=part.name)
        rows, found = part_rows_and_names(folder, part)
        if rows != part.rows or (part in manifest.parts and found != names):
            raise BackupDamagedError(f"{part.name} has other rows or columns than the manifest.", file=part.name)
    return manifest, checksum
