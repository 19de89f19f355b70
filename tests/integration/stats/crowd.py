"""A table of many rows in every state, with its ledger and its bucket, made by bulk SQL.

A few dozen images are really migrated, one of them rolled back; the rest of the ledger and of the bucket's listing is
written as migrations, reclaims and outages leave them, row by row of the same shapes.
"""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.support.images import base64_of, data_url_of, make_png
from tests.support.sites import NOW_MS, PUBLIC_URL, Site
from z_interact_assets.reverse import Chosen
from z_interact_assets.storage.ledger.schema import image_hash

DAY_MS = 86_400_000
_TYPES = (("png", "image/png"), ("jpg", "image/jpeg"), ("webp", "image/webp"))
_SIZES = (7_000, 45_000, 320_000, 1_700_000, 11_000_000)
_PIXELS = ((256, 256), (512, 512), (1024, 1024), (1024, 1792))
_AT_ONCE = 50_000
_REASONS = ("bad_base64", "truncated_image", "not_an_image", "unsafe_svg")

# How the rows of each hundred are made: (class, the ledger's state) of so many.
_MIXTURE = (
    (20, "r2", "reclaimed"), (22, "r2", "published"), (3, "r2", "already_in_r2"), (15, "mixed", "published"),
    (6, "base64", None), (5, "base64", "planned"), (2, "base64", "stored"), (2, "base64", "failed"),
    (2, "base64", "quarantined"), (1, "base64", "conflict"), (2, "base64", "rolled_back"), (5, "data_url", None),
    (5, "external", "external"), (2, "local", "local_only"), (3, "imageless", "imageless"), (4, "unfinished", None),
    (1, "unrecognised", "quarantined"),
)  # fmt: skip
_KINDS = tuple((kind, state) for count, kind, state in _MIXTURE for _ in range(count))


@dataclass(slots=True)
class Crowd:
    """What is to be inserted; `listed` are the bucket's objects."""

    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    items: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])
    objects: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])
    events: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])
    listed: dict[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])


def fill(site: Site, rows: int) -> dict[str, tuple[int, str]]:
    """Fill the site with so many rows; return the bucket's objects."""
    for n in range(40):
        site.app.add(f"real-{n}", image_data=base64_of(make_png(n)), created_at=NOW_MS - n * DAY_MS)
    site.app.add("real-bad", image_data="no base64 at all!")
    site.app.add("real-url", image_url=data_url_of(make_png(77)))
    site.migrate()
    site.rollback(Chosen(image_ids=("real-3",)))
    listed = {found.key: (found.size, found.etag) for found in site.memory.list("images/")}
    listed |= {f"images/gone/{n}-orphan.png": (5_000 + n, f"{n:032}") for n in range(9)}
    rng = Random(11)
    for start in range(0, rows - 42, _AT_ONCE):
        crowd = Crowd(listed=listed)
        for n in range(start, min(start + _AT_ONCE, rows - 42)):
            _add(crowd, n, *_KINDS[n % 100], rng)
        site.app.add_many(crowd.rows)
        _write_ledger(site, crowd)
    return listed


def _add(crowd: Crowd, n: int, kind: str, state: str | None, rng: Random) -> None:
    row_id = f"{rng.getrandbits(128):032x}"
    (suffix, content_type), size = rng.choice(_TYPES), rng.choice(_SIZES) + rng.randrange(2_000)
    key = f"images/p{n % 7}/{1_757_400_000_000 + n}-x{n % 10}.{suffix}"
    created = NOW_MS - rng.randrange(400 * DAY_MS)
    text = "A" * rng.choice((40, 44, 120, 4_000))
    crowd.rows.append({
        "id": row_id, "persona_id": rng.choice(("gen-z", "gen-x", "millennial", "baby-boomer", "persona_id", "")),
        "session_id": f"session-{rng.randrange(3_000)}" if n % 11 else None, "participant_id": f"who-{n % 500}",
        "provider": rng.choice(("openai", "fal", "stability")), "prompt": "a prompt",
        "created_at": created // 1_000 if n % 3 == 0 else created,
        "image_data": text if kind in {"mixed", "base64"} else None,
        "image_url": _url(kind, key, n), "status": ("generating", "failed")[n % 2] if kind == "unfinished" else "done",
    })  # fmt: skip
    if state is not None:
        _add_item(crowd, n, row_id, state, key, (size, suffix, content_type), rng)


def _url(kind: str, key: str, n: int) -> str | None:
    return {
        "r2": f"{PUBLIC_URL}/{key}", "mixed": f"{PUBLIC_URL}/{key}", "data_url": f"data:image/png;base64,{'B' * 80}",
        "external": f"https://picsum.photos/{n}", "local": f"/images/{n}.jpg", "unrecognised": f"blob:{n}",
    }.get(kind)  # fmt: skip


def _add_item(
    crowd: Crowd, n: int, row_id: str, state: str, key: str, image: tuple[int, str, str], rng: Random
) -> None:
    item_id, at = 1_000 + n, NOW_MS - 8 * DAY_MS - rng.randrange(110 * DAY_MS)
    stored = state in {"stored", "published", "reclaimed", "already_in_r2", "rolled_back"}
    published = at if state in {"published", "reclaimed"} else None
    reason = rng.choice(_REASONS) if state == "quarantined" else "storage_unavailable" if state == "failed" else None
    reclaimed = at + 8 * DAY_MS if state == "reclaimed" else None
    crowd.items.append((
        item_id, row_id, image_hash(row_id), state, reason, key if stored else None, at, at if stored else None,
        published, at, reclaimed, None if reclaimed is None else 400,
    ))  # fmt: skip
    if state in {"published", "failed", "quarantined", "reclaimed"}:
        if state == "reclaimed":
            crowd.events.append((item_id, at, "published"))
        crowd.events.append((item_id, reclaimed or at, state))
    if not stored:
        return
    size, suffix, content_type = image
    content = f"{n // 2 if n % 40 < 2 else n}"  # of 40, two are the same picture
    size = 50_000 if n % 40 < 2 else size
    md5, sha256 = hashlib.md5(content.encode()).hexdigest(), hashlib.sha256(content.encode()).hexdigest()
    width, height = rng.choice(_PIXELS)
    crowd.objects.append((key, item_id, "primary", size, md5, sha256, md5, suffix, width, height, content_type,
                          "sha256", state != "already_in_r2", at, at))  # fmt: skip
    if n % 9_000 not in {0, 1}:  # a few are missing
        crowd.listed[key] = (size + (n % 9_000 == 20), md5)  # and a few have another size


def _write_ledger(site: Site, crowd: Crowd) -> None:
    with closing(sqlite3.connect(site.ledger_path)) as ledger, ledger:
        ledger.executemany(
            "INSERT INTO items (item_id, image_id, image_hash, state, reason, object_key, planned_at, stored_at, "
            "published_at, updated_at, reclaimed_at, reclaimed_bytes) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
            crowd.items,
        )
        columns = ("object_key, item_id, role, size, md5, sha256, etag, format, width, height, content_type, proof, "
                   "created, stored_at, proved_at")  # fmt: skip
        ledger.executemany(f"INSERT INTO objects ({columns}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", _one_a_key(crowd))
        ledger.executemany("INSERT INTO events (item_id, at, event) VALUES (?,?,?)", crowd.events)


def _one_a_key(crowd: Crowd) -> Iterator[tuple[Any, ...]]:
    yield from {entry[0]: entry for entry in crowd.objects}.values()
