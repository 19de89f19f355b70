"""`plan` as a function: what the command and the demo do alike."""

from typing import TYPE_CHECKING, Any

import click

from z_interact_assets.cli.progress import shown_progress
from z_interact_assets.core.planning import HeadKind
from z_interact_assets.defs.run_config import op_config

if TYPE_CHECKING:
    from z_interact_assets.cli.runs import Runs
    from z_interact_assets.migrate.planner import PlanResult, Survey
    from z_interact_assets.workspace import Workspace


def assign_batches(runs: "Runs", *, batch_size: int | None = None, seen: "Survey | None" = None) -> "PlanResult":
    """Run the planning job; return what it found. What was `seen` of the table a moment ago is not counted again."""
    from z_interact_assets.defs.legacy import SEEN_BEFORE  # noqa: PLC0415 - imports dagster

    if seen is not None:
        runs.observer.results[SEEN_BEFORE] = seen
    runs.run("plan_batches", config=op_config("migration_batches", {"batch_size": batch_size}))
    result: PlanResult = runs.observer.results["plan"]
    for warning in result.warnings:
        click.echo(f"Warning: {warning}", err=True)
    warn_of_unaddressable(result.unaddressable)
    return result


def warn_of_unaddressable(rows: int) -> None:
    """Say on stderr how many rows cannot be migrated, if any."""
    if rows:
        click.echo(f"Warning: {rows} rows have no text id and cannot be migrated.", err=True)


def full_plan(
    workspace: "Workspace", runs: "Runs", *, quick: bool = False, batch_size: int | None = None
) -> dict[str, Any]:
    """Plan, then (unless quick) read each payload once; return the document of `plan --json`.

    It is not whole if the observer's `stop` is set.
    """
    from z_interact_assets.migrate.forecast import Forecaster, plan_document  # noqa: PLC0415 - see app

    result = assign_batches(runs, batch_size=batch_size)
    forecast = None
    if not quick:
        with shown_progress("Reading") as listen:
            planner = workspace.planner(batch_size)
            engine = workspace.engine(stop=runs.observer.stop)
            forecast = Forecaster(engine, workspace.ledger, planner, listen=listen).of_plan()
    pending = workspace.ledger.work.pending()
    return plan_document(
        forecast,
        prices=workspace.prices(),
        batches=len(pending),
        images=sum(pending.values()),
        external=result.kinds.get(HeadKind.EXTERNAL, 0),
        imageless=result.kinds.get(HeadKind.IMAGELESS, 0),
        skipped=result.kinds.get(HeadKind.UNFINISHED, 0),
    )
