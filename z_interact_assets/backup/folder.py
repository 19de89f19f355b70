"""The folder of a backup: files that are there whole or not at all. What is in them is unknown here.

A file is written under a temporary name, made durable, renamed, and the folder made durable, in this order: whatever
has its final name is whole, also after a power loss. Files are closed to other users: they hold prompts and images.
"""

import errno
import fcntl
import hashlib
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from z_interact_assets.core.errors import BackupDamagedError, BackupUnavailableError, BackupUnusableError
from z_interact_assets.storage.durable import sync_folder

UNFINISHED = ".unfinished"
_CHUNK_BYTES = 1024 * 1024
# EFBIG: the limit on the size of files that a shell or a service set (ulimit -f).
_MAY_PASS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENFILE, errno.EMFILE})


class GrowingFile(io.RawIOBase):
    """A file while it is written: counts and hashes what passes through."""

    def __init__(self, raw: BinaryIO) -> None:
        super().__init__()
        self._raw = raw
        self._hash = hashlib.sha256()
        self._abandoned = False
        self.size = 0

    def writable(self) -> bool:
        """Tell that it is for writing."""
        return True

    def tell(self) -> int:
        """Return how much was written."""
        return self.size

    def write(self, data: Any) -> int:
        """Write and hash."""
        length = memoryview(data).nbytes
        if not self._abandoned:
            self._raw.write(data)
            self._hash.update(data)
        self.size += length
        return length

    def abandon(self) -> None:
        """Take no more in: whoever writes may end its document, but nobody wants it any more."""
        self._abandoned = True

    @property
    def sha256(self) -> str:
        """The hash so far, in lower-case hex."""
        return self._hash.hexdigest()


@dataclass(frozen=True, slots=True)
class BackupFolder:
    """One folder, by its path."""

    path: Path

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder if it is not there, and keep others from writing or reading a backup in it meanwhile."""
        with disk_errors():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.mkdir(mode=0o700, exist_ok=True)
            sync_folder(self.path.parent)
        with self._locked(fcntl.LOCK_EX):
            yield

    @contextmanager
    def held_for_reading(self) -> Iterator[None]:
        """Keep others from writing a backup into the folder; any number may read it at the same time."""
        with self._locked(fcntl.LOCK_SH):
            yield

    def names(self) -> set[str]:
        """Return the names of everything in it."""
        with disk_errors():
            return {entry.name for entry in self.path.iterdir()}

    def read(self, name: str) -> bytes:
        """Return a small file; BackupDamagedError if it is not there."""
        with disk_errors(), self._present(name):
            return (self.path / name).read_bytes()

    def measure(self, name: str) -> tuple[int, str]:
        """Return a file's size and SHA-256, read from the disk; BackupDamagedError if it is not there."""
        size, found = 0, hashlib.sha256()
        with disk_errors(), self._present(name), (self.path / name).open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                size += len(chunk)
                found.update(chunk)
        return size, found.hexdigest()

    @contextmanager
    def writing(self, name: str) -> Iterator[GrowingFile]:
        """Yield a file that gets its name, and is durable, when the block has ended without an error."""
        unfinished = self.path / f"{name}{UNFINISHED}"
        with disk_errors():
            with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as raw:
                yield GrowingFile(raw)
                raw.flush()
                os.fsync(raw.fileno())
            unfinished.replace(self.path / name)
            sync_folder(self.path)

    def write(self, name: str, data: bytes) -> None:
        """Write a small file."""
        with self.writing(name) as file:
            file.write(data)

    def remove(self, name: str) -> None:
        """Remove a file, durably."""
        with disk_errors():
            (self.path / name).unlink(missing_ok=True)
            sync_folder(self.path)

    @contextmanager
    def _locked(self, kind: int) -> Iterator[None]:
        with disk_errors():
            handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._lock(handle, kind)
            yield
        finally:
            os.close(handle)

    def _lock(self, handle: int, kind: int) -> None:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupUnusableError(
                f"A backup is being made or restored in {self.path}.", remedy="Wait for it, or choose another folder."
            ) from None

    @contextmanager
    def _present(self, name: str) -> Iterator[None]:
        try:
            if not stat.S_ISREG((self.path / name).stat().st_mode):  # a pipe would be waited for without end
                raise BackupDamagedError(f"{name} is no file.", file=name)
            yield
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise BackupDamagedError(f"{name} is not there.", file=name) from None


@contextmanager
def disk_errors() -> Iterator[None]:
    """Raise BackupUnavailableError for a full or failing disk, BackupUnusableError for what is in the way."""
    try:
        yield
    except OSError as error:
        sentence = error.strerror or type(error).__name__
        if error.errno in _MAY_PASS:
            raise BackupUnavailableError(
                f"The backup's folder cannot be written: {sentence}.",
                remedy="Free space there (or mend the disk), then run the same again: finished parts are kept.",
            ) from error
        raise BackupUnusableError(
            f"The backup's folder cannot be used: {sentence}.", remedy="Check its path, owner and mode."
        ) from error
