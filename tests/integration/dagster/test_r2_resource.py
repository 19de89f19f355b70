"""R2Resource as a data engineer uses it in assets of their own, and what of its secrets is ever written anywhere."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
import pytest
from dagster._core.snap import JobSnap
from dagster._serdes import serialize_value

from tests.integration.dagster.installation import Installation, failures, make_png, op
from z_interact_assets.core.errors import SettingsError
from z_interact_assets.defs.build import build_defs
from z_interact_assets.defs.resources import R2Resource

pytestmark = pytest.mark.slow

KEY = "thumbnails/1.png"


@dg.asset
def thumbnails(r2: R2Resource) -> dg.MaterializeResult:
    """Somebody's own asset."""
    uploaded = r2.get_store().upload(KEY, make_png(1))
    return dg.MaterializeResult(metadata={"url": dg.MetadataValue.url(uploaded.url or "")})


def explicit(installation: Installation, **more: Any) -> R2Resource:
    standin = installation.standin
    return R2Resource(
        endpoint_url=standin.endpoint_url,
        bucket=standin.bucket,
        aws_access_key_id=standin.access_key_id,
        aws_secret_access_key=standin.secret_access_key,
        public_url=standin.public_url,
        **more,
    )


def materialize(asset: dg.AssetsDefinition, r2: object, **options: Any) -> dg.ExecuteInProcessResult:
    return dg.materialize([asset], resources={"r2": r2}, raise_on_error=False, **options)


def without_r2(monkeypatch: pytest.MonkeyPatch, installation: Installation) -> None:
    for name in installation.standin.environment():
        monkeypatch.delenv(name)


def test_an_asset_of_ones_own_uploads_with_explicit_configuration(installation: Installation, monkeypatch):
    without_r2(monkeypatch, installation)
    result = materialize(thumbnails, explicit(installation))
    assert not failures(result)
    assert installation.store.download(KEY) == make_png(1)
    (materialization,) = result.asset_materializations_for_node("thumbnails")
    assert materialization.metadata["url"].value == f"{installation.standin.public_url}/{KEY}"


def test_an_asset_of_ones_own_uploads_with_settings_alone(installation: Installation):
    assert not failures(materialize(thumbnails, R2Resource()))
    assert installation.store.download(KEY) == make_png(1)


def test_what_is_configured_wins_over_the_settings(installation: Installation, monkeypatch):
    monkeypatch.setenv("R2_SECRET_ACCESS_KEY", "0" * 64)
    monkeypatch.setenv("R2_BUCKET_NAME", "another-bucket")
    assert not failures(materialize(thumbnails, explicit(installation)))


def test_run_config_may_fill_the_resource(installation: Installation, monkeypatch):
    monkeypatch.setenv("R2_BUCKET_NAME", "another-bucket")
    config = {"resources": {"r2": {"config": {"bucket": installation.standin.bucket}}}}
    assert not failures(materialize(thumbnails, R2Resource.configure_at_launch(), run_config=config))


@pytest.mark.parametrize("show", [repr, str])
def test_the_resource_shows_no_credentials(installation: Installation, show):
    shown = show(explicit(installation))
    assert installation.standin.secret_access_key not in shown
    assert installation.standin.access_key_id not in shown
    assert installation.standin.bucket in shown


def test_the_client_is_the_tuned_one_and_made_once(installation: Installation):
    r2 = explicit(installation, max_attempts=2)
    config = r2.get_client().meta.config
    assert r2.get_client() is r2.get_store().client
    assert (config.signature_version, config.region_name) == ("s3v4", "auto")
    assert config.request_checksum_calculation == "when_required"
    assert config.max_pool_connections == 128
    assert config.retries["total_max_attempts"] == 2
    r2.get_store().close()


def test_the_store_is_closed_with_the_run(installation: Installation, monkeypatch):
    closed: list[str] = []
    monkeypatch.setattr("z_interact_assets.storage.objects.R2Store.close", lambda store: closed.append(store.bucket))
    assert not failures(materialize(thumbnails, R2Resource()))
    assert closed == [installation.standin.bucket]


def test_missing_settings_are_named_when_the_run_needs_them_and_not_before(installation: Installation, monkeypatch):
    installation.add_rows(1)
    without_r2(monkeypatch, installation)
    installation.defs = build_defs()
    installation.plan()  # needs no R2
    (message,) = failures(installation.migrate())
    for name in ("R2_ACCOUNT_ID", "R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY", "R2_PUBLIC_URL"):
        assert name in message
    assert installation.puts == 0


def test_the_resource_alone_raises_our_error(installation: Installation, monkeypatch):
    without_r2(monkeypatch, installation)
    with pytest.raises(SettingsError) as caught:
        R2Resource(bucket="images").get_store()
    assert any("R2_SECRET_ACCESS_KEY" in problem for problem in caught.value.problems)


def test_wrong_settings_fail_the_run_naming_all_of_them(installation: Installation, monkeypatch):
    monkeypatch.setenv("MIGRATION_BATCH_SIZE", "none")
    monkeypatch.setenv("DATABASE_URL", "gopher://x")
    events = installation.run("plan_batches").all_events
    (failed,) = [event for event in events if event.event_type is dg.DagsterEventType.RESOURCE_INIT_FAILURE]
    message = str(failed.engine_event_data.error)
    assert "SettingsError" in message
    assert "MIGRATION_BATCH_SIZE" in message
    assert "DATABASE_URL" in message


def everything_recorded(installation: Installation, results: list[dg.ExecuteInProcessResult]) -> bytes:
    """Every byte below the Dagster home, and the job snapshots, which Dagster compresses."""
    files = [path.read_bytes() for path in (installation.folder / "home").rglob("*") if path.is_file()]
    snapshots = [snapshot_of(installation.instance, result) for result in results]
    return b"".join([*files, *(text.encode() for text in snapshots)])


def snapshot_of(instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult) -> str:
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.job_snapshot_id is not None
    snapshot = instance.get_job_snapshot(run.job_snapshot_id)
    assert isinstance(snapshot, JobSnap)
    return serialize_value(snapshot)


def credentials(environment: Mapping[str, str]) -> list[bytes]:
    return [environment[name].encode() for name in ("R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY")]


@pytest.mark.slow
def test_no_run_records_a_credential(installation: Installation, monkeypatch):
    installation.add_rows(4)
    installation.plan()
    secrets = credentials(installation.standin.environment())
    runs = [installation.migrate(["b000001"]), installation.run("take_stock"), installation.run("validate_migration")]
    wrong = "0123456789abcdef" * 4
    monkeypatch.setenv("R2_SECRET_ACCESS_KEY", wrong)
    runs.append(installation.migrate())
    installation.standin.stop()
    runs.append(installation.run("validate_migration", config=op("validation", mode="full")))
    assert [bool(failures(run)) for run in runs] == [False, False, False, True, True]
    recorded = everything_recorded(installation, runs)
    assert runs[0].run_id.encode() in recorded
    assert [secret for secret in [*secrets, wrong.encode()] if secret in recorded] == []


def test_credentials_given_as_environment_variables_are_recorded_by_name(installation: Installation, monkeypatch):
    monkeypatch.setenv("MY_KEY_ID", installation.standin.access_key_id)
    monkeypatch.setenv("MY_SECRET", installation.standin.secret_access_key)
    r2 = R2Resource(aws_access_key_id=dg.EnvVar("MY_KEY_ID"), aws_secret_access_key=dg.EnvVar("MY_SECRET"))
    result = materialize(thumbnails, r2, instance=installation.instance)
    assert not failures(result)
    recorded = everything_recorded(installation, [result])
    assert b"MY_SECRET" in recorded
    assert [secret for secret in credentials(installation.standin.environment()) if secret in recorded] == []
