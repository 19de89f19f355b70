from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config

from z_interact_assets.demo.standin import StandIn

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ClientOf = Callable[..., "S3Client"]


def make_client(standin: StandIn, *, key_id: str | None = None, secret: str | None = None) -> "S3Client":
    return boto3.client(
        "s3",
        endpoint_url=standin.endpoint_url,
        region_name="auto",
        aws_access_key_id=key_id or standin.access_key_id,
        aws_secret_access_key=secret or standin.secret_access_key,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            retries={"total_max_attempts": 1},
            proxies={},
        ),
    )


@pytest.fixture
def client_of() -> ClientOf:
    return make_client


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[StandIn]:
    with StandIn(tmp_path / "standin") as started:
        yield started


@pytest.fixture
def s3(standin: StandIn) -> "S3Client":
    return make_client(standin)
