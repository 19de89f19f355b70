"""What a rollback and a reclaim came to, as values: the documents of `rollback --json` and `reclaim --json`. No I/O."""

from dataclasses import dataclass, field
from typing import Any, Self

from z_interact_assets.core.reasons import Reason
from z_interact_assets.reverse.steps import Ended, Step
from z_interact_assets.storage.legacy import DatabaseSize

MAX_LISTED_ERRORS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedImage:
    """One image nothing was done for, and why."""

    image_id: str
    reason: Reason
    detail: str = ""

    def to_json(self) -> dict[str, str]:
        """Return one element of `errors`."""
        sentence = self.reason.sentence
        message = f"{sentence} ({self.detail})" if self.detail else sentence
        return {"image_id": self.image_id, "reason": self.reason.value, "message": message}


@dataclass(slots=True, kw_only=True)
class _Report:
    """What both have in common. `errors` lists at most MAX_LISTED_ERRORS; the counts are whole.

    A run that was stopped is not `complete`.
    """

    dry_run: bool
    done: int = 0
    failed: int = 0
    skipped: int = 0
    complete: bool = True
    errors: list[RefusedImage] = field(default_factory=list[RefusedImage])

    def add(self, step: Step) -> None:
        """Count one image that has ended."""
        self.done += step.ended is Ended.DONE
        self.skipped += step.ended is Ended.SKIPPED
        self.failed += step.ended is Ended.FAILED
        if step.ended is Ended.FAILED and step.reason is not None and len(self.errors) < MAX_LISTED_ERRORS:
            self.errors.append(RefusedImage(image_id=step.record.image_id, reason=step.reason, detail=step.detail))

    def _listed(self) -> list[dict[str, str]]:
        return [error.to_json() for error in sorted(self.errors, key=lambda error: error.image_id)]


@dataclass(slots=True, kw_only=True)
class RollbackReport(_Report):
    """A rollback. Every chosen image is in `done`, `failed` or `skipped`: nothing to give back, or its row is gone.

    `objects_kept` counts objects that were to be deleted and were not: another row names them, or the row does not
    hold their image.
    """

    objects_deleted: int = 0
    objects_kept: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the document."""
        return {
            "total": self.done + self.failed + self.skipped, "rolled_back": self.done, "failed": self.failed,
            "skipped": self.skipped, "objects_deleted": self.objects_deleted, "objects_kept": self.objects_kept,
            "dry_run": self.dry_run, "errors": self._listed(),
        }  # fmt: skip


@dataclass(slots=True, kw_only=True)
class ReclaimReport(_Report):
    """A reclaim. Every chosen image is in `done`, `failed`, `skipped` (its row is gone) or `not_due`. Sizes in bytes.

    `before` and `after` are the room the table's database took, where it can tell: clearing frees pages within it, only
    VACUUM makes it smaller.
    """

    not_due: int = 0
    bytes_reclaimed: int = 0
    before: DatabaseSize | None = None
    after: DatabaseSize | None = None

    def add(self, step: Step) -> None:
        """Count one image that has ended."""
        _Report.add(self, step)
        if step.ended is Ended.DONE:
            self.bytes_reclaimed += step.bytes

    def absorb(self, other: Self) -> None:
        """Add a later run's counts and errors."""
        self.done += other.done
        self.failed += other.failed
        self.skipped += other.skipped
        self.complete = self.complete and other.complete
        self.errors = [*self.errors, *other.errors][:MAX_LISTED_ERRORS]
        self.not_due += other.not_due
        self.bytes_reclaimed += other.bytes_reclaimed
        self.before = self.before or other.before
        self.after = other.after or self.after

    def to_json(self) -> dict[str, Any]:
        """Return the document."""
        return {
            "total": self.done + self.failed + self.skipped + self.not_due, "reclaimed": self.done,
            "not_due": self.not_due, "failed": self.failed, "skipped": self.skipped,
            "bytes_reclaimed": self.bytes_reclaimed, "dry_run": self.dry_run,
            "database_bytes_before": self.before.bytes if self.before else None,
            "database_bytes_after": self.after.bytes if self.after else None,
            "free_bytes_before": self.before.free_bytes if self.before else None,
            "free_bytes_after": self.after.free_bytes if self.after else None,
            "errors": self._listed(),
        }  # fmt: skip
