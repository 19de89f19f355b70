"""The Dockerfile, what it is built of, and what it is not."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.deploy.shipped import DEPLOY, REPOSITORY, dagster_services, pins

DOCKERFILE = DEPLOY / "Dockerfile"


def instructions(name: str) -> list[str]:
    text = DOCKERFILE.read_text().replace("\\\n", " ")
    return [line.removeprefix(name).strip() for line in text.splitlines() if line.startswith(f"{name} ")]


def test_hadolint_finds_nothing():
    hadolint = Path(sys.executable).with_name("hadolint")
    found = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True, check=False)
    assert found.stdout == ""
    assert found.returncode == 0


def test_nothing_runs_as_root_and_the_base_is_pinned():
    assert instructions("USER") == ["10001:10001"]
    assert all(re.fullmatch(r"python:3\.11-slim-\w+( AS build)?", base) for base in instructions("FROM"))


def test_what_is_copied_is_there_and_let_through():
    rules = [line for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert rules[0] == "*"
    admitted = {rule[1:] for rule in rules if rule.startswith("!")}
    copied = [shlex.split(line)[:-1] for line in instructions("COPY") if not line.startswith("--from")]
    sources = {source for line in copied for source in line}
    assert sources == admitted
    assert [source for source in sources if not (REPOSITORY / source).exists()] == []


def test_it_checks_the_code_server_unless_told_otherwise():
    (command,) = instructions("CMD")[-1:]
    assert command == str(dagster_services()["code"]["command"]).replace("'", '"')


def test_production_runs_the_versions_that_were_tested():
    tested = pins(REPOSITORY / "requirements.lock")
    for lock in ("requirements.lock", "requirements-build.lock"):
        shipped = pins(DEPLOY / lock)
        assert shipped
        assert {name: tested.get(name) for name in shipped} == shipped


def test_production_has_the_workers_packages_and_no_tool_of_ours():
    shipped = pins(DEPLOY / "requirements.lock")
    assert {"celery", "redis", "dagster-celery", "dagster-k8s", "dagster-webserver", "psycopg2-binary"} < set(shipped)
    assert not {"moto", "pytest", "playwright", "ruff", "hatchling", "dagster-dg-cli"} & set(shipped)


def test_every_package_is_pinned_by_hash():
    for lock in ("requirements.lock", "requirements-build.lock"):
        packages = re.split(r"^(?=[a-z0-9])", (DEPLOY / lock).read_text(), flags=re.MULTILINE)
        assert [package.split()[0] for package in packages if package.strip() and "--hash=sha256:" not in package] == []
