"""Arithmetic of the storage statistics: counts, reconciliation, health. Numbers in, numbers out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from z_interact_assets.core.models import ItemState
from z_interact_assets.core.planning import HeadKind, classify_head
from z_interact_assets.core.rows import RowHead
from z_interact_assets.core.urls import KnownBases, UrlKind, classify_url


class HealthStatus(StrEnum):
    """A word for the score: good from 90, fair from 60, poor below; unknown where something could not be counted."""

    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"
    UNKNOWN = "unknown"


@dataclass(slots=True, kw_only=True)
class TableCounts:
    """The rows of the table, each in exactly one class; base64 sizes are bytes of text."""

    total: int = 0
    r2: int = 0
    base64: int = 0
    mixed: int = 0
    imageless: int = 0
    unfinished: int = 0
    external: int = 0
    local: int = 0
    unrecognised: int = 0
    base64_bytes: int = 0

    def add(self, head: RowHead, bases: KnownBases) -> None:
        """Count one row: R2 without base64, base64, both (mixed: switched, not yet reclaimed), or no image of ours."""
        self.total += 1
        kind = classify_head(head, bases)
        if kind is HeadKind.EMBEDDED:
            on_r2 = classify_url(head.url_head, bases) is UrlKind.R2
            self.mixed += on_r2
            self.base64 += not on_r2
            self.base64_bytes += head.data_bytes or 0
        elif kind is HeadKind.DATA_URL:
            self.base64 += 1
            self.base64_bytes += head.url_bytes or 0
        else:
            name = _CLASSES[kind]
            setattr(self, name, getattr(self, name) + 1)

    @property
    def reconciles(self) -> bool:
        """Tell whether the classes add up to the total."""
        return sum(getattr(self, name) for name in ROW_CLASSES) == self.total


# Each row is of exactly one; `stats --json` counts them as `r2_images` and so on.
ROW_CLASSES = ("r2", "base64", "mixed", "imageless", "external", "local", "unfinished", "unrecognised")
_CLASSES = {
    HeadKind.ON_R2: "r2",
    HeadKind.EXTERNAL: "external",
    HeadKind.LOCAL: "local",
    HeadKind.IMAGELESS: "imageless",
    HeadKind.UNFINISHED: "unfinished",
    HeadKind.UNRECOGNISED: "unrecognised",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketCounts:
    """The bucket as listed, over all pages, and matched; sizes in bytes.

    What the ledger's history of inventories does not keep (the last three) is None in a count read from there.
    """

    objects: int
    bytes: int
    known: int
    orphans: int
    missing: int
    corrupted: int | None = None
    misdirected: int | None = None
    shared: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How things stand, what is wrong, and the command that helps with each. `score` is 0 to 100, None if unknown."""

    status: HealthStatus
    score: int | None
    issues: tuple[str, ...] = ()
    recommendations: tuple[str, ...] = ()


@dataclass(slots=True)
class _Verdicts:
    issues: list[str] = field(default_factory=list[str])
    recommendations: list[str] = field(default_factory=list[str])

    def add(self, issue: str, recommendation: str) -> None:
        self.issues.append(issue)
        self.recommendations.append(recommendation)


def health(table: TableCounts, bucket: BucketCounts | None, states: Mapping[ItemState, int]) -> Health:
    """Score the storage.

    The score is 100 x (images whose row points at R2) / (those and the ones still base64 only), less 30 if any object
    is missing or corrupted, 5 if there are orphans, and up to 20 for quarantined images (their share of all). An empty
    table is 100. Without a listing nothing is scored: unknown is not zero. Misdirected rows and shared objects are
    told and cost nothing: no image is lost by them.
    """
    found = _Verdicts()
    quarantined = states.get(ItemState.QUARANTINED, 0)
    if table.base64:
        waiting = table.base64 - quarantined
        if waiting > 0:
            found.add(f"{waiting:,} images are still base64 in the database.", "z-interact-assets migrate")
    if quarantined:
        found.add(f"{quarantined:,} images are quarantined.", "z-interact-assets status --quarantined")
    if states.get(ItemState.FAILED, 0):
        found.add(f"{states[ItemState.FAILED]:,} images failed in the last run.", "z-interact-assets migrate")
    if bucket is None:
        found.add("The bucket could not be listed.", "z-interact-assets doctor")
        return _health(None, found)
    for name, sentence in _BUCKET_ISSUES.items():
        if count := getattr(bucket, name):
            found.add(f"{count:,} {sentence}", "z-interact-assets validate --json")
    moved = table.r2 + table.mixed
    share = moved / (moved + table.base64) if moved + table.base64 else 1.0
    score = 100 * share - 30 * bool(bucket.missing or bucket.corrupted) - 5 * bool(bucket.orphans)
    score -= 20 * quarantined / table.total if table.total else 0
    return _health(max(0, int(score)), found)


_BUCKET_ISSUES = {
    "missing": "objects are missing from the bucket.",
    "corrupted": "objects differ from what was recorded.",
    "misdirected": "rows do not point at their object.",
    "shared": "objects are named by two rows.",
    "orphans": "objects belong to no row.",
}


def _health(score: int | None, found: _Verdicts) -> Health:
    if score is None:
        status = HealthStatus.UNKNOWN
    else:
        status = HealthStatus.GOOD if score >= 90 else HealthStatus.FAIR if score >= 60 else HealthStatus.POOR  # noqa: PLR2004 - the scale HealthStatus documents
    return Health(
        status=status,
        score=score,
        issues=tuple(found.issues),
        recommendations=tuple(dict.fromkeys(found.recommendations)),
    )


def stats_document(
    table: TableCounts, bucket: BucketCounts | None, states: Mapping[ItemState, int], *, generated_at: str
) -> dict[str, Any]:
    """Return the document of `stats --json`. What only the bucket knows is null if it could not be listed."""
    verdict = health(table, bucket, states)
    return {
        "total_images": table.total,
        "r2_images": table.r2,
        "base64_images": table.base64,
        "mixed_images": table.mixed,
        "imageless_images": table.imageless,
        "external_images": table.external,
        "local_images": table.local,
        "unfinished_images": table.unfinished,
        "unrecognised_images": table.unrecognised,
        "quarantined_images": states.get(ItemState.QUARANTINED, 0),
        "r2_objects": None if bucket is None else bucket.objects,
        "r2_bytes": None if bucket is None else bucket.bytes,
        "base64_bytes": table.base64_bytes,
        "orphan_objects": None if bucket is None else bucket.orphans,
        "missing_objects": None if bucket is None else bucket.missing,
        "health": {
            "status": verdict.status.value,
            "score": verdict.score,
            "issues": list(verdict.issues),
            "recommendations": list(verdict.recommendations),
        },
        "generated_at": generated_at,
    }
