"""Files of any type and size in the object store: streamed, proved, with what readers are told."""

import hashlib
import os
from pathlib import Path

import pytest

from tests.support.tls_server import Reply, TlsServer
from z_interact_assets.core.errors import InvalidKeyError, StorageRefusedError, StorageUnavailableError
from z_interact_assets.demo.standin import DEFAULT_BUCKET as BUCKET
from z_interact_assets.demo.standin import StandIn
from z_interact_assets.storage.objects import FileHeaders, MemoryStore, R2Config, R2Store
from z_interact_assets.storage.objects.files import PART_BYTES, etag_of

KEY = "private/reports/a/table.csv"
CSV = FileHeaders(
    content_type="text/csv; charset=utf-8", content_disposition='attachment; filename="table.csv"',
    metadata={"sha256": "0" * 64},
)  # fmt: skip


@pytest.fixture(params=["r2", "memory"])
def store(request: pytest.FixtureRequest):
    if request.param == "memory":
        return MemoryStore()
    return R2Store(request.getfixturevalue("s3_client"), bucket=BUCKET)


def a_file(folder: Path, size: int) -> Path:
    path = folder / "file"
    path.write_bytes(os.urandom(size))
    return path


IN_PARTS = [pytest.param(size, marks=pytest.mark.slow) for size in (PART_BYTES - 1, PART_BYTES, 2 * PART_BYTES + 7)]


@pytest.mark.parametrize("size", [0, 5, *IN_PARTS])
def test_a_file_of_any_size_comes_back_byte_for_byte(store, tmp_path: Path, size: int) -> None:
    path = a_file(tmp_path, size)
    etag = store.upload_file(KEY, path, CSV)
    found = store.head(KEY)
    assert (found.etag, found.size) == (etag, size) == (etag_of(path), path.stat().st_size)
    assert ("-" in etag) is (size >= PART_BYTES)
    assert hashlib.sha256(store.download(KEY)).digest() == hashlib.sha256(path.read_bytes()).digest()


@pytest.mark.slow
def test_readers_are_told_the_type_and_to_keep_no_copy(s3_client, tmp_path: Path) -> None:
    for size in (5, PART_BYTES + 1):
        R2Store(s3_client, bucket=BUCKET).upload_file(KEY, a_file(tmp_path, size), CSV)
        told = s3_client.head_object(Bucket=BUCKET, Key=KEY)
        assert told["ContentType"] == "text/csv; charset=utf-8"
        assert told["CacheControl"] == "private, no-store"
        assert told["ContentDisposition"] == 'attachment; filename="table.csv"'
        assert told["Metadata"] == {"sha256": "0" * 64}


def test_a_file_takes_the_place_of_what_was_there(store, tmp_path: Path) -> None:
    store.upload_file(KEY, a_file(tmp_path, 10), CSV)
    path = a_file(tmp_path, 20)
    store.upload_file(KEY, path, CSV)
    assert store.download(KEY) == path.read_bytes()


def test_a_key_outside_the_rules_is_refused(store, tmp_path: Path) -> None:
    with pytest.raises(InvalidKeyError):
        store.upload_file("a/../b", a_file(tmp_path, 1), CSV)


def test_a_missing_bucket_is_refused(s3_client, tmp_path: Path) -> None:
    with pytest.raises(StorageRefusedError) as raised:
        R2Store(s3_client, bucket="not-there").upload_file(KEY, a_file(tmp_path, 1), CSV)
    assert raised.value.code == "NoSuchBucket"


@pytest.mark.parametrize("size", [100, *IN_PARTS[1:2]])
def test_what_is_not_stored_as_it_was_sent_is_no_success(s3_server: StandIn, tmp_path: Path, size: int) -> None:
    path = a_file(tmp_path, size)
    with connected(s3_server) as store, connected(s3_server) as other:

        def put_other_bytes(**_: object) -> None:
            other.client.put_object(Bucket=BUCKET, Key=KEY, Body=b"x" * size)

        # Between the upload and its proof the object becomes another one, of the same size.
        store.client.meta.events.register("before-call.s3.HeadObject", put_other_bytes)
        with pytest.raises(StorageUnavailableError, match="unproved"):
            store.upload_file(KEY, path, CSV)


def connected(standin: StandIn) -> R2Store:
    return R2Store.from_config(
        R2Config(
            endpoint_url=standin.endpoint_url,
            bucket=BUCKET,
            access_key_id=standin.access_key_id,
            secret_access_key=standin.secret_access_key,
        )
    )


def test_over_tls_a_file_is_sent_as_r2_takes_it(tls_server: TlsServer, tmp_path: Path) -> None:
    """Only over TLS would botocore send chunks with a trailer, which R2 answers with 501."""
    path = a_file(tmp_path, 100)
    answer = {"ETag": f'"{etag_of(path)}"', "Content-Length": "100", "Last-Modified": "Wed, 01 Jan 2025 00:00:00 GMT"}
    tls_server.respond = lambda request: Reply(
        headers=answer if request.method == "HEAD" else {**answer, "Content-Length": "0"}
    )
    config = R2Config(
        endpoint_url=tls_server.url, bucket="b", access_key_id="i", secret_access_key="s", verify=tls_server.ca_file
    )
    with R2Store.from_config(config) as store:
        store.upload_file(KEY, path, CSV)
    put = tls_server.requests[0]
    assert (put.method, put.body) == ("PUT", path.read_bytes())
    assert "aws-chunked" not in put.headers.get("content-encoding", "")
    unwanted = ("x-amz-checksum-", "x-amz-trailer", "x-amz-sdk-checksum", "expect", "transfer-encoding")
    assert [name for name in put.headers if name.startswith(unwanted)] == []
