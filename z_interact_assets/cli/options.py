"""Options several commands share."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import click

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout, nothing else.")


def print_json(document: Mapping[str, Any]) -> None:
    """Print the document on stdout."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def examples(*lines: str) -> Callable[[click.Command], click.Command]:
    """Give a command's help its examples."""

    def add(command: click.Command) -> click.Command:
        command.epilog = "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
        return command

    return add
