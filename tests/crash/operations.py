"""The operations that are killed: what has to come before each, how it is run, and every effect it has."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from tests.crash.places import BACKUP
from tests.crash.sample import SAMPLE
from tests.crash.smuggling import read_and_roll_back, smuggle
from tests.support.sites import DAY_MS, NOW_MS, PUBLIC_URL, Site
from z_interact_assets.backup import Backup, PartLimits, Restore
from z_interact_assets.backup.manifest import MANIFEST, PROGRESS
from z_interact_assets.migrate.migration import Scope
from z_interact_assets.reverse import Reclaim
from z_interact_assets.storage.objects import MemoryStore, R2Store

Act = Callable[[Site], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """`after` names what prepares a site for it; `effects` is all it does to the world, by name."""

    run: Act
    after: tuple[str, ...] = ()
    effects: frozenset[str]


def migrate(site: Site) -> None:
    list(site.migration().run(Scope()))


def reclaim(site: Site) -> None:
    """A week after the migration; the database is made small, too."""
    means = site.means(clock_ms=lambda: NOW_MS + 8 * DAY_MS, concurrency=1)
    face = _PublicFace(site.store)
    for _ in Reclaim(means, site.store, site.bases, face, after_days=7, vacuum=True).run(site.inventory()):
        pass


def roll_back(site: Site) -> None:
    site.rollback(concurrency=1)


def roll_back_and_delete(site: Site) -> None:
    site.rollback(delete_objects=True, concurrency=1)


def back_up(site: Site) -> None:
    folder = site.ledger_path.parent / BACKUP
    if not (folder / MANIFEST).exists() or (folder / PROGRESS).exists():  # a finished one is refused
        Backup(site.table, site.ledger, clock_ms=lambda: NOW_MS, limits=PartLimits(part_rows=5)).run(folder)


def restore(site: Site) -> None:
    Restore(site.table, site.ledger, site.bases, clock_ms=lambda: NOW_MS).run(site.ledger_path.parent / BACKUP)


def lose_everything(site: Site) -> None:
    """Somebody empties the app's table, and the ledger is gone with its disk."""
    site.app.sql("DELETE FROM images")
    for path in site.ledger_path.parent.glob(f"{site.ledger_path.name}*"):
        path.unlink()


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    sha256: str
    may_pass: bool = False


@dataclass(frozen=True, slots=True)
class _PublicFace:
    """The bucket's public side without a web server: the site's public URL is nobody's."""

    store: R2Store | MemoryStore

    def get(self, url: str, *, max_bytes: int = 0) -> _Answer:
        data = self.store.download(url.removeprefix(f"{PUBLIC_URL}/"))
        return _Answer(200, hashlib.sha256(data).hexdigest())


def try_all_again(site: Site) -> None:
    """What was rolled back is migrated again only if somebody asks for it."""
    site.planner().try_again(Scope(image_ids=tuple(SAMPLE)))


def save_again(site: Site) -> None:
    """The app writes a row of before the migration back, as an editor does that was open meanwhile."""
    site.app.set("b-url", **SAMPLE["b-url"].columns)


_LEASES = frozenset(f"commit LeaseBook.{name}" for name in ("claim", "enter", "leave", "release"))
_FILES = frozenset({"open BackupFolder.writing", "sync file BackupFolder.writing", "rename BackupFolder.writing",
                    "sync folder BackupFolder.writing"})  # fmt: skip
_UNDOING = _LEASES | {"commit LegacyTable.apply", "commit UndoBook.record_rolled_back"}

OPERATIONS = {
    "plan": Operation(
        run=Site.plan,
        effects=frozenset({"commit open_ledger", "commit PlanningBook.add_batches", "commit PlanningBook.set_aside"}),
    ),
    "plan again": Operation(
        run=Site.plan, after=("plan", "migrate", "save again"), effects=frozenset({"commit PlanningBook.plan_again"})
    ),
    "migrate": Operation(
        run=migrate,
        after=("plan",),
        effects=_LEASES
        | {
            "commit WorkLog.hand_out",
            "PUT ObstorePuts.put",
            "commit WorkLog.record_stored",
            "commit LegacyTable.apply",
            "commit WorkLog.record_outcomes",
        },
    ),
    "reclaim": Operation(
        run=reclaim,
        after=("plan", "migrate"),
        effects=_LEASES
        | {
            "commit WorkLog.record_proofs",
            "commit LegacyTable.apply",
            "commit UndoBook.record_reclaimed",
            "vacuum TableSpace.vacuum",
        },
    ),
    "roll back": Operation(run=roll_back, after=("plan", "migrate"), effects=_UNDOING),
    "roll back what was reclaimed and delete": Operation(
        run=roll_back_and_delete,
        after=("plan", "migrate", "reclaim"),
        effects=_UNDOING | {"POST BaseStore.delete_many", "commit UndoBook.record_deleted", "commit LeaseBook.renew"},
    ),
    "back up": Operation(
        run=back_up,
        after=("plan", "migrate"),
        effects=_FILES
        | {
            "mkdir BackupFolder.held",
            "sync folder BackupFolder.held",
            "remove BackupFolder.remove",
            "sync folder BackupFolder.remove",
        },
    ),
    "restore": Operation(
        run=restore,
        after=("plan", "migrate", "back up", "lose everything"),
        effects=frozenset({"commit open_ledger", "commit Archive.load", "commit LegacyTable.insert"}),
    ),
}
ACTS: dict[str, Act] = {
    **{name: operation.run for name, operation in OPERATIONS.items()},
    "save again": save_again,
    "try all again": try_all_again,
    "lose everything": lose_everything,
    "smuggle": smuggle,
    "read and roll back": read_and_roll_back,
}
