"""Writing a report of the newest snapshot in the ledger."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from z_interact_assets.core.errors import ReportUnwritableError
from z_interact_assets.core.times import iso_utc
from z_interact_assets.report.folder import publish
from z_interact_assets.report.summary import summary
from z_interact_assets.storage.ledger import Ledger

SUMMARY = "summary.md"
STATS = "storage_stats.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenReport:
    """A report on disk: its folder, its summary as Markdown, the snapshot it was made of (that of `stats --json`)."""

    folder: Path
    summary: str
    stats: dict[str, Any]


def write_report(ledger: Ledger, directory: Path, *, now_ms: int) -> WrittenReport:
    """Write the newest snapshot's report into a folder of its own, named by the time; `latest` leads to it.

    ReportUnwritableError if there is none yet, or if the folder cannot be written.
    """
    newest = ledger.snapshots.stats(limit=1)
    if not newest:
        raise ReportUnwritableError(
            "There are no statistics to report yet.", remedy="Materialise `storage_stats`, or run `stats`, first."
        )
    stats = newest[0]
    text = summary(stats, bucket_as_of=_bucket_as_of(ledger, stats))
    files = {SUMMARY: text.encode(), STATS: (json.dumps(stats, indent=2, ensure_ascii=False) + "\n").encode()}
    name = f"{iso_utc(now_ms, timespec='seconds').removesuffix('+00:00').replace(':', '-')}Z"
    return WrittenReport(folder=publish(directory, name, files), summary=text, stats=stats)


def _bucket_as_of(ledger: Ledger, stats: dict[str, Any]) -> str | None:
    """Return when the bucket was listed whose numbers the snapshot has; None if it has none."""
    inventory = ledger.snapshots.latest_inventory()
    if inventory is None or stats["r2_objects"] is None:
        return None
    generated_at = datetime.fromisoformat(stats["generated_at"])  # whole seconds, rounded down
    if inventory["finished_at"] // 1000 > generated_at.timestamp():  # taken since: the snapshot's was an older one
        return None
    return iso_utc(inventory["finished_at"], timespec="seconds")
