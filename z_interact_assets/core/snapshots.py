"""What of a statistics document goes into columns of its own, so that any tool can plot its history."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

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


def scalars(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a document; None for what it does not have (an older version's) or does not know."""
    as_of = document.get(BUCKET_AS_OF)
    found = {name: _at(document, path) for name, path in SCALARS.items()}
    return {**found, BUCKET_AS_OF: None if as_of is None else round(datetime.fromisoformat(as_of).timestamp()) * 1000}


def breakdown_rows(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the groups of all breakdowns, each with the name of its breakdown."""
    for breakdown, groups in document.get("breakdowns", {}).items():
        for group in groups:
            yield {"breakdown": breakdown, **group}


def _at(document: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = document
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
