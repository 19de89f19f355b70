"""What one image's work came to, before it is written anywhere; and the totals of a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from z_interact_assets.core.models import ItemState
from z_interact_assets.core.reasons import Reason
from z_interact_assets.core.records import OutcomeRecord, StoredRecord, WorkItem
from z_interact_assets.core.rows import RowChange

MAX_LISTED_ERRORS = 1_000


@dataclass(slots=True, kw_only=True)
class Outcome:
    """One image after its upload (or its refusal).

    `stored` and `change` are None where nothing is to be recorded before, or switched in the row. `final` is what the
    ledger will say if the switch succeeds. `taken` is the share of the byte budget to give back once settled.
    """

    item: WorkItem
    final: OutcomeRecord
    stored: StoredRecord | None = None
    change: RowChange | None = None
    created: int = 0
    uploaded_bytes: int = 0
    text_bytes: int = 0
    sha256: str | None = None
    large: bool = False
    taken: int = 0
    error: Exception | None = None

    def drop_payload(self) -> None:
        """Forget the row's text and the undo record once they are written."""
        self.change = None
        self.stored = None


@dataclass(slots=True, kw_only=True)
class Totals:
    """The running totals of a migration; `report` gives the document of `migrate --json`.

    Every image counted in `planned` ends in exactly one of migrated, already_stored, quarantined, conflicts, failed or
    skipped, unless the run was interrupted.
    """

    planned: int = 0
    migrated: int = 0
    already_stored: int = 0
    quarantined: int = 0
    conflicts: int = 0
    failed: int = 0
    skipped: int = 0
    bytes_uploaded: int = 0
    objects_written: int = 0
    batches: int = 0
    large_images: int = 0
    errors: list[dict[str, str]] = field(default_factory=list[dict[str, str]])

    @property
    def done(self) -> int:
        """How many images have come to their end in this run."""
        return self.migrated + self.already_stored + self.quarantined + self.conflicts + self.failed + self.skipped

    def add(self, outcome: Outcome) -> None:
        """Count one settled image."""
        state = outcome.final.state
        if state is ItemState.PUBLISHED:
            if outcome.created:
                self.migrated += 1
            else:
                self.already_stored += 1
        elif state is ItemState.ALREADY_IN_R2:
            self.already_stored += 1
        elif state is ItemState.QUARANTINED:
            self.quarantined += 1
        elif state is ItemState.CONFLICT:
            self.conflicts += 1
        elif state is ItemState.FAILED:
            self.failed += 1
        else:
            self.skipped += 1
        self.objects_written += outcome.created
        self.large_images += outcome.large
        self.bytes_uploaded += outcome.uploaded_bytes
        if state in _REPORTED and len(self.errors) < MAX_LISTED_ERRORS:
            self.errors.append(error_entry(outcome.item.image_id, outcome.final.reason, outcome.final.detail))

    def report(self, *, duration_seconds: float, dry_run: bool) -> dict[str, Any]:
        """Return the document of `migrate --json`. `errors` lists at most MAX_LISTED_ERRORS; the counts are whole."""
        return {
            "planned": self.planned,
            "migrated": self.migrated,
            "already_stored": self.already_stored,
            "quarantined": self.quarantined,
            "conflicts": self.conflicts,
            "failed": self.failed,
            "skipped": self.skipped,
            "bytes_uploaded": self.bytes_uploaded,
            "objects_written": self.objects_written,
            "batches": self.batches,
            "large_images": self.large_images,
            "duration_seconds": round(duration_seconds, 3),
            "dry_run": dry_run,
            "errors": sorted(self.errors, key=lambda entry: entry["image_id"]),
        }


_REPORTED = frozenset({ItemState.QUARANTINED, ItemState.CONFLICT, ItemState.FAILED})


def error_entry(image_id: str, reason: Reason | None, detail: str) -> dict[str, str]:
    """Return one element of a report's `errors`."""
    sentence = reason.sentence if reason else ""
    return {
        "image_id": image_id,
        "reason": reason.value if reason else "",
        "message": f"{sentence} ({detail})" if detail else sentence,
    }


def final(
    item: WorkItem,
    state: ItemState,
    reason: Reason | None = None,
    detail: str = "",
    *,
    fingerprint: str | None = None,
    facts: Mapping[str, Any] | None = None,
) -> OutcomeRecord:
    """Return the ledger's record of an end."""
    return OutcomeRecord(
        item_id=item.item_id, state=state, reason=reason, detail=detail, fingerprint=fingerprint, facts=facts or {}
    )
