"""What a backup and a restore came to, as values: the documents of `backup --json` and `restore --json`. No I/O."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from z_interact_assets.backup.manifest import Manifest, Progress

MAX_LISTED_ERRORS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """How far a run is: rows done of total, their bytes, and what is done with them where that is not plain."""

    done: int
    total: int
    bytes: int = 0
    stage: str = ""


MomentListener = Callable[[Moment], None]


def ignore_moment(_: Moment) -> None:
    """Listen to nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupReport:
    """The result of one backup; `bytes` are of its parts. One that was stopped is not `finished`: run it again.

    `unaddressable` rows have no usable id and are not in the backup.
    """

    rows: int
    bytes: int
    parts: int
    ledger_rows: int
    unaddressable: int
    resumed: bool
    folder: str
    duration_seconds: float
    finished: bool

    @classmethod
    def of(cls, result: Manifest | Progress, *, resumed: bool, folder: str, duration_seconds: float) -> Self:
        """Report what is in the folder now: a backup, or the beginning of one."""
        finished = isinstance(result, Manifest)
        parts = result.all_parts if finished else result.parts
        return cls(
            rows=result.rows, bytes=sum(part.bytes for part in parts), parts=len(parts),
            ledger_rows=result.ledger_rows if finished else 0,
            unaddressable=result.unaddressable if finished else 0,
            resumed=resumed, folder=folder, duration_seconds=duration_seconds, finished=finished,
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """Return the document."""
        return {
            "rows": self.rows, "bytes": self.bytes, "parts": self.parts, "ledger_rows": self.ledger_rows,
            "unaddressable": self.unaddressable, "resumed": self.resumed, "folder": self.folder,
            "finished": self.finished, "duration_seconds": round(self.duration_seconds, 3),
        }  # fmt: skip


class Refusal(StrEnum):
    """Why a row was not restored; `sentence` says it in plain words."""

    ROW_CHANGED = "row_changed"
    ROW_REFUSED = "row_refused"
    NOT_UNIQUE = "not_unique"
    NOT_AS_WRITTEN = "not_as_written"
    NOT_IN_BACKUP = "not_in_backup"

    @property
    def sentence(self) -> str:
        """One sentence for a human, without the row's own data."""
        return _SENTENCES[self]


_SENTENCES = {
    Refusal.ROW_CHANGED: "The row is not as in the backup, and not by the migration's work; it was left alone.",
    Refusal.ROW_REFUSED: "The database does not take the row.",
    Refusal.NOT_UNIQUE: "Another row of the table has a value of the row that must be unique.",
    Refusal.NOT_AS_WRITTEN: "The row does not hold what was written: the app changed it, or its column's type did.",
    Refusal.NOT_IN_BACKUP: "The backup has no such row.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreError:
    """One row that was not restored, and why."""

    image_id: str
    reason: Refusal
    message: str


class LedgerFate(StrEnum):
    """What became of the ledger."""

    RESTORED = "restored"
    LEFT_ALONE = "left_alone"  # it knows images
    NOTHING_TO_RESTORE = "nothing_to_restore"  # the backup's knows none


@dataclass(slots=True, kw_only=True)
class RestoreReport:
    """The result of one restore: each chosen row is in exactly one of the counts, unless it was stopped.

    `restored` rows were written over, `inserted` ones were missing; `errors` lists at most MAX_LISTED_ERRORS of those
    that changed or failed. `ledger` is None if it was stopped before that was decided.
    """

    restored: int = 0
    inserted: int = 0
    unchanged: int = 0
    changed: int = 0
    failed: int = 0
    ledger: LedgerFate | None = None
    dry_run: bool = False
    finished: bool = True
    errors: list[RestoreError] = field(default_factory=list[RestoreError])

    @property
    def total(self) -> int:
        """Return how many rows were looked at."""
        return self.restored + self.inserted + self.unchanged + self.changed + self.failed

    def refuse(self, image_id: str, reason: Refusal, detail: str = "") -> None:
        """Count and list a row that was not restored."""
        if reason is Refusal.ROW_CHANGED:
            self.changed += 1
        else:
            self.failed += 1
        if len(self.errors) < MAX_LISTED_ERRORS:
            message = f"{reason.sentence} ({detail})" if detail else reason.sentence
            self.errors.append(RestoreError(image_id=image_id, reason=reason, message=message))

    def to_json(self) -> dict[str, Any]:
        """Return the document."""
        return {
            "total": self.total, "restored": self.restored, "inserted": self.inserted, "unchanged": self.unchanged,
            "changed": self.changed, "failed": self.failed, "ledger": self.ledger and self.ledger.value,
            "finished": self.finished, "dry_run": self.dry_run, "errors": _listed(self.errors),
        }  # fmt: skip


def _listed(errors: Sequence[RestoreError]) -> list[dict[str, str]]:
    return [
        {"image_id": error.image_id, "reason": error.reason.value, "message": error.message}
        for error in sorted(errors, key=lambda error: error.image_id)
    ]
