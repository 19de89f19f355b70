"""A site and its backups: a table with every row state, migrated, reclaimed and lost as a test needs it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.support.images import base64_of, data_url_of, make_png
from tests.support.sites import NOW_MS, PUBLIC_URL, Site
from z_interact_assets.backup import Backup, BackupReport, PartLimits, Restore, RestoreOptions, RestoreReport
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.records import ReclaimRecord
from z_interact_assets.demo.sample import SampleSummary, make_sample_table
from z_interact_assets.storage.ledger import Ledger
from z_interact_assets.storage.objects import MemoryStore

SMALL = PartLimits(part_bytes=1_000_000, part_rows=4, group_bytes=1_000_000, group_rows=2)
LEDGER_TABLES = ("batches", "items", "objects", "events", "inventories", "storage_stats_history", "leases")


def backup(site: Site, out: Path, *, limits: PartLimits | None = None, **options: Any) -> BackupReport:
    """Back the site up."""
    return Backup(site.table, site.ledger, clock_ms=lambda: NOW_MS, limits=limits).run(out, **options)


def restore(site: Site, source: Path, *, ledger: Ledger | None = None, **options: Any) -> RestoreReport:
    """Restore all of it, or what the options say."""
    service = Restore(site.table, ledger or site.ledger, site.bases, clock_ms=lambda: NOW_MS, run_id="restoring")
    return service.run(source, RestoreOptions(**options))


def counts(report: RestoreReport) -> dict[str, int]:
    """What became of the rows, without what became of none."""
    found = report.to_json()
    return {name: found[name] for name in ("restored", "inserted", "unchanged", "changed", "failed") if found[name]}


def reasons(report: RestoreReport) -> dict[str, str]:
    """Why rows were not restored."""
    return {error.image_id: error.reason.value for error in report.errors}


def add_images(site: Site, count: int) -> list[str]:
    """Rows with an image of their own each; every third as a data: URL."""
    ids = [f"image-{number:03}" for number in range(count)]
    site.app.add_many(
        [
            {"id": row_id, "image_url": data_url_of(make_png(number))}
            if number % 3 == 2
            else {"id": row_id, "image_data": base64_of(make_png(number))}
            for number, row_id in enumerate(ids)
        ]
    )
    return ids


def make_sample(path: Path, store: MemoryStore) -> SampleSummary:
    """Every row state the real table has, as the demo makes it."""

    def upload(key: str, data: bytes, _: str) -> None:
        store.upload(key, data)

    return make_sample_table(path, public_url=PUBLIC_URL, rows=120, uploader=upload)


def reclaim(site: Site) -> int:
    """Clear the base64 of every row that points at its object, and tell the ledger, as a reclaim does."""
    cleared: list[ReclaimRecord] = []
    for item in list(site.ledger.ask.items([ItemState.PUBLISHED])):
        row = site.app.row(item.image_id)
        if row["image_data"] is not None:
            site.app.set(item.image_id, image_data=None)
            read = site.table.read(item.image_id)
            assert read is not None
            cleared.append(
                ReclaimRecord(
                    item_id=item.item_id, state=ItemState.RECLAIMED, fingerprint=read.head().fingerprint,
                    bytes=len(row["image_data"]),
                )
            )  # fmt: skip
    site.ledger.undo.record_reclaimed(cleared, now_ms=NOW_MS, run_id="reclaiming")
    return len(cleared)


def ledger_contents(ledger: Ledger, tables: Iterable[str] = LEDGER_TABLES) -> dict[str, list[Any]]:
    """Every row of every table."""
    with ledger.archive.snapshot() as snapshot:
        return {name: [row for page in snapshot.pages(name) for row in page] for name in tables}
