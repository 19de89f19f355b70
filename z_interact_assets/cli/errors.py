"""Errors on the command line: one line that names the thing, one with the remedy, and a documented exit code."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from z_interact_assets.cli.options import plain
from z_interact_assets.core.errors import SettingsError, TransientError, ZInteractError

FINISHED_WITH_FINDINGS = 1
USAGE_OR_SETTINGS = 2
OUT_OF_REACH = 3
INTERRUPTED = 130


def exit_code_of(error: ZInteractError) -> int:
    """Return 3 for what may pass by itself, 2 for what somebody has to change."""
    return OUT_OF_REACH if isinstance(error, TransientError) else USAGE_OR_SETTINGS


def print_error(error: ZInteractError) -> None:
    """Print the error on stderr."""
    if isinstance(error, SettingsError):
        click.echo("Settings:", err=True)
        for problem in error.problems:
            click.echo(f"  - {plain(problem)}", err=True)
    else:
        click.echo(f"Error: {plain(error.message)}", err=True)
    if error.remedy:
        click.echo(f"  {plain(error.remedy)}", err=True)


@contextmanager
def reported(ctx: click.Context) -> Iterator[None]:
    """End the command with the error's exit code, or 130 after Ctrl-C."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo("\nInterrupted.", err=True)
        ctx.exit(INTERRUPTED)
    except ZInteractError as error:
        print_error(error)
        ctx.exit(exit_code_of(error))
