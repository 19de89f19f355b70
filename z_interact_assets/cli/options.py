"""What several commands share: options, examples in the help, and text that is safe to print."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from z_interact_assets.core.showing import plain as plain  # noqa: PLC0414 - what every command prints with

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout, nothing else.")


demo_folder = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".demo"),
    show_default=True,
    help="Where the demo's table, objects and Dagster home are kept.",
)


def print_json(document: Mapping[str, Any]) -> None:
    """Print the document on stdout, in ASCII: ids are the app's users' and may hold what a terminal obeys."""
    click.echo(json.dumps(document, indent=2))


def examples(*lines: str) -> Callable[[click.Command], click.Command]:
    """Give a command's help its examples."""

    def add(command: click.Command) -> click.Command:
        command.epilog = "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
        return command

    return add
