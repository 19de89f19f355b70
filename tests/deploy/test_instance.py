"""dagster.yaml: Dagster accepts it, it needs nothing that compose does not set, and it tells no secret."""

import sys

import pytest
from dagster._core.instance.ref import InstanceRef
from dagster._core.launcher import RunLauncher
from dagster._core.storage.compute_log_manager import ComputeLogManager

from tests.deploy.shipped import DEPLOY, REPOSITORY, dagster_services, document, example_settings, variables_named_in

ENVIRONMENT = {
    "DAGSTER_POSTGRES_HOST": "postgres",
    "DAGSTER_POSTGRES_PORT": "5432",
    "DAGSTER_POSTGRES_USER": "dagster",
    "DAGSTER_POSTGRES_PASSWORD": "p0stgres",
    "DAGSTER_POSTGRES_DB": "dagster",
    "CELERY_BROKER_URL": "redis://:r3dis@redis:6379/0",
    "CELERY_RESULT_BACKEND": "redis://:r3dis@redis:6379/1",
    "COMPUTE_LOGS_BUCKET": "z-interact-logs",
    "R2_ENDPOINT_URL": "http://127.0.0.1:9",
    "DAGSTER_LOCAL_DIR": "local",
    "AWS_DEFAULT_REGION": "auto",
}


@pytest.fixture
def instance_ref(monkeypatch: pytest.MonkeyPatch) -> InstanceRef:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(DEPLOY / "python")
    return InstanceRef.from_dir(str(DEPLOY))


def test_every_variable_is_set_by_compose_or_by_the_image():
    set_by_compose = set(dagster_services()["daemon"]["environment"]) | set(example_settings())
    set_by_the_image = {"DAGSTER_LOCAL_DIR"}
    assert variables_named_in(document("dagster.yaml")) - set_by_compose - set_by_the_image == set()


def test_dagster_accepts_it(instance_ref: InstanceRef):
    launcher = instance_ref.run_launcher_data
    assert launcher
    assert type(launcher.rehydrate(as_type=RunLauncher)).__name__ == "WatchfulCeleryRunLauncher"
    logs = instance_ref.compute_logs_data.rehydrate(as_type=ComputeLogManager)
    assert type(logs).__name__ == "S3ComputeLogManager"
    for data in (instance_ref.run_storage_data, instance_ref.event_storage_data, instance_ref.schedule_storage_data):
        assert data
        assert data.config_dict["postgres_db"]["scheme"] == "postgresql+psycopg2"


def test_what_runs_are_told_of_the_instance_holds_no_secret(instance_ref: InstanceRef):
    """A Celery task carries it through Redis."""
    told = str(instance_ref.to_dict())
    assert "p0stgres" not in told
    assert "r3dis" not in told


def test_the_launcher_and_the_workers_agree_on_when_a_task_is_put_back(monkeypatch: pytest.MonkeyPatch):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(DEPLOY / "python")
    monkeypatch.delitem(sys.modules, "dagster_celery_config", raising=False)
    import dagster_celery_config  # pyright: ignore[reportMissingImports]

    launcher = document("dagster.yaml")["run_launcher"]["config"]["config_source"]
    assert launcher["broker_transport_options"] == dagster_celery_config.broker_transport_options


def test_what_does_not_depend_on_the_number_of_workers_is_as_on_one_machine():
    import yaml

    here, shipped = yaml.safe_load((REPOSITORY / "dagster.yaml").read_text()), document("dagster.yaml")
    for name in ("telemetry", "nux", "run_retries", "retention", "sensors", "schedules", "freshness"):
        assert shipped[name] == here[name]
    assert shipped["run_monitoring"]["max_runtime_seconds"] == here["run_monitoring"]["max_runtime_seconds"]
    assert shipped["concurrency"]["pools"]["granularity"] == here["concurrency"]["pools"]["granularity"]
