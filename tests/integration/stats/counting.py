"""The same numbers once more, by SQL of the tests' own over table, ledger and a listing. No code of the package."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.support.sites import PUBLIC_URL

DAY_MS = 86_400_000

_ROWS = f"""
CREATE TEMP TABLE counted AS
SELECT i.id, i.persona_id, i.session_id, i.provider, l.state, l.published_at, o.size, o.format, o.width, o.height,
  o.proof,
  CASE WHEN i.created_at < 100000000000 THEN i.created_at * 1000 ELSE i.created_at END AS created,
  CASE
    WHEN i.image_data IS NOT NULL THEN CASE WHEN i.image_url LIKE '{PUBLIC_URL}/%' THEN 'mixed' ELSE 'base64' END
    WHEN i.image_url LIKE 'data:%' THEN 'base64'
    WHEN i.image_url LIKE '{PUBLIC_URL}/%' THEN 'r2'
    WHEN i.image_url LIKE 'http%' THEN 'external'
    WHEN i.image_url LIKE '/images/%' THEN 'local'
    WHEN i.image_url IS NOT NULL THEN 'unrecognised'
    WHEN i.status IN ('generating', 'failed') THEN 'unfinished'
    ELSE 'imageless'
  END AS class,
  CASE WHEN i.image_data IS NOT NULL THEN length(i.image_data) WHEN i.image_url LIKE 'data:%' THEN length(i.image_url)
    ELSE 0 END AS text,
  CASE WHEN i.image_data IS NOT NULL THEN length(i.image_data) * 3 / 4
    WHEN i.image_url LIKE 'data:%' THEN (length(i.image_url) - instr(i.image_url, ',')) * 3 / 4 END AS estimate
FROM images i LEFT JOIN ledger.items l ON l.image_id = i.id LEFT JOIN ledger.objects o ON o.object_key = l.object_key
"""
_SUMS = "count(*), sum(class IN ('r2', 'mixed')), sum(class = 'base64'), coalesce(sum(size), 0), sum(text)"
_GROUPS = {
    "persona": "nullif(nullif(persona_id, ''), 'persona_id')",
    "session": "session_id",
    "provider": "provider",
    "type": "format",
    "month": "strftime('%Y-%m', created / 1000, 'unixepoch')",
    "size": "CASE WHEN coalesce(size, estimate) < 10000 THEN 'under 10 kB' "
    "WHEN coalesce(size, estimate) < 100000 THEN '10-100 kB' WHEN coalesce(size, estimate) < 1000000 "
    "THEN '100 kB-1 MB' WHEN coalesce(size, estimate) < 10000000 THEN '1-10 MB' "
    "WHEN coalesce(size, estimate) >= 10000000 THEN 'over 10 MB' END",
    "dimensions": "width || 'x' || height",
}


def count(table: Path, ledger: Path, listed: Mapping[str, int], *, now_ms: int, soak_ms: int) -> dict[str, Any]:
    """Count everything that is compared."""
    with closing(sqlite3.connect(table)) as db:
        db.execute("ATTACH ? AS ledger", (str(ledger),))
        db.execute(_ROWS)
        db.execute("CREATE TEMP TABLE listed (key TEXT PRIMARY KEY, size INTEGER)")
        db.executemany("INSERT INTO listed VALUES (?, ?)", listed.items())
        return {
            "classes": dict(db.execute("SELECT class, count(*) FROM counted GROUP BY class")),
            "text": _one(db, "SELECT sum(text) FROM counted"),
            "states": dict(db.execute("SELECT state, count(*) FROM ledger.items GROUP BY state")),
            "quarantine": _reasons(db, "quarantined"),
            "failures": _reasons(db, "failed"),
            "groups": {
                name: {row[0]: row[1:] for row in db.execute(f"SELECT {by} AS g, {_SUMS} FROM counted GROUP BY g")}
                for name, by in _GROUPS.items()
            },
            "bucket": db.execute("SELECT count(*), sum(size) FROM listed").fetchone(),
            "missing": _one(db, _MISSING),
            "orphans": _one(db, _ORPHANS),
            "corrupted": _one(db, _CORRUPTED),
            "reclaimable": db.execute(_RECLAIMABLE, (now_ms - soak_ms,)).fetchone(),
            "reclaimed": _one(db, "SELECT sum(reclaimed_bytes) FROM ledger.items"),
            "duplicates": db.execute(_DUPLICATES).fetchone(),
            "new": db.execute(_NEW, (now_ms - 28 * DAY_MS, now_ms)).fetchone(),
            "days": {row[0]: row[1:] for row in db.execute(_DAYS, ((now_ms // DAY_MS - 89) * DAY_MS,))},
        }


def _one(db: sqlite3.Connection, statement: str) -> int:
    return db.execute(statement).fetchone()[0]


def _reasons(db: sqlite3.Connection, state: str) -> dict[str, int]:
    statement = "SELECT reason, count(*) FROM ledger.items WHERE state = ? GROUP BY reason"
    return dict(db.execute(statement, (state,)))


_PROMISED = """ledger.objects o JOIN ledger.items l ON l.item_id = o.item_id AND l.object_key = o.object_key
  AND l.state IN ('stored', 'published', 'reclaimed', 'already_in_r2')"""
_MISSING = f"SELECT count(*) FROM {_PROMISED} WHERE o.object_key NOT IN (SELECT key FROM listed)"
_CORRUPTED = f"SELECT count(*) FROM {_PROMISED} JOIN listed b ON b.key = o.object_key WHERE b.size <> o.size"
_ORPHANS = "SELECT count(*) FROM listed WHERE key NOT IN (SELECT object_key FROM ledger.objects)"
_RECLAIMABLE = """SELECT sum(text), sum(CASE WHEN published_at <= ? THEN text END) FROM counted
  WHERE class = 'mixed' AND state = 'published' AND proof IS NOT NULL"""
_DUPLICATES = """SELECT count(*), sum(n - 1), sum((n - 1) * size) FROM
  (SELECT count(*) AS n, min(size) AS size FROM ledger.objects GROUP BY sha256 HAVING n > 1)"""
_NEW = """SELECT count(*), sum(coalesce(size, estimate)), sum((coalesce(size, estimate) + 2) / 3 * 4) FROM counted
  WHERE class IN ('r2', 'mixed', 'base64') AND created > ? AND created <= ?"""
_DAYS = """SELECT date(at / 1000, 'unixepoch') AS day, sum(event = 'published'),
  sum(CASE WHEN event = 'published' THEN o.size ELSE 0 END), sum(event = 'failed'), sum(event = 'quarantined'),
  sum(event = 'reclaimed') FROM ledger.events e JOIN ledger.items l USING (item_id)
  LEFT JOIN ledger.objects o ON o.object_key = l.object_key
  WHERE at >= ? AND event IN ('published', 'failed', 'quarantined', 'reclaimed') GROUP BY day"""
