"""helm/values.yaml: what Kubernetes and dagster_k8s make of it. The chart's templates are not ours to test."""

from typing import Any

import kubernetes_validate
import pytest
from dagster_k8s.job import DagsterK8sJobConfig, UserDefinedDagsterK8sConfig, construct_dagster_k8s_job
from kubernetes.client import ApiClient

from tests.deploy.shipped import document, variables_named_in

VALUES = document("helm/values.yaml")
(CODE,) = VALUES["dagster-user-deployments"]["deployments"]
ROLES = {"code": CODE, "webserver": VALUES["dagsterWebserver"], "daemon": VALUES["dagsterDaemon"]}
RUN_CONFIG = VALUES["runLauncher"]["config"]["k8sRunLauncher"]["runK8sConfig"]
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_AS_THE_CHART_NAMES_IT = {
    "containerConfig": "container_config",
    "podSpecConfig": "pod_spec_config",
    "jobSpecConfig": "job_spec_config",
}


def validate(resource: dict[str, Any]) -> None:
    kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize("name", ROLES)
def test_a_service_is_a_valid_pod_that_is_watched_and_not_root(name: str):
    role = ROLES[name]
    probes = {probe: {k: v for k, v in role[probe].items() if k != "enabled"} for probe in PROBES if probe in role}
    image = role["image"]
    validate(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name},
            "spec": {
                "securityContext": role["podSecurityContext"],
                "volumes": role["volumes"],
                "containers": [
                    {
                        "name": name,
                        "image": f"{image['repository']}:{image['tag']}",
                        "imagePullPolicy": image["pullPolicy"],
                        "env": [{"name": key, "value": value} for key, value in role["env"].items()],
                        "envFrom": [{"secretRef": secret} for secret in role["envSecrets"]],
                        "resources": role["resources"],
                        "securityContext": role["securityContext"],
                        "volumeMounts": role["volumeMounts"],
                        **probes,
                    }
                ],
            },
        }
    )
    assert {"livenessProbe", "readinessProbe"} & set(probes)
    assert role["podSecurityContext"]["runAsNonRoot"] is True


def test_a_run_is_a_valid_job_that_is_not_root():
    config = {_AS_THE_CHART_NAMES_IT[key]: value for key, value in RUN_CONFIG.items()}
    job = construct_dagster_k8s_job(
        DagsterK8sJobConfig(
            job_image="registry.example.com/z-interact-assets:0.1.0",
            dagster_home="/opt/dagster/dagster_home",
            instance_config_map="dagster-instance",
            postgres_password_secret=VALUES["global"]["postgresqlSecretName"],
            env_secrets=[secret["name"] for secret in CODE["envSecrets"]],
            volume_mounts=CODE["volumeMounts"],
            volumes=CODE["volumes"],
        ),
        args=["dagster", "api", "execute_run"],
        job_name="dagster-run-1",
        user_defined_k8s_config=UserDefinedDagsterK8sConfig.from_dict(config),
    )
    manifest: Any = ApiClient().sanitize_for_serialization(job)
    validate(manifest)
    pod = manifest["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["containers"][0]["resources"]["limits"] == {"memory": "2Gi"}
    assert pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True
    assert manifest["spec"]["backoffLimit"] == 0


def test_kubernetes_and_compose_run_under_the_same_limits():
    instance, concurrency = document("dagster.yaml"), VALUES["concurrency"]
    assert concurrency["pools"]["defaultLimit"] == instance["concurrency"]["pools"]["default_limit"]
    assert concurrency["pools"]["granularity"] == instance["concurrency"]["pools"]["granularity"]
    assert concurrency["runs"]["maxConcurrentRuns"] == instance["concurrency"]["runs"]["max_concurrent_runs"]
    retries = VALUES["dagsterDaemon"]["runRetries"]
    assert retries["maxRetries"] == instance["run_retries"]["max_retries"]
    assert retries["retryOnAssetOrOpFailure"] == instance["run_retries"]["retry_on_asset_or_op_failure"]
    logs = VALUES["computeLogManager"]["config"]["s3ComputeLogManager"]
    assert variables_named_in(logs) == {"COMPUTE_LOGS_BUCKET", "R2_ENDPOINT_URL"}
