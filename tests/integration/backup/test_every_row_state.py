"""Every row state the real table has, backed up and restored: before, amid and after a migration, after any loss."""

from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.backup.shelf import SMALL, backup, counts, ledger_contents, reasons, reclaim, restore
from tests.support.sites import Site
from tests.support.tables import contents
from z_interact_assets.backup import LedgerFate
from z_interact_assets.core.models import ItemState
from z_interact_assets.migrate.scope import Scope

pytestmark = pytest.mark.slow  # a migration of 120 rows each


def test_every_row_state_comes_back_into_an_empty_table(sample: Site, shelf: Path):
    before = sample.app.as_stored()
    report = backup(sample, shelf)
    sample.app.sql("DELETE FROM images")
    assert report.rows == len(before) == 120
    assert counts(restore(sample, shelf)) == {"inserted": 120}
    assert sample.app.as_stored() == before


def test_a_migration_and_a_reclaim_are_taken_back_byte_for_byte(sample: Site, shelf: Path):
    before = sample.app.as_stored()
    backup(sample, shelf)
    sample.migrate()
    assert reclaim(sample) > 20
    migrated = sample.app.as_stored()
    objects = [entry.key for entry in sample.store.list()]
    report = restore(sample, shelf)
    assert sample.app.as_stored() == before != migrated
    assert report.changed == report.failed == 0
    assert report.restored == sum(before[row_id] != migrated[row_id] for row_id in before)
    assert [entry.key for entry in sample.store.list()] == objects


def test_a_second_restore_changes_nothing(sample: Site, shelf: Path):
    backup(sample, shelf)
    sample.migrate()
    restore(sample, shelf)
    table, ledger = contents(sample.app.path), ledger_contents(sample.ledger)
    assert counts(restore(sample, shelf)) == {"unchanged": 120}
    assert contents(sample.app.path) == table
    assert ledger_contents(sample.ledger) == ledger


def test_a_lost_ledger_comes_back_row_for_row_and_a_migration_goes_on(sample: Site, tmp_path: Path, shelf: Path):
    sample.plan()
    list(sample.migration().run(Scope(batch_keys=("b000001", "b000002"))))
    before = ledger_contents(sample.ledger)
    ended = sample.ended()
    report = backup(sample, shelf)
    assert report.ledger_rows == sum(len(rows) for rows in before.values()) > 100
    with closing(Site(tmp_path, sample.app, sample.store, ledger_url=f"sqlite:///{tmp_path}/new.db")) as later:
        restored = restore(later, shelf)
        assert restored.ledger is LedgerFate.RESTORED
        assert counts(restored) == {"unchanged": 120}
        assert ledger_contents(later.ledger) == before
        assert later.ended() == ended
        assert later.report()["already_stored"] > 50
        assert ItemState.PLANNED not in {state for state, _ in later.ended().values()}


def test_everything_is_lost_but_the_backup(migrated: Site, tmp_path: Path, shelf: Path):
    """Table and ledger: the rows are as they were, and the ledger knows which of them point at their objects."""
    before, ledger = migrated.app.as_stored(), ledger_contents(migrated.ledger)
    backup(migrated, shelf)
    migrated.app.sql("DELETE FROM images")
    with closing(Site(tmp_path, migrated.app, migrated.store, ledger_url=f"sqlite:///{tmp_path}/new.db")) as later:
        assert counts(restore(later, shelf)) == {"inserted": 120}
        assert migrated.app.as_stored() == before
        assert ledger_contents(later.ledger) == ledger
        assert later.report()["planned"] == 0


def test_a_ledger_that_knows_images_is_left_alone(migrated: Site, shelf: Path):
    backup(migrated, shelf)
    before = ledger_contents(migrated.ledger)
    assert restore(migrated, shelf, dry_run=True).ledger is LedgerFate.LEFT_ALONE
    assert restore(migrated, shelf).ledger is LedgerFate.LEFT_ALONE
    assert ledger_contents(migrated.ledger) == before


def test_a_backup_changes_neither_table_nor_ledger(migrated: Site, shelf: Path):
    table, ledger = contents(migrated.app.path), ledger_contents(migrated.ledger)
    backup(migrated, shelf, limits=SMALL)
    assert (contents(migrated.app.path), ledger_contents(migrated.ledger)) == (table, ledger)


def test_a_dry_run_foretells_the_restore_and_changes_nothing(migrated: Site, tmp_path: Path, shelf: Path):
    """Also where the ledger is lost: which rows only the migration changed is known from the backup's."""
    backup(migrated, shelf)
    reclaim(migrated)
    migrated.app.delete(next(iter(migrated.app.rows())))
    migrated.app.set(next(iter(migrated.app.rows())), prompt="edited")
    with closing(Site(tmp_path, migrated.app, migrated.store, ledger_url=f"sqlite:///{tmp_path}/new.db")) as later:
        table, ledger = contents(migrated.app.path), ledger_contents(later.ledger)
        foretold = restore(later, shelf, dry_run=True)
        assert (contents(migrated.app.path), ledger_contents(later.ledger)) == (table, ledger)
        done = restore(later, shelf)
    assert (counts(foretold), reasons(foretold)) == (counts(done), reasons(done))
    assert foretold.ledger is done.ledger is LedgerFate.RESTORED
    assert min(counts(done).values()) >= 1
    assert counts(done).keys() == {"restored", "inserted", "unchanged", "changed"}
