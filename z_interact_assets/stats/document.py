"""The document of `stats --json`, made of sums and of what the ledger answers. null is unknown, never zero."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from z_interact_assets.core.costs import Pace, Storage, costs_document
from z_interact_assets.core.health import Situation, health
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.reasons import Reason
from z_interact_assets.core.stats import ROW_CLASSES, BucketCounts
from z_interact_assets.core.times import iso_utc, ms_of
from z_interact_assets.stats.sources import Sources, Terms
from z_interact_assets.stats.sums import WINDOW_DAYS, Sums
from z_interact_assets.storage.ledger.figures import DAY_MS, Duplicates
from z_interact_assets.storage.legacy import DatabaseSize

THROUGHPUT_DAYS = 90
_WRITES_DAYS = 30
_FAR_AWAY_DAYS = 36_525  # a hundred years: at such a rate it is not filling up


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Everything the document is made of."""

    now_ms: int
    terms: Terms
    bucket: BucketCounts | None
    sums: Sums
    breakdowns: Mapping[str, Any]
    states: Mapping[ItemState, int]
    quarantine: Mapping[Reason, int]
    failures: Mapping[Reason, int]
    throughput: list[dict[str, Any]]
    duplicates: Duplicates
    reclaimed_bytes: int
    written_a_month: int
    size: DatabaseSize | None

    @classmethod
    def of(
        cls, sources: Sources, bucket: BucketCounts | None, sums: Sums, breakdowns: Mapping[str, Any], *, now_ms: int
    ) -> "Found":
        """Ask ledger and database for the rest."""
        ask, figures = sources.ledger.ask, sources.ledger.figures
        today = now_ms // DAY_MS
        return cls(
            now_ms=now_ms,
            terms=sources.terms,
            bucket=bucket,
            sums=sums,
            breakdowns=breakdowns,
            states=ask.states(),
            quarantine=ask.reasons(ItemState.QUARANTINED),
            failures=ask.reasons(ItemState.FAILED),
            throughput=figures.throughput(since=(today - THROUGHPUT_DAYS + 1) * DAY_MS),
            duplicates=figures.duplicates(),
            reclaimed_bytes=figures.reclaimed_bytes(),
            written_a_month=figures.objects_written(since=now_ms - _WRITES_DAYS * DAY_MS),
            size=sources.table.space.measure(),
        )

    @property
    def used_bytes(self) -> int:
        """Bytes of the database that are in use; where it cannot tell, the base64 in it."""
        if self.size is None:
            return self.sums.base64_bytes
        return self.size.bytes - (self.size.free_bytes or 0)

    @property
    def full_in_days(self) -> int | None:
        """When the database is full if all new images stay in it as base64; None: not at this rate, or not known."""
        pace, limit = self.sums.pace(), self.terms.limit_bytes
        if limit is None or pace is None or self.size is None:
            return None
        if self.used_bytes >= limit:
            return 0
        if not pace.database_bytes:
            return None
        days = int((limit - self.used_bytes) / pace.database_bytes)
        return days if days <= _FAR_AWAY_DAYS else None


def stats_document(found: Found) -> dict[str, Any]:
    """Return the document."""
    table, bucket, sums = found.sums.table(), found.bucket, found.sums
    verdict = health(
        Situation(
            table=table, bucket=bucket, states=found.states, base64_states=sums.base64_states,
            reclaimable_now=sums.reclaimable_now, reclaimable_now_bytes=sums.reclaimable_now_bytes,
            duplicates=found.duplicates.objects, duplicate_bytes=found.duplicates.bytes,
            database_bytes=found.used_bytes if found.size else None, database_limit=found.terms.limit_bytes,
            full_in_days=found.full_in_days,
        )
    )  # fmt: skip
    return {
        "total_images": table.total,
        **{f"{name}_images": getattr(table, name) for name in ROW_CLASSES},
        "quarantined_images": found.states.get(ItemState.QUARANTINED, 0),
        **_bucket(bucket),
        "base64_bytes": table.base64_bytes,
        "health": {
            "status": verdict.status.value,
            "score": verdict.score,
            "issues": verdict.issues,
            "recommendations": verdict.recommendations,
        },
        "generated_at": iso_utc(found.now_ms, timespec="seconds"),
        "findings": [finding.to_json() for finding in verdict.findings],
        "states": {state.value: count for state, count in sorted(found.states.items())},
        "quarantine": _by_count(found.quarantine),
        "failures": _by_count(found.failures),
        "breakdowns": dict(found.breakdowns),
        "throughput": [{**day, "day": iso_utc(day["day"] * DAY_MS)[:10]} for day in found.throughput],
        "duplicates": found.duplicates._asdict(),
        "database": _database(found),
        "growth": _growth(found.sums.pace(), found),
        "costs": _costs(found),
    }


def _bucket(bucket: BucketCounts | None) -> dict[str, Any]:
    as_of = None if bucket is None or bucket.as_of is None else iso_utc(bucket.as_of, timespec="seconds")
    return {
        **{name: None if bucket is None else getattr(bucket, count) for name, count in _OF_THE_BUCKET.items()},
        "bucket_as_of": as_of,
    }


_OF_THE_BUCKET = {
    "r2_objects": "objects",
    "r2_bytes": "bytes",
    "known_objects": "known",
    "orphan_objects": "orphans",
    "missing_objects": "missing",
    "corrupted_objects": "corrupted",
    "misdirected_images": "misdirected",
    "shared_objects": "shared",
}


def bucket_of(document: Mapping[str, Any]) -> BucketCounts | None:
    """Return the bucket's numbers as a document has them; None if it could not be listed."""
    if document.get("r2_objects") is None:
        return None
    counts: dict[str, Any] = {count: document.get(name) for name, count in _OF_THE_BUCKET.items()}
    if counts["known"] is None:  # an older version's
        counts["known"] = counts["objects"] - counts["orphans"]
    as_of = document.get("bucket_as_of")
    return BucketCounts(**counts, as_of=None if as_of is None else ms_of(as_of))


def _by_count(reasons: Mapping[Reason, int]) -> dict[str, int]:
    return {reason.value: count for reason, count in sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))}


def _database(found: Found) -> dict[str, Any]:
    sums, size = found.sums, found.size
    return {
        "bytes": None if size is None else size.bytes,
        "free_bytes": None if size is None else size.free_bytes,
        "base64_bytes": sums.base64_bytes,
        "decoded_bytes": sums.decoded_bytes,
        "decoded_is_estimate": sums.decoded_is_estimate,
        "reclaimable_bytes": sums.reclaimable_bytes,
        "reclaimable_now_bytes": sums.reclaimable_now_bytes,
        "reclaimed_bytes": found.reclaimed_bytes,
        "limit_bytes": found.terms.limit_bytes,
    }


def _growth(pace: Pace | None, found: Found) -> dict[str, Any]:
    days = found.full_in_days
    full_on = None if days is None else datetime.fromtimestamp(found.now_ms / 1000, UTC) + timedelta(days=days)
    return {
        "window_days": WINDOW_DAYS,
        "images_per_day": None if pace is None else round(pace.images, 2),
        "bytes_per_day": None if pace is None else round(pace.bytes),
        "database_bytes_per_day": None if pace is None else round(pace.database_bytes),
        "full_in_days": days,
        "full_on": None if full_on is None else full_on.date().isoformat(),
    }


def _costs(found: Found) -> dict[str, Any]:
    bucket, sums = found.bucket, found.sums
    storage = Storage(
        objects=None if bucket is None else bucket.objects,
        object_bytes=None if bucket is None else bucket.bytes,
        database_bytes=found.used_bytes,
        base64_bytes=sums.base64_bytes,
        waiting_images=sums.classes["base64"],
        waiting_bytes=sums.waiting_bytes,
        r2_only_text_bytes=sums.r2_only_text_bytes,
        written_a_month=found.written_a_month,
        reads_a_month=found.terms.reads_a_month,
        pace=sums.pace(),
    )
    return costs_document(storage, found.terms.prices)
