"""How healthy the storage is: a score with a documented formula, and findings somebody can act on.

A finding says what is so, why it matters, and the command that helps (see `advice`). Losses come first, then work to
be done, then waste, then what is only worth knowing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from z_interact_assets.core.advice import ADVICE, Severity
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.stats import BucketCounts, TableCounts

FULL_SOON_DAYS = 90
_NEARLY_FULL = 0.9
_WASTEFUL_SHARE = 0.05  # of the objects' bytes


class HealthStatus(StrEnum):
    """A word for the score: good from 90, fair from 60, poor below; unknown where something could not be counted."""

    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that lowers the health or needs a hand."""

    code: str
    severity: Severity
    count: int
    issue: str
    why: str
    command: str

    def to_json(self) -> dict[str, Any]:
        """Return it as `stats --json` has it."""
        return {
            "code": self.code, "severity": self.severity.value, "count": self.count, "issue": self.issue,
            "why": self.why, "command": self.command,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is judged; sizes in bytes, None where unknown.

    `bucket` is None if it could not be listed; `base64_states` counts the ledger's states of the rows that are base64
    alone; `reclaimable_now` are the rows whose base64 is past its soak.
    """

    table: TableCounts
    bucket: BucketCounts | None
    states: Mapping[ItemState, int] = field(default_factory=dict[ItemState, int])
    base64_states: Mapping[str, int] = field(default_factory=dict[str, int])
    reclaimable_now: int = 0
    reclaimable_now_bytes: int = 0
    duplicates: int = 0
    duplicate_bytes: int = 0
    database_bytes: int | None = None
    database_limit: int | None = None
    full_in_days: int | None = None

    @property
    def database_is_filling_up(self) -> bool:
        """Tell whether over 90 % of the database's limit are taken, or will be all of it within 90 days."""
        if self.database_limit is None or self.database_bytes is None:
            return False
        if self.database_bytes > _NEARLY_FULL * self.database_limit:
            return True
        return self.full_in_days is not None and self.full_in_days <= FULL_SOON_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How things stand and what is wrong, gravest first. `score` is 0 to 100, None if unknown."""

    status: HealthStatus
    score: int | None
    findings: tuple[Finding, ...] = ()

    @property
    def issues(self) -> list[str]:
        """One sentence each of what is wrong."""
        return [finding.issue for finding in self.findings]

    @property
    def recommendations(self) -> list[str]:
        """The commands that help, each once."""
        return list(dict.fromkeys(finding.command for finding in self.findings))


def health(situation: Situation) -> Health:
    """Score the storage.

    The score is 100 x (images whose row points at R2) / (those and the ones still base64 only), less 30 if any object
    is missing or corrupted, 10 if the database is over 90 % full or will be full within 90 days, 5 if there are
    orphans, and up to 20 for quarantined images (their share of all). An empty table is 100, and one with nothing but
    base64 is 0. Without a listing nothing is scored: unknown is not zero. All other findings cost nothing: no image
    is lost by them.
    """
    score = _score(situation)
    if score is None:
        status = HealthStatus.UNKNOWN
    else:
        status = HealthStatus.GOOD if score >= 90 else HealthStatus.FAIR if score >= 60 else HealthStatus.POOR  # noqa: PLR2004 - the scale HealthStatus documents
    return Health(status=status, score=score, findings=tuple(_findings(situation)))


def _score(situation: Situation) -> int | None:
    table, bucket = situation.table, situation.bucket
    if bucket is None:
        return None
    moved = table.r2 + table.mixed
    score = 100 * moved / (moved + table.base64) if moved + table.base64 else 100.0
    score -= 30 * bool(bucket.missing or bucket.corrupted) + 5 * bool(bucket.orphans)
    score -= 10 * situation.database_is_filling_up
    score -= 20 * situation.states.get(ItemState.QUARANTINED, 0) / table.total if table.total else 0
    return max(0, int(score))


def _findings(situation: Situation) -> Iterator[Finding]:
    counts = _counts(situation)
    sizes = {"duplicates": situation.duplicate_bytes, "reclaimable": situation.reclaimable_now_bytes}
    for code, advice in ADVICE.items():
        count = counts.get(code) or 0
        if count > 0:
            yield Finding(
                code=code, severity=advice.severity, count=count, issue=advice.issue(count, sizes.get(code, 0)),
                why=advice.why, command=advice.command,
            )  # fmt: skip


def _counts(situation: Situation) -> dict[str, int | None]:
    table, bucket, states = situation.table, situation.bucket, situation.states
    on_purpose = sum(situation.base64_states.get(state, 0) for state in (ItemState.QUARANTINED, ItemState.ROLLED_BACK))
    listed = {} if bucket is None else {name: getattr(bucket, name) for name in _OF_THE_BUCKET}
    much = bucket is not None and situation.duplicate_bytes > _WASTEFUL_SHARE * bucket.bytes
    return {
        **listed,
        "bucket_not_listed": int(bucket is None),
        "database_filling_up": int(situation.database_is_filling_up),
        "failed": states.get(ItemState.FAILED, 0),
        "conflicts": states.get(ItemState.CONFLICT, 0),
        "quarantined": states.get(ItemState.QUARANTINED, 0),
        "still_base64": table.base64 - on_purpose,
        "reclaimable": situation.reclaimable_now,
        "duplicates": situation.duplicates if much else 0,
        "external": table.external,
        "unrecognised": table.unrecognised,
        "rolled_back": situation.base64_states.get(ItemState.ROLLED_BACK, 0),
    }


_OF_THE_BUCKET = ("missing", "corrupted", "misdirected", "shared", "orphans")
