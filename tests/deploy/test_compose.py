"""docker-compose.yaml: valid, closed to the outside, watched, and without a secret."""

import re
import subprocess
import sys

import pytest

from tests.deploy.shipped import DEPLOY, dagster_services, document, example_settings, services
from z_interact_assets.settings.model import Settings

COMPOSE = DEPLOY / "docker-compose.yaml"
USED = re.compile(r"(?<!\$)\$\{(\w+)(:[-?][^}]*)?\}")
SECRET = re.compile(r"PASSWORD|SECRET|ACCESS_KEY|TOKEN|_URL$")


def test_it_is_a_compose_file():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_every_variable_is_in_the_example_and_every_line_of_it_is_used():
    used = {name for name, _ in USED.findall(COMPOSE.read_text())}
    example = set(example_settings())
    assert used - example == set()
    settings = {name.upper() for name in Settings.model_fields} | {"COMPUTE_LOGS_BUCKET"}
    assert example - used - settings == set()


def test_what_must_be_set_is_asked_for_and_empty_in_the_example():
    asked = {name for name, how in USED.findall(COMPOSE.read_text()) if how.startswith(":?")}
    example = example_settings()
    assert asked == {name for name, value in example.items() if not value}
    assert {name: value for name, value in example.items() if SECRET.search(name) and value} == {}


def test_defaults_are_those_of_the_example():
    given = {name: how[2:] for name, how in USED.findall(COMPOSE.read_text()) if how.startswith(":-")}
    assert given == {name: example_settings()[name] for name in given}


@pytest.mark.parametrize("name", services())
def test_a_service_is_watched_limited_and_closed(name: str):
    service = services()[name]
    one_shot = service["restart"] == "no"
    assert one_shot or (service["restart"] == "unless-stopped" and service["healthcheck"]["test"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
    assert not service["image"].endswith(":latest")
    assert ":" in service["image"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert "ports" not in service or name == "webserver"


def test_a_service_waits_for_those_it_needs():
    all_services = services()
    for service in all_services.values():
        for needed, how in service.get("depends_on", {}).items():
            ends = all_services[needed]["restart"] == "no"
            assert how["condition"] == ("service_completed_successfully" if ends else "service_healthy")


def test_postgres_and_redis_are_out_of_reach():
    compose = document("docker-compose.yaml")
    assert compose["networks"]["storage"]["internal"] is True
    for name in ("postgres", "redis"):
        assert compose["services"][name]["networks"] == ["storage"]


def test_as_many_runs_at_once_as_there_are_workers():
    concurrency = document("dagster.yaml")["concurrency"]
    workers = services()["worker"]["deploy"]["replicas"]
    assert concurrency["runs"]["max_concurrent_runs"] == concurrency["pools"]["default_limit"] == workers


def test_all_dagster_services_have_one_environment():
    environments = [service["environment"] for service in dagster_services().values()]
    assert len(environments) == 5
    assert all(environment == environments[0] for environment in environments)


def test_no_file_holds_a_secret():
    literal = re.compile(r"(?i)^\W*\w*(password|secret_?(access_?)?key|token|requirepass)\w*[\"']?\s*[:=]\s*(\S.*)$")
    harmless = re.compile(r'\$\{|\{ env: |""|false$|z-interact-postgresql|os\.environ')
    files = [path for path in DEPLOY.rglob("*") if path.suffix in {".yaml", ".py", ".sql", ".example", ""}]
    held = [
        f"{path.name}: {line}"
        for path in files
        if path.is_file()
        for line in path.read_text().splitlines()
        if (found := literal.match(line)) and not harmless.match(found[3])
    ]
    assert held == []
