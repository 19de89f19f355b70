"""The documents of a backup as values: what the manifest and the progress file say. No file is read here.

Each is JSON with a checksum over itself: SHA-256 of the document without it, as canonical JSON (keys sorted, no white
space, ASCII). Image ids are in it; no payload, no secret, no database URL.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import NoneType
from typing import Any, Self

from z_interact_assets.backup.cells import EXACT_COLUMN, Column, Kind
from z_interact_assets.core.errors import BackupDamagedError, BackupUnusableError

FORMAT = 1
MANIFEST = "manifest.json"
PROGRESS = "progress.json"
PART_NAME = re.compile(r"(?:rows|ledger-[a-z0-9_]+)-\d{5}\.parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One Parquet file. The ids are those of its first and last row, None for a part of the ledger."""

    name: str
    bytes: int
    sha256: str
    rows: int
    first_id: str | None = None
    last_id: str | None = None

    @classmethod
    def parse(cls, found: Mapping[str, Any]) -> Self:
        """Return the part. A name that would lead out of the folder is no part's name."""
        part = cls(**found)
        ids = {type(part.first_id), type(part.last_id)}
        if not PART_NAME.fullmatch(part.name) or min(part.bytes, part.rows) < 0 or not ids <= {str, NoneType}:
            raise ValueError("not a part")
        return part


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What a backup that is not finished has so far."""

    created_at: str
    table: str
    columns: tuple[Column, ...]
    parts: tuple[Part, ...] = ()

    @property
    def rows(self) -> int:
        """Rows in finished parts."""
        return sum(part.rows for part in self.parts)

    @property
    def last_id(self) -> str | None:
        """The id up to which rows are in finished parts."""
        return self.parts[-1].last_id if self.parts else None

    def document(self) -> dict[str, Any]:
        """Return the progress file."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def parse(cls, found: Mapping[str, Any]) -> Self:
        """Return what a progress file says."""
        return cls(
            created_at=found["created_at"], table=found["table"], columns=_columns(found["columns"]),
            parts=_parts(found["parts"]),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A finished backup: the table's rows, the whole ledger, when, and by which version."""

    created_at: str
    finished_at: str
    tool_version: str
    table: str
    columns: tuple[Column, ...]
    parts: tuple[Part, ...]
    unaddressable: int
    ledger_revision: str
    ledger: Mapping[str, tuple[Part, ...]]

    @property
    def rows(self) -> int:
        """Rows of the table."""
        return sum(part.rows for part in self.parts)

    @property
    def ledger_rows(self) -> int:
        """Rows of all ledger tables."""
        return sum(part.rows for parts in self.ledger.values() for part in parts)

    @property
    def all_parts(self) -> tuple[Part, ...]:
        """Every file the manifest answers for."""
        return (*self.parts, *(part for parts in self.ledger.values() for part in parts))

    def document(self) -> dict[str, Any]:
        """Return the manifest."""
        return {
            "format": FORMAT,
            "tool_version": self.tool_version,
            "created_at": self.created_at,
            "finished_at": self.finished_at,
            "table": {
                "name": self.table,
                "columns": [asdict(column) for column in self.columns],
                "exact_column": EXACT_COLUMN,
                "rows": self.rows,
                "unaddressable": self.unaddressable,
                "parts": [asdict(part) for part in self.parts],
            },
            "ledger": {
                "revision": self.ledger_revision,
                "tables": {
                    name: {"rows": sum(part.rows for part in parts), "parts": [asdict(part) for part in parts]}
                    for name, parts in self.ledger.items()
                },
            },
        }

    @classmethod
    def parse(cls, found: Mapping[str, Any]) -> Self:
        """Return what a manifest says; ValueError if its counts are not its parts' sums, or a part comes twice."""
        table, ledger = found["table"], found["ledger"]
        manifest = cls(
            created_at=found["created_at"], finished_at=found["finished_at"], tool_version=found["tool_version"],
            table=table["name"], columns=_columns(table["columns"]), parts=_parts(table["parts"]),
            unaddressable=table["unaddressable"], ledger_revision=ledger["revision"],
            ledger={name: _parts(entry["parts"]) for name, entry in ledger["tables"].items()},
        )  # fmt: skip
        counted = {name: sum(part.rows for part in parts) for name, parts in manifest.ledger.items()}
        if table["rows"] != manifest.rows or counted != {n: entry["rows"] for n, entry in ledger["tables"].items()}:
            raise ValueError("the row counts do not add up")
        names = [part.name for part in manifest.all_parts]
        if len(names) != len(set(names)):
            raise ValueError("a part is named twice")
        return manifest


def is_a_backups(name: str) -> bool:
    """Tell whether a file of this name is one of a backup's."""
    return name in (PROGRESS, MANIFEST) or PART_NAME.fullmatch(name) is not None


def seal(document: Mapping[str, Any]) -> bytes:
    """Return a document as it is written, its checksum in it."""
    whole = {**document, "checksum": _checksum(document)}
    return json.dumps(whole, indent=1, ensure_ascii=True).encode() + b"\n"


def unseal(raw: bytes, *, file: str) -> tuple[dict[str, Any], str]:
    """Return a document and its checksum; BackupDamagedError if it is not whole, BackupUnusableError if it is newer."""
    try:
        document = json.loads(raw)
        checksum = document.pop("checksum")
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        raise BackupDamagedError(f"{file} is not a whole document.", file=file) from None
    if checksum != _checksum(document):
        raise BackupDamagedError(f"{file} does not have the checksum it names.", file=file)
    if document.get("format") != FORMAT:
        raise BackupUnusableError(
            f"{file} has a format this version does not know.", remedy="Use the version of z-interact-assets it names."
        )
    return document, checksum


def _checksum(document: Mapping[str, Any]) -> str:
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _columns(found: list[Mapping[str, str]]) -> tuple[Column, ...]:
    columns = tuple(Column(entry["name"], entry["type"], Kind(entry["kind"])) for entry in found)
    names = [column.name for column in columns]
    if len(names) != len(set(names)) or "id" not in names or EXACT_COLUMN in names:
        raise ValueError("not the columns of a table we back up")
    return columns


def _parts(found: list[Mapping[str, Any]]) -> tuple[Part, ...]:
    return tuple(Part.parse(entry) for entry in found)
