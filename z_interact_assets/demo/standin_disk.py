"""The stand-in's objects on disk: a data file and a JSON file each. Nothing here knows S3 or HTTP.

The JSON file names its data file and is put in place last, so that a crash leaves the old object or the new one, never
a mixture. Nothing is synced: this outlives a restart, not a power cut.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

_UNFINISHED = ".part"
_DESCRIPTION = ".json"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptObject:
    """One object's description. `headers` holds what S3 sends back with it, user metadata included; size in bytes."""

    key: str
    data: str
    size: int
    etag: str
    last_modified: str
    headers: Mapping[str, str]

    @classmethod
    def read(cls, path: Path) -> Self:
        """The description in the file."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))


class DataFile:
    """The bytes of one object as the file-like value moto wants, opened for each read.

    moto keeps one open file an object otherwise: 1,000 objects would be more than many systems allow a process.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = 0

    def seek(self, position: int) -> int:
        """Where the next read starts."""
        self._position = position
        return position

    def read(self, size: int = -1) -> bytes:
        """Bytes from the current position."""
        with self._path.open("rb") as file:
            file.seek(self._position)
            data = file.read(size)
        self._position += len(data)
        return data

    def close(self) -> None:
        """Nothing is held open."""


class ObjectFolder:
    """The objects of one bucket in one folder. Its methods must not run beside each other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[str, KeptObject] = {}

    def load(self) -> list[KeptObject]:
        """Every object that is whole; leftovers of a crash are removed."""
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptions = [KeptObject.read(path) for path in self._folder.glob(f"*{_DESCRIPTION}")]
        self._kept = {kept.key: kept for kept in descriptions if self.path_of(kept).is_file()}
        named = {name for kept in self._kept.values() for name in (kept.data, _stem(kept.key) + _DESCRIPTION)}
        for path in self._folder.iterdir():
            if path.name not in named:
                path.unlink()
        return sorted(self._kept.values(), key=lambda kept: kept.key)

    def keys(self) -> frozenset[str]:
        """The keys kept now."""
        return frozenset(self._kept)

    def path_of(self, kept: KeptObject) -> Path:
        """Where its bytes are."""
        return self._folder / kept.data

    def keep(self, key: str, body: bytes, *, etag: str, last_modified: str, headers: Mapping[str, str]) -> KeptObject:
        """Write the object, in place of what the key held before."""
        stem = _stem(key)
        kept = KeptObject(
            key=key,
            data=f"{stem}.{etag}",
            size=len(body),
            etag=etag,
            last_modified=last_modified,
            headers=dict(headers),
        )
        self._write(kept.data, body)
        self._write(stem + _DESCRIPTION, json.dumps(asdict(kept), indent=1).encode())
        former = self._kept.get(key)
        self._kept[key] = kept
        if former is not None and former.data != kept.data:
            self.path_of(former).unlink(missing_ok=True)
        return kept

    def drop(self, key: str) -> None:
        """Forget the object; one that is not there is none already."""
        kept = self._kept.pop(key, None)
        if kept is not None:
            (self._folder / (_stem(key) + _DESCRIPTION)).unlink(missing_ok=True)
            self.path_of(kept).unlink(missing_ok=True)

    def _write(self, name: str, data: bytes) -> None:
        unfinished = self._folder / f"{name}{_UNFINISHED}"
        unfinished.write_bytes(data)
        unfinished.replace(self._folder / name)


def _stem(key: str) -> str:
    # Keys are case-sensitive and may be 1,024 bytes long; file names are neither everywhere.
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:40]
