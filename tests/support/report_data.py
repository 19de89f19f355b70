"""Made-up documents of the statistics, as `stats --json` has them, and pages of a report."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from z_interact_assets.core.health import HealthStatus
from z_interact_assets.core.reasons import Reason
from z_interact_assets.core.stats import ROW_CLASSES
from z_interact_assets.report.page import Attention, FileLink, PageData

NOW = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)
TITLE = "Image storage of z-interact"
PERSONAS = ("gen-z", "millennial", "retiree", "night-shift nurse", "small-town baker", "first-time voter", None)
BREAKDOWNS = ("persona", "session", "provider", "type", "month", "size", "dimensions")
_STILL_BASE64 = (
    "Base64 is a way to write an image as text. It takes a third more room than the image and fills the database."
)
_ROW_COUNTS = {"r2": 230, "mixed": 47, "base64": 20, "imageless": 1, "external": 2}


def stats_of(
    counts: Mapping[str, int] | None = None, *, listed: bool = True, at: datetime = NOW, **others: Any
) -> dict[str, Any]:
    """Return a document; `counts` are the rows by class, `others` replace keys of it."""
    rows = dict.fromkeys(ROW_CLASSES, 0) | dict(_ROW_COUNTS if counts is None else counts)
    total, moved = sum(rows.values()), rows["r2"] + rows["mixed"]
    text = 64_000 * (rows["mixed"] + rows["base64"])
    quarantine = {"bad_base64": 5, "truncated_image": 2, "not_an_image": 1} if rows["base64"] >= 8 else {}
    stuck = sum(quarantine.values())
    findings = list(_findings(rows["base64"] - stuck, stuck, listed=listed))
    score = _score(moved, rows["base64"], stuck, total) if listed else None
    status = HealthStatus.UNKNOWN if score is None else HealthStatus.GOOD if score >= 90 else HealthStatus.FAIR
    bucket = {
        "r2_objects": moved, "r2_bytes": 48_000 * moved, "known_objects": moved, "orphan_objects": 0,
        "missing_objects": 0, "corrupted_objects": 0, "misdirected_images": 0, "shared_objects": 0,
    }  # fmt: skip
    return {
        "total_images": total,
        **{f"{name}_images": count for name, count in rows.items()},
        "quarantined_images": stuck,
        **(bucket if listed else dict.fromkeys(bucket)),
        "bucket_as_of": (at - timedelta(minutes=30)).isoformat() if listed else None,
        "base64_bytes": text,
        "health": {
            "status": status.value, "score": score, "issues": [finding["issue"] for finding in findings],
            "recommendations": [finding["command"] for finding in findings],
        },
        "generated_at": at.isoformat(),
        "findings": findings,
        "states": {"published": rows["mixed"], "reclaimed": rows["r2"], "quarantined": stuck},
        "quarantine": quarantine,
        "failures": {},
        "breakdowns": {name: _groups(name, rows, total, moved) for name in BREAKDOWNS},
        "throughput": _throughput(moved, stuck),
        "duplicates": {"groups": 0, "objects": 0, "bytes": 0},
        "database": {
            "bytes": 2_000_000 + text, "free_bytes": 0, "base64_bytes": text, "decoded_bytes": text * 3 // 4,
            "decoded_is_estimate": True, "reclaimable_bytes": 64_000 * rows["mixed"], "reclaimable_now_bytes": 0,
            "reclaimed_bytes": 64_000 * rows["r2"], "limit_bytes": 10_000_000_000,
        },
        "growth": {
            "window_days": 28, "images_per_day": 3.2, "bytes_per_day": 150_000, "database_bytes_per_day": 200_000,
            "full_in_days": 49_000, "full_on": "2161-01-21",
        },
        "costs": _costs(moved, total, text, listed=listed),
        **others,
    }  # fmt: skip


def _score(moved: int, waiting: int, stuck: int, total: int) -> int:
    share = 100 * moved / (moved + waiting) if moved + waiting else 100
    return max(0, int(share - (20 * stuck / total if total else 0)))


def _findings(waiting: int, stuck: int, *, listed: bool) -> Any:
    if not listed:
        yield finding("bucket_not_listed", "work", 1, "The bucket could not be listed.", "z-interact-assets doctor")
    if stuck:
        yield finding(
            "quarantined", "work", stuck, f"{stuck} images are quarantined.", "z-interact-assets status --quarantined"
        )
    if waiting > 0:
        issue = f"{waiting:,} images are still base64 in the database."
        yield finding("still_base64", "work", waiting, issue, "z-interact-assets migrate", _STILL_BASE64)


def finding(
    code: str, severity: str, count: int, issue: str, command: str, why: str = "Somebody has to look at it."
) -> dict[str, Any]:
    return {"code": code, "severity": severity, "count": count, "issue": issue, "why": why, "command": command}


def _groups(name: str, rows: Mapping[str, int], total: int, moved: int) -> list[dict[str, Any]]:
    values: dict[str, Sequence[str | None]] = {
        "persona": PERSONAS, "session": [f"s{number:03}" for number in range(12)],
        "provider": ("openai", "replicate", None),
        "type": ("png", "jpg", "webp", None), "month": [f"2026-{month:02}" for month in range(2, 12)],
        "size": ("under 10 kB", "10-100 kB", "100 kB-1 MB", None), "dimensions": ("1024x1024", "512x512", None),
    }  # fmt: skip
    found = []
    shares = [1 / (place + 1.5) for place in range(len(values[name]))]
    left = {"elsewhere": total - moved - rows["base64"], "r2_images": moved, "base64_images": rows["base64"]}
    for place, value in enumerate(values[name]):
        last = place == len(values[name]) - 1
        taken = {key: left[key] if last else int(left[key] * shares[place] / sum(shares[place:])) for key in left}
        left = {key: left[key] - taken[key] for key in left}
        if images := sum(taken.values()):
            found.append(
                group(value, images=images, r2_images=taken["r2_images"], base64_images=taken["base64_images"])
            )
    return found


def group(
    value: str | None, *, images: int, r2_images: int = 0, base64_images: int = 0, kind: str = "value"
) -> dict[str, Any]:
    """Return a group of a breakdown."""
    return {
        "group": "none" if value is None and kind == "value" else kind, "value": value, "images": images,
        "r2_images": r2_images, "base64_images": base64_images, "bytes": 48_000 * r2_images,
        "base64_bytes": 64_000 * base64_images,
    }  # fmt: skip


def _throughput(moved: int, stuck: int) -> list[dict[str, Any]]:
    first, days = date(2026, 11, 5), 18
    found, left = [], moved
    for number in range(days if moved > days else min(moved, 1)):
        images = left if number == days - 1 or moved <= days else min(left, moved * (3 + number * 7 % 5) // (days * 5))
        left -= images
        day = (first + timedelta(days=number)).isoformat()
        work = {"images": images, "failed": 0, "quarantined": stuck * (number == 2), "reclaimed": 0}
        found.append({"day": day, "bytes": images * 48_000, **work})
    return found


def _costs(moved: int, total: int, text: int, *, listed: bool) -> dict[str, Any]:
    def cost(objects: int | None, taken: int) -> dict[str, float | None]:
        parts = {
            "r2_storage": None if objects is None else objects * 48_000 * 0.015e-9, "r2_class_a": 0.0005,
            "r2_class_b": None, "database": taken * 0.75e-9,
        }  # fmt: skip
        return {**parts, "total": sum(part for part in parts.values() if part is not None)}

    return {
        "currency": "USD", "per": "month",
        "prices": {
            "r2_storage_gb_month": 0.015, "r2_class_a_million": 4.5, "r2_class_b_million": 0.36,
            "database_gb_month": 0.75,
        },
        "now": cost(moved if listed else None, 2_000_000 + text),
        "all_in_r2": cost(total if listed else None, 2_000_000),
        "all_base64": cost(0, 2_000_000 + total * 64_000),
        "in_12_months": {"all_in_r2": 0.0032 if listed else None, "all_base64": 0.0711},
    }  # fmt: skip


def history_of(
    snapshots: int = 30, *, end: Mapping[str, int] | None = None, at: datetime = NOW
) -> list[dict[str, Any]]:
    """Return the scalar columns of that many daily snapshots; images move from base64 to R2."""
    counts = dict(_ROW_COUNTS if end is None else end)
    moved, waiting = counts["r2"] + counts.get("mixed", 0), counts["base64"]
    found = []
    for number in range(snapshots):
        share = (number / max(1, snapshots - 1)) ** 1.5
        done = int(moved * share)
        total = int((moved + waiting) * (0.8 + 0.2 * number / max(1, snapshots - 1)))
        left = max(waiting, total - done)
        time = at - timedelta(days=snapshots - number, minutes=10)
        found.append(
            {
                "snapshot_id": number + 1, "generated_at": int(time.timestamp() * 1000), "health_status": "fair",
                "health_score": 60, "total_images": done + left, "r2_images": done // 2,
                "mixed_images": done - done // 2, "base64_images": left, "r2_objects": done, "r2_bytes": 48_000 * done,
                "base64_bytes": 64_000 * (left + done // 6),
                "database_bytes": 2_000_000 + 64_000 * (left + done // 6),
            }
        )  # fmt: skip
    return found


_KINDS = (
    ("quarantined", Reason.BAD_BASE64, "Mend the row in the app; then `z-interact-assets migrate --image-id {}`"),
    ("quarantined", Reason.TRUNCATED_IMAGE, "Mend the row in the app; then `z-interact-assets migrate --image-id {}`"),
    ("quarantined", Reason.NOT_AN_IMAGE, "Mend the row in the app; then `z-interact-assets migrate --image-id {}`"),
    ("failed", Reason.STORAGE_UNAVAILABLE, "Try again: `z-interact-assets migrate --image-id {}`"),
    ("missing object", Reason.OBJECT_MISSING, "See what was proved when: `z-interact-assets status --image-id {}`"),
)


def attention_of(rows: int) -> list[Attention]:
    """Return that many images that need a hand, of several kinds."""
    found = []
    for number in range(rows):
        image_id = f"img-{number * 7919 % 100_000:05}"
        problem, reason, action = _KINDS[number % len(_KINDS)]
        found.append(
            Attention(
                image_id=image_id, persona=PERSONAS[number % len(PERSONAS)],
                created_at=(NOW - timedelta(days=number * 13 % 300)).date().isoformat(), problem=problem,
                sentence=reason.sentence, action=action.format(image_id),
                key=f"images/s{number % 12:03}/{image_id}.png" if number % 5 > 2 else None,
            )
        )  # fmt: skip
    return found


FILES = (
    FileLink(
        name="images.csv", description="one row an image: where it is, its state, type, size", bytes=81_234, rows=300
    ),
    FileLink(name="images.parquet", description="the same, smaller and with types", bytes=24_321, rows=300),
    FileLink(name="history.csv", description="one row a snapshot of the statistics", bytes=4_321, rows=31),
    FileLink(name="datapackage.json", description="what every file and column means (Frictionless)", bytes=19_876),
    FileLink(name="summary.md", description="the main numbers as Markdown", bytes=2_345),
)


def page_data(stats: Mapping[str, Any] | None = None, **others: Any) -> PageData:
    """Return a report of 300 images with a report before it; `others` replace fields."""
    before = stats_of({"r2": 180, "mixed": 85, "base64": 31, "imageless": 1, "external": 2}, at=NOW - timedelta(days=1))
    fields: dict[str, Any] = {
        "title": TITLE, "stats": stats_of() if stats is None else stats, "previous": before, "history": history_of(),
        "attention": attention_of(40), "attention_total": 40, "files": FILES, "version": "0.1.0",
    }  # fmt: skip
    return PageData(**(fields | others))
