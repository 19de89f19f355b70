"""Servers for the object store's tests: a real S3 server over HTTP, and a recording server over TLS."""

from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image

from tests.support.tls_server import TlsServer, serving
from z_interact_assets.demo.standin import DEFAULT_BUCKET as BUCKET
from z_interact_assets.demo.standin import StandIn
from z_interact_assets.storage.objects.client import R2Config, build_client
from z_interact_assets.storage.objects.fast_puts import ObstorePuts


@pytest.fixture
def tls_server(tmp_path) -> Iterator[TlsServer]:
    with serving(tmp_path) as server:
        yield server


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory) -> Iterator[StandIn]:
    with StandIn(tmp_path_factory.mktemp("standin")) as server:
        yield server


@pytest.fixture(scope="session")
def s3_config(s3_server) -> R2Config:
    return R2Config(
        endpoint_url=s3_server.endpoint_url,
        bucket=BUCKET,
        access_key_id=s3_server.access_key_id,
        secret_access_key=s3_server.secret_access_key,
    )


@pytest.fixture(scope="session")
def s3_puts(s3_config) -> ObstorePuts:
    return ObstorePuts(s3_config)


@pytest.fixture(scope="session")
def s3_session_client(s3_config):
    client = build_client(s3_config)
    yield client
    client.close()


@pytest.fixture
def s3_client(s3_session_client):
    """A client of the S3 server, whose bucket is emptied afterwards."""
    yield s3_session_client
    for page in s3_session_client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        if entries := page.get("Contents"):
            keys = [{"Key": entry["Key"]} for entry in entries]
            s3_session_client.delete_objects(Bucket=BUCKET, Delete={"Objects": keys})


@pytest.fixture(scope="session")
def png() -> bytes:
    return make_png(0)


def make_png(shade: int) -> bytes:
    """A small image; another one for each shade."""
    target = BytesIO()
    Image.new("RGB", (3, 2), (shade % 256, shade // 256, 7)).save(target, "PNG")
    return target.getvalue()
