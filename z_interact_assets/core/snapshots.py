"""What of a statistics document goes into columns of its own, so that any tool can plot its history."""

from collections.abc import Iterator, Mapping
from typing import Any

from z_interact_assets.core.times import ms_of

_TOP = (
    "total_images", "r2_images", "base64_images", "mixed_images", "imageless_images", "external_images",
    "local_images", "unfinished_images", "unrecognised_images", "quarantined_images", "r2_objects", "r2_bytes",
    "base64_bytes", "known_objects", "orphan_objects", "missing_objects", "corrupted_objects", "misdirected_images",
    "shared_objects",
)  # fmt: skip

# Column → where it is in the document.
SCALARS: dict[str, tuple[str, ...]] = {
    **{name: (name,) for name in _TOP},
    "health_status": ("health", "status"),
    "health_score": ("health", "score"),
    "duplicate_groups": ("duplicates", "groups"),
    "duplicate_objects": ("duplicates", "objects"),
    "duplicate_bytes": ("duplicates", "bytes"),
    "database_bytes": ("database", "bytes"),
    "database_free_bytes": ("database", "free_bytes"),
    "database_limit_bytes": ("database", "limit_bytes"),
    "decoded_bytes": ("database", "decoded_bytes"),
    "reclaimable_bytes": ("database", "reclaimable_bytes"),
    "reclaimable_now_bytes": ("database", "reclaimable_now_bytes"),
    "reclaimed_bytes": ("database", "reclaimed_bytes"),
    "images_per_day": ("growth", "images_per_day"),
    "bytes_per_day": ("growth", "bytes_per_day"),
    "database_bytes_per_day": ("growth", "database_bytes_per_day"),
    "full_in_days": ("growth", "full_in_days"),
    "monthly_cost_usd": ("costs", "now", "total"),
    "monthly_cost_all_in_r2_usd": ("costs", "all_in_r2", "total"),
    "monthly_cost_all_base64_usd": ("costs", "all_base64", "total"),
}
BUCKET_AS_OF = "bucket_as_of"

# What images are divided by, and what is summed up of each group.
BREAKDOWNS = ("persona", "session", "provider", "type", "month", "size", "dimensions")
MEASURES = ("images", "r2_images", "base64_images", "bytes", "base64_bytes")

_OF_THE_MOMENT = ("growth", "costs")  # they change with the clock alone


HISTORY_COLUMNS = {
    "generated_at": "When it was counted, UTC ms",
    "run_id": "The run that counted",
    "stats": "The document of `z-interact-assets stats --json`",
    "total_images": "Rows of the app's table",
    "r2_images": "Rows that point at R2 and hold no base64",
    "base64_images": "Rows whose image is base64 text in the database, and nowhere else",
    "mixed_images": "Rows that point at R2 and still hold their base64",
    "imageless_images": "Rows that say they are completed and hold no image",
    "external_images": "Rows that point at another server",
    "local_images": "Rows that name a file of the app",
    "unfinished_images": "Rows whose image failed or is being made",
    "unrecognised_images": "Rows whose address is none",
    "quarantined_images": "Images that were set aside with a reason (each is in one of the classes above, too)",
    "r2_objects": "Objects under images/ in the bucket",
    "r2_bytes": "Their size",
    "base64_bytes": "Size of the base64 text in the table",
    "known_objects": "Objects that belong to a row",
    "orphan_objects": "Objects that belong to no row",
    "missing_objects": "Objects that a row needs and that are not there",
    "corrupted_objects": "Objects that are not as they were recorded",
    "misdirected_images": "Rows that do not point at their object",
    "shared_objects": "Objects that two rows name",
    "bucket_as_of": "When the bucket was listed, UTC ms",
    "health_status": "good (90 and more), fair (60 and more), poor, or unknown",
    "health_score": "0 to 100; see the asset's description of its parts",
    "duplicate_groups": "Contents that more than one object has",
    "duplicate_objects": "Objects that repeat another one's bytes",
    "duplicate_bytes": "What they take",
    "database_bytes": "Size of the app's database (of the table, on Postgres)",
    "database_free_bytes": "What of it is free pages",
    "database_limit_bytes": "Size at which it is full",
    "decoded_bytes": "What the base64 of the table is as images",
    "reclaimable_bytes": "Base64 of rows that are switched and whose object is proved",
    "reclaimable_now_bytes": "Of that, what is past RECLAIM_AFTER_DAYS",
    "reclaimed_bytes": "Base64 that was cleared",
    "images_per_day": "New images a day, over the last 28 days",
    "bytes_per_day": "Their size",
    "database_bytes_per_day": "What they take as base64",
    "full_in_days": "Days until the database is full if new images stay base64; null: not at this rate",
    "monthly_cost_usd": "Estimated cost a month, USD",
    "monthly_cost_all_in_r2_usd": "The same with everything in R2 and no base64",
    "monthly_cost_all_base64_usd": "The same with everything as base64 and nothing in R2",
}


def lasting(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a document changes only with what it counts, not with the clock."""
    numbers = {name: part(document, *path) for name, path in SCALARS.items() if path[0] not in _OF_THE_MOMENT}
    return {**numbers, "states": document.get("states"), "breakdowns": document.get("breakdowns")}


def scalars(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a document; None for what it does not have (an older version's) or does not know."""
    as_of = document.get(BUCKET_AS_OF)
    found = {name: part(document, *path) for name, path in SCALARS.items()}
    return {**found, BUCKET_AS_OF: None if as_of is None else ms_of(as_of)}


def breakdown_rows(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the groups of all breakdowns, each with the name of its breakdown."""
    for breakdown, groups in document.get("breakdowns", {}).items():
        for group in groups:
            yield {"breakdown": breakdown, **group}


def part(document: Mapping[str, Any], *names: str) -> Any:
    """Return what lies so deep in a document; None if anything on the way is absent."""
    found: Any = document
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
