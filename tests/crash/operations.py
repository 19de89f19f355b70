"""The operations that are killed: what has to come before each, how it is run, and every effect it has."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.crash.sample import SAMPLE
from tests.crash.smuggling import read_and_roll_back, smuggle
from tests.support.sites import Site
from z_interact_assets.migrate.migration import Scope

Act = Callable[[Site], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """`after` names what prepares a site for it; `effects` is all it does to the world, by name."""

    run: Act
    after: tuple[str, ...] = ()
    effects: frozenset[str]


def migrate(site: Site) -> None:
    list(site.migration().run(Scope()))


def save_again(site: Site) -> None:
    """The app writes a row of before the migration back, as an editor does that was open meanwhile."""
    site.app.set("b-url", **SAMPLE["b-url"].columns)


_LEASES = frozenset(f"commit LeaseBook.{name}" for name in ("claim", "enter", "leave", "release"))

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
            "PUT BaseStore.upload",
            "commit WorkLog.record_stored",
            "commit LegacyTable.apply",
            "commit WorkLog.record_outcomes",
        },
    ),
}
ACTS: dict[str, Act] = {
    **{name: operation.run for name, operation in OPERATIONS.items()},
    "save again": save_again,
    "smuggle": smuggle,
    "read and roll back": read_and_roll_back,
}
