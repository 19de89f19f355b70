"""`doctor`: is everything in order?"""

from typing import TYPE_CHECKING

import click

from z_interact_assets.cli.options import as_json, examples, plain, print_json

if TYPE_CHECKING:
    from z_interact_assets.doctor import Finding

_MARKS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "red"), "skipped": ("-", None)}


@examples("z-interact-assets doctor", "z-interact-assets doctor --json")
@click.command(short_help="Check settings, table, ledger and bucket.")
@as_json
@click.pass_context
def doctor(ctx: click.Context, *, as_json: bool) -> None:
    """Check settings, table, ledger and bucket, a line each with the remedy.

    Uploads one tiny image under doctor/, reads it back in every way, and deletes it again. The ledger is made if there
    is none yet; the app's table is not changed.
    """
    from z_interact_assets.doctor import exit_code  # noqa: PLC0415 - imports boto3
    from z_interact_assets.workspace import diagnose_all  # noqa: PLC0415 - imports boto3

    findings = diagnose_all()
    code = exit_code(findings)
    if as_json:
        print_json({"healthy": code == 0, "findings": [finding.to_json() for finding in findings]})
    else:
        for finding in findings:
            _print(finding)
    ctx.exit(code)


def _print(finding: "Finding") -> None:
    mark, colour = _MARKS[finding.status]
    click.echo(f"{click.style(mark, fg=colour)} {finding.name:<16} {plain(finding.message)}")
    if finding.remedy and finding.status != "ok":
        click.echo(f"  {'':<16} → {plain(finding.remedy)}")
