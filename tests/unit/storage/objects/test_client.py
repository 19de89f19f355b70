from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from pydantic import SecretStr

from z_interact_assets.core.errors import SettingsError
from z_interact_assets.storage.objects.client import R2Config, account_endpoint, build_client, content_md5

DEFAULTS: dict[str, Any] = {
    "endpoint_url": "https://abc123.r2.cloudflarestorage.com",
    "bucket": "images",
    "access_key_id": "the-key-id",
    "secret_access_key": "the-secret",
}


def config(**changes: Any) -> R2Config:
    return R2Config(**(DEFAULTS | changes))


def settings_of(**changes: Any) -> Any:
    """The botocore Config of a client; its attributes are set at run time, which no type checker sees."""
    return build_client(config(**changes)).meta.config


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://abc123.r2.cloudflarestorage.com",
        "http://localhost:9000",
        "http://127.0.0.1:9000",
        "http://[::1]:9000",
        "https://s3.example.com/base",
    ],
)
def test_an_endpoint_over_tls_or_on_this_machine_is_accepted(endpoint):
    assert config(endpoint_url=endpoint).endpoint_url == endpoint


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "abc123.r2.cloudflarestorage.com",
        "http://s3.example.com",
        "http://127.0.0.1.example.com",
        "http://10.0.0.1",
        "ftp://localhost",
        "https://user:hunter2@example.com",
        "https://[broken",
    ],
)
def test_any_other_endpoint_is_refused_and_not_repeated(endpoint):
    with pytest.raises(SettingsError, match="R2_ENDPOINT_URL") as caught:
        config(endpoint_url=endpoint)
    assert "hunter2" not in str(caught.value)


def test_all_problems_of_a_configuration_are_listed_at_once():
    with pytest.raises(SettingsError) as caught:
        config(endpoint_url="http://a.example", bucket="", access_key_id="", secret_access_key="", public_url="ftp://x")
    assert len(caught.value.problems) == 5


def test_no_credential_is_in_the_representation():
    for secret in ("the-secret", SecretStr("the-secret")):
        shown = repr(config(secret_access_key=secret))
        assert "the-secret" not in shown
        assert "the-key-id" not in shown
        assert config(secret_access_key=secret).secret == "the-secret"


@pytest.mark.parametrize(
    ("jurisdiction", "host"),
    [
        (None, "abc123.r2.cloudflarestorage.com"),
        ("eu", "abc123.eu.r2.cloudflarestorage.com"),
        ("fedramp", "abc123.fedramp.r2.cloudflarestorage.com"),
    ],
)
def test_the_endpoint_follows_from_account_and_jurisdiction(jurisdiction, host):
    assert account_endpoint("abc123", jurisdiction) == f"https://{host}"


@pytest.mark.parametrize(("account", "jurisdiction"), [("a.evil.com/", None), ("", None), ("abc123", "moon")])
def test_an_account_or_jurisdiction_that_is_none_is_refused(account, jurisdiction):
    with pytest.raises(SettingsError):
        account_endpoint(account, jurisdiction)


def test_content_md5_is_the_base64_of_the_digest():
    assert content_md5("d41d8cd98f00b204e9800998ecf8427e") == "1B2M2Y8AsgTpgAmY7PhCfg=="


def test_the_pool_and_the_timeouts_are_those_of_the_configuration():
    settings = settings_of(max_pool_connections=77, max_attempts=4, connect_timeout=3, read_timeout=9)
    assert settings.max_pool_connections == 77
    assert (settings.connect_timeout, settings.read_timeout) == (3, 9)
    assert settings.retries == {"mode": "standard", "total_max_attempts": 4}
    assert settings.s3["addressing_style"] == "path"
    assert settings.tcp_keepalive is True


def test_a_presigned_url_is_sigv4_in_any_region():
    client = build_client(config(region="us-east-1"))
    url = client.generate_presigned_url("get_object", Params={"Bucket": "images", "Key": "k"})
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in url


def test_a_payload_is_signed_over_plain_http_only():
    assert settings_of().s3["payload_signing_enabled"] is False
    assert settings_of(endpoint_url="http://localhost:9").s3["payload_signing_enabled"] is True


def test_nothing_of_the_machines_own_aws_settings_leaks_in(monkeypatch, tmp_path):
    hostile = tmp_path / "config"
    hostile.write_text(
        "[default]\nregion = eu-west-1\nretry_mode = adaptive\nca_bundle = /nowhere.pem\n"
        "s3 =\n  addressing_style = virtual\n  use_accelerate_endpoint = true\n"
    )
    for name, value in {
        "AWS_CONFIG_FILE": str(hostile),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_PROFILE": "of-another-project",
        "AWS_DEFAULT_REGION": "us-west-2",
        "AWS_REGION": "us-west-2",
        "AWS_SESSION_TOKEN": "leaked-token",
        "AWS_ENDPOINT_URL": "https://elsewhere.example",
        "AWS_ENDPOINT_URL_S3": "https://elsewhere.example",
        "AWS_CA_BUNDLE": "/nowhere.pem",
        "AWS_MAX_ATTEMPTS": "99",
        "AWS_USE_DUALSTACK_ENDPOINT": "true",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "AWS_REQUEST_CHECKSUM_CALCULATION": "when_supported",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "HTTPS_PROXY": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(name, value)
    client = build_client(config())
    url = client.generate_presigned_url("get_object", Params={"Bucket": "images", "Key": "k"})
    assert url.startswith("https://abc123.r2.cloudflarestorage.com/images/k?")
    assert "leaked-token" not in url
    assert "%2Fauto%2Fs3%2F" in url
    settings: Any = client.meta.config
    assert settings.request_checksum_calculation == "when_required"
    assert settings.retries == {"mode": "standard", "total_max_attempts": 5}
    assert settings.proxies == {}
    assert "use_accelerate_endpoint" not in settings.s3


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    client = build_client(config(endpoint_url="http://127.0.0.1:9", max_attempts=1))
    # A proxy that refuses would be a ProxyConnectionError.
    with pytest.raises(EndpointConnectionError):
        client.list_buckets()
