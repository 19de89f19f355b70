"""The command group: which commands there are, and where each lives. Nothing heavy is imported here."""

import os
import sys
from importlib import import_module
from io import TextIOWrapper
from typing import Any

import click

from z_interact_assets.cli.errors import reported

_PACKAGE = "z_interact_assets.cli.commands"
# In the order of a migration, which is the order of --help.
_COMMANDS = (
    "doctor",
    "plan",
    "migrate",
    "validate",
    "rollback",
    "reclaim",
    "verdict",
    "status",
    "stats",
    "report",
    "backup",
    "restore",
    "demo",
    "dev",
    "bench",
)

_EPILOG = """\b
Exit codes: 0 done; 1 finished, but rows were set aside or a claim is false; 2 usage or settings;
3 R2, database or ledger out of reach; 130 interrupted (run the same command again to go on).

\b
First steps:
  z-interact-assets demo        everything on made-up data, no settings needed
  z-interact-assets doctor      are the settings right, is everything in reach?
  z-interact-assets plan        what would be migrated, byte for byte
  z-interact-assets migrate     do it
"""


class _Commands(click.Group):
    """Loads a command's module when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in the order of a migration."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command."""
        if cmd_name not in _COMMANDS:
            return None
        return getattr(import_module(f"{_PACKAGE}.{cmd_name}"), cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; our own errors become one line and an exit code."""
        _suit_the_terminal(ctx)
        with reported(ctx):
            return super().invoke(ctx)


def _suit_the_terminal(ctx: click.Context) -> None:
    if os.environ.get("NO_COLOR"):  # https://no-color.org; click does not know it
        ctx.color = False
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a locale without UTF-8 must not end a command at its first "…"
            stream.reconfigure(errors="replace")


_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


@click.group(cls=_Commands, epilog=_EPILOG, context_settings=_CONTEXT)
@click.version_option(package_name="z-interact-assets", prog_name="z-interact-assets")
def main() -> None:
    """Move z-interact's base64 images from SQL to Cloudflare R2, each write proved, each step undoable."""
