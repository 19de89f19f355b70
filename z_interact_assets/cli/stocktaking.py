"""`stats` as a function: inventory and statistics in one run, or statistics alone where R2 cannot be asked."""

from typing import Any

import click

from z_interact_assets.cli.errors import print_error
from z_interact_assets.cli.runs import Runs
from z_interact_assets.core.errors import SettingsError, StorageRefusedError, StorageUnavailableError
from z_interact_assets.defs.run_config import op_config
from z_interact_assets.workspace import Workspace


def take_stock(workspace: Workspace, runs: Runs) -> dict[str, Any]:
    """Return the document of `stats --json`."""
    try:
        workspace.store.check()
    except (SettingsError, StorageRefusedError, StorageUnavailableError) as error:
        click.echo("Warning: the bucket cannot be asked, so its numbers stay unknown.", err=True)
        print_error(error)
        runs.run("count_table", config=op_config("storage_stats", {"bucket_listed": False}))
    else:
        runs.run("take_stock")
    return runs.observer.results["stats"]
