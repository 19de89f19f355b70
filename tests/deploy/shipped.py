"""The files of deploy/, parsed."""

import re
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[2]
DEPLOY = REPOSITORY / "deploy"


def document(name: str) -> Any:
    """A YAML file of deploy/."""
    return yaml.safe_load((DEPLOY / name).read_text())


def services() -> dict[str, dict[str, Any]]:
    """The services of docker-compose.yaml, what they share merged in."""
    return document("docker-compose.yaml")["services"]


def dagster_services() -> dict[str, dict[str, Any]]:
    """Those that run our image."""
    return {name: service for name, service in services().items() if "build" in service}


def example_settings() -> dict[str, str]:
    """Names and values of .env.example."""
    lines = (DEPLOY / ".env.example").read_text().splitlines()
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    return {name: value for name, _, value in pairs}


def variables_named_in(parsed: Any) -> set[str]:
    """Every `{env: NAME}` of a Dagster configuration."""
    if isinstance(parsed, dict):
        if set(parsed) == {"env"} and isinstance(parsed["env"], str):
            return {parsed["env"]}
        parsed = list(parsed.values())
    return set().union(*map(variables_named_in, parsed)) if isinstance(parsed, list) else set()


def pins(lock: Path) -> dict[str, str]:
    """Version by package of a lock file."""
    return dict(re.findall(r"^([a-z0-9-]+)(?:\[[^]]*\])?==(\S+)", lock.read_text(), flags=re.MULTILINE))
