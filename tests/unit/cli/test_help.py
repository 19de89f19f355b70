import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from z_interact_assets.cli import main
from z_interact_assets.storage.ledger import open_ledger

COMMANDS = (
    "doctor",
    "plan",
    "migrate",
    "validate",
    "status",
    "stats",
    "report",
    "backup",
    "restore",
    "demo",
    "dev",
    "bench",
)
HEAVY = ("dagster", "boto3", "botocore", "sqlalchemy", "pandas", "moto", "PIL", "rich", "pydantic")
LOOK = f"""
import sys
from click.testing import CliRunner
from z_interact_assets.cli import main
for arguments in (["--help"], ["--version"], *([name, "--help"] for name in {COMMANDS!r})):
    assert CliRunner().invoke(main, arguments).exit_code == 0, arguments
print(*sorted(set(sys.modules) & set({HEAVY!r})))
"""

# The ledger needs SQLAlchemy, the settings pydantic.
LOOK_AT_STATUS = f"""
import sys
from click.testing import CliRunner
from z_interact_assets.cli import main
assert CliRunner().invoke(main, ["status"]).exit_code == 0
heavy = set({HEAVY!r}) - {{"sqlalchemy", "pydantic"}} | {{"obstore", "psutil", "sqlalchemy.dialects.postgresql"}}
print(*sorted(set(sys.modules) & heavy))
"""


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples_of_the_command(command: str) -> None:
    shown = CliRunner().invoke(main, [command, "--help"])
    assert shown.exit_code == 0
    examples = shown.output.partition("Examples:\n")[2]
    assert f"  z-interact-assets {command}" in examples


def test_no_help_imports_anything_heavy() -> None:
    ended = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == []


def test_status_imports_what_the_ledger_needs_and_no_more(tmp_path: Path) -> None:
    open_ledger(f"sqlite:///{tmp_path}/ledger.db").close()
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), "DAGSTER_HOME": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-c", LOOK_AT_STATUS], capture_output=True, text=True, check=True, cwd=tmp_path,
        env=environment,
    )  # fmt: skip
    assert ended.stdout.split() == []


def test_the_groups_help_lists_the_commands_in_the_order_of_a_migration() -> None:
    listed = CliRunner().invoke(main, ["--help"]).output.partition("Commands:")[2]
    positions = [listed.index(f"  {command} ") for command in COMMANDS]
    assert positions == sorted(positions)


def test_the_version_is_the_packages() -> None:
    declared = (
        (Path(__file__).parents[3] / "pyproject.toml").read_text().partition('\nversion = "')[2].partition('"')[0]
    )
    assert CliRunner().invoke(main, ["--version"]).output == f"z-interact-assets, version {declared}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["migrate", "--limit", "-1"], "--limit"),
        (["migrate", "--concurrency", "0"], "--concurrency"),
        (["migrate", "--batch-size", "0"], "--batch-size"),
        (["migrate", "--batch"], "requires an argument"),
        (["plan", "--batch-size", "ten"], "not a valid integer"),
        (["validate", "--sample", "0"], "--sample"),
        (["validate", "--full", "--public"], "choose one"),
        (["status", "--everything"], "No such option"),
        (["backup"], "--out"),
        (["restore"], "DIR"),
        (["dev", "--port", "70000"], "--port"),
        (["demo", "--rows", "5"], "--rows"),
        (["migrat"], "No such command"),
    ],
    ids=" ".join,
)
def test_wrong_options_end_with_2_and_name_the_option(arguments: list[str], said: str) -> None:
    refused = CliRunner().invoke(main, arguments)
    assert refused.exit_code == 2
    assert said in refused.stderr
    assert refused.stdout == ""
