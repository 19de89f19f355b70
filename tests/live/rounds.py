"""Our operations, over and over, on a table that the app writes to meanwhile."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from random import Random

from tests.support.sites import NOW_MS, Site
from z_interact_assets.backup import Backup
from z_interact_assets.reverse import Chosen
from z_interact_assets.validate import Validation


def operations(site: Site, folder: Path) -> Iterator[str]:
    """Do everything there is to do, again and again, one operation for each name that is asked for."""
    for number in count(1):
        site.migrate()
        yield "migrate"
        validate(site)
        yield "validate"
        Backup(site.table, site.ledger, clock_ms=lambda: NOW_MS).run(folder / f"backup-{number}")
        yield "backup"
        batches = site.ledger.planning.batch_keys()
        site.rollback(Chosen(batch_keys=(batches[number % len(batches)],)))
        yield "rollback"
        site.migrate()
        yield "migrate"
        site.reclaim()
        yield "reclaim"


def validate(site: Site) -> None:
    """Take an inventory, and ask for every object that a row should point at; false alarms are not judged here."""
    Validation(
        site.table, site.ledger, site.store, site.bases, public=None, clock_ms=lambda: NOW_MS, concurrency=4
    ).run("head", inventory=site.inventory(), random=Random(1))
