"""`validate` as a function: what the command and the demo do alike."""

from z_interact_assets.cli.progress import shown_progress
from z_interact_assets.cli.runs import Runs
from z_interact_assets.defs.run_config import op_config
from z_interact_assets.validate import ValidationReport


def validate_now(runs: Runs, *, mode: str = "head", sample: int | None = None) -> ValidationReport:
    """Run the validation job; return its report."""
    with shown_progress("Validating") as runs.observer.listen:
        runs.run("validate_migration", config=op_config("validation", {"mode": mode, "sample": sample}))
    return runs.observer.results["validation"]
