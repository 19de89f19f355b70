"""The stand-in over HTTP, with boto3 as the client."""

import base64
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.header import Header
from pathlib import Path
from typing import Any

import pytest
import urllib3
from botocore.exceptions import ClientError, ConnectionClosedError
from werkzeug.wrappers import Response

from z_interact_assets.demo.standin import StandIn
from z_interact_assets.demo.standin_app import IncomingRequest

KEY = "images/gen-x/1756881137777-abc.png"
BODY = b"\x89PNG not really"
MD5 = base64.b64encode(hashlib.md5(BODY).digest()).decode()


def refused(call: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        call()
    response: Any = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def fetch(url: str, method: str = "GET", **headers: str) -> urllib3.BaseHTTPResponse:
    with urllib3.PoolManager(retries=False) as pool:
        return pool.request(method, url, headers=headers)


def test_an_object_comes_back_with_its_bytes_headers_and_metadata(s3, standin):
    put = s3.put_object(
        Bucket=standin.bucket,
        Key=KEY,
        Body=BODY,
        ContentMD5=MD5,
        ContentType="image/png",
        CacheControl="public, max-age=60",
        Metadata={"personaId": "gen-x"},
    )
    got = s3.get_object(Bucket=standin.bucket, Key=KEY)
    assert put["ETag"] == f'"{hashlib.md5(BODY).hexdigest()}"'
    assert got["Body"].read() == BODY
    assert (got["ContentType"], got["CacheControl"]) == ("image/png", "public, max-age=60")
    assert got["Metadata"] == {"personaid": "gen-x"}


def test_a_wrong_secret_is_refused(standin, client_of):
    client = client_of(standin, secret="0" * 64)
    assert refused(lambda: client.put_object(Bucket=standin.bucket, Key=KEY, Body=BODY)) == (
        403,
        "SignatureDoesNotMatch",
    )
    assert refused(lambda: client.list_objects_v2(Bucket=standin.bucket)) == (403, "SignatureDoesNotMatch")


def test_a_wrong_key_id_is_refused(standin, client_of):
    client = client_of(standin, key_id="0" * 32)
    assert refused(lambda: client.list_objects_v2(Bucket=standin.bucket)) == (403, "InvalidAccessKeyId")


def test_a_tampered_body_is_refused(standin, s3):
    def tamper(request, **_):
        request.body = b"other bytes"
        request.headers["Content-Length"] = str(len(request.body))

    s3.meta.events.register("before-send.s3.PutObject", tamper)
    put = {"Bucket": standin.bucket, "Key": KEY, "Body": BODY}
    assert refused(lambda: s3.put_object(**put)) == (400, "XAmzContentSHA256Mismatch")


@pytest.mark.parametrize("path", ["", "{bucket}", "{bucket}/{key}", "{bucket}/{key}?x-id=GetObject"])
def test_an_unsigned_request_is_refused(s3, standin, path):
    s3.put_object(Bucket=standin.bucket, Key=KEY, Body=BODY)
    answer = fetch(f"{standin.endpoint_url}/{path.format(bucket=standin.bucket, key=KEY)}")
    assert (answer.status, b"AccessDenied" in answer.data) == (403, True)


def test_an_unsigned_put_to_the_public_path_stores_nothing(s3, standin):
    assert fetch(f"{standin.public_url}/{KEY}", "PUT").status == 404
    assert s3.list_objects_v2(Bucket=standin.bucket)["KeyCount"] == 0


def test_presigned_urls_serve_until_they_expire(tmp_path, client_of):
    passed = timedelta()
    with StandIn(tmp_path, clock=lambda: datetime.now(UTC) + passed) as standin:
        s3 = client_of(standin)
        put = s3.generate_presigned_url("put_object", Params={"Bucket": standin.bucket, "Key": KEY}, ExpiresIn=60)
        get = s3.generate_presigned_url("get_object", Params={"Bucket": standin.bucket, "Key": KEY}, ExpiresIn=60)
        with urllib3.PoolManager(retries=False) as pool:
            assert pool.request("PUT", put, body=BODY).status == 200
        assert fetch(get).data == BODY
        assert fetch(get.replace("abc.png", "abd.png")).status == 403
        passed = timedelta(seconds=120)
        late = fetch(get)
    assert (late.status, b"expired" in late.data) == (403, True)


def test_a_signature_from_another_hour_is_refused(tmp_path, client_of):
    with StandIn(tmp_path, clock=lambda: datetime.now(UTC) + timedelta(hours=1)) as standin:
        s3 = client_of(standin)
        assert refused(lambda: s3.list_objects_v2(Bucket=standin.bucket)) == (403, "RequestTimeTooSkewed")


def test_a_wrong_content_md5_is_refused_and_stores_nothing(s3, standin):
    wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    put = {"Bucket": standin.bucket, "Key": KEY, "Body": BODY}
    assert refused(lambda: s3.put_object(**put, ContentMD5=wrong)) == (400, "BadDigest")
    assert s3.list_objects_v2(Bucket=standin.bucket)["KeyCount"] == 0


def test_metadata_is_counted_decoded_up_to_8192_bytes(s3, standin):
    def put(characters: int) -> None:
        value = Header("ä" * characters, "utf-8", maxlinelen=75).encode(linesep="").replace("\n", "")
        s3.put_object(Bucket=standin.bucket, Key=KEY, Body=BODY, Metadata={"p": value, "n": "x"})

    put((8192 - 3) // 2)
    assert refused(lambda: put((8192 - 3) // 2 + 1)) == (400, "MetadataTooLarge")


def test_if_none_match_protects_what_is_there(s3, standin):
    put = {"Bucket": standin.bucket, "Key": KEY, "IfNoneMatch": "*"}
    s3.put_object(**put, Body=BODY)
    assert refused(lambda: s3.put_object(**put, Body=b"other")) == (412, "PreconditionFailed")
    assert s3.get_object(Bucket=standin.bucket, Key=KEY)["Body"].read() == BODY


def test_of_many_writers_of_one_new_key_exactly_one_wins(s3, standin):
    def put(number: int) -> int:
        try:
            answer: Any = s3.put_object(Bucket=standin.bucket, Key=KEY, Body=b"%d" % number, IfNoneMatch="*")
        except ClientError as error:
            answer = error.response
        return answer["ResponseMetadata"]["HTTPStatusCode"]

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(put, range(8))) == [200] + [412] * 7


def test_chunked_bodies_and_trailers_are_not_implemented(s3, standin):
    def announce(request, **_):
        request.headers["x-amz-trailer"] = "x-amz-checksum-crc32"

    s3.meta.events.register("before-sign.s3.PutObject", announce)
    assert refused(lambda: s3.put_object(Bucket=standin.bucket, Key=KEY, Body=BODY)) == (501, "NotImplemented")


def test_another_bucket_is_not_there_and_none_can_be_made(s3, standin):
    assert refused(lambda: s3.list_objects_v2(Bucket="another-bucket")) == (404, "NoSuchBucket")
    assert refused(lambda: s3.create_bucket(Bucket=standin.bucket)) == (403, "AccessDenied")
    assert refused(lambda: s3.delete_bucket(Bucket=standin.bucket)) == (403, "AccessDenied")


def test_public_reads_carry_type_cache_and_etag(s3, standin):
    s3.put_object(Bucket=standin.bucket, Key=KEY, Body=BODY, ContentType="image/png", CacheControl="max-age=9")
    got = fetch(f"{standin.public_url}/{KEY}")
    head = fetch(f"{standin.public_url}/{KEY}", "HEAD")
    etag = f'"{hashlib.md5(BODY).hexdigest()}"'
    assert (got.status, got.data) == (200, BODY)
    assert (head.status, head.data, head.headers["Content-Length"]) == (200, b"", str(len(BODY)))
    for answer in (got, head):
        assert (answer.headers["Content-Type"], answer.headers["Cache-Control"]) == ("image/png", "max-age=9")
        assert answer.headers["ETag"] == etag
    assert fetch(f"{standin.public_url}/{KEY}", **{"If-None-Match": etag}).status == 304
    assert fetch(f"{standin.public_url}/{KEY}x").status == 404
    assert fetch(f"{standin.endpoint_url}/public/another-bucket/{KEY}").status == 404


def test_a_restart_keeps_objects_port_and_key_pair(tmp_path, client_of):
    folder = tmp_path / "standin"
    first = StandIn(folder)
    with first:
        s3 = client_of(first)
        url, pair = first.public_url, (first.access_key_id, first.secret_access_key)
        metadata = {"prompt": "=?utf-8?b?w6Q=?="}
        s3.put_object(Bucket=first.bucket, Key=KEY, Body=b"former")
        s3.put_object(Bucket=first.bucket, Key=KEY, Body=BODY, ContentType="image/png", Metadata=metadata)
        s3.put_object(Bucket=first.bucket, Key="gone", Body=BODY)
        s3.put_object(Bucket=first.bucket, Key="gone-too", Body=BODY)
        s3.delete_object(Bucket=first.bucket, Key="gone")
        s3.delete_objects(Bucket=first.bucket, Delete={"Objects": [{"Key": "gone-too"}]})
        before = s3.head_object(Bucket=first.bucket, Key=KEY)
    with StandIn(folder) as second:
        assert (second.public_url, (second.access_key_id, second.secret_access_key)) == (url, pair)
        s3 = client_of(second)
        after = s3.get_object(Bucket=second.bucket, Key=KEY)
        listed = s3.list_objects_v2(Bucket=second.bucket)["Contents"]
    assert after["Body"].read() == BODY
    for name in ("ETag", "ContentType", "Metadata", "LastModified", "ContentLength"):
        assert after[name] == before[name]
    assert [found["Key"] for found in listed] == [KEY]
    assert len(list((folder / "buckets" / first.bucket).iterdir())) == 2


def test_a_multipart_upload_is_kept_when_complete(tmp_path, client_of):
    body = b"x" * (5 * 1024 * 1024) + b"end"
    with StandIn(tmp_path) as standin:
        s3 = client_of(standin)
        at = {"Bucket": standin.bucket, "Key": KEY}
        upload = s3.create_multipart_upload(**at)["UploadId"]
        parts = [
            {"ETag": s3.upload_part(**at, UploadId=upload, PartNumber=number, Body=part)["ETag"], "PartNumber": number}
            for number, part in ((1, body[:-3]), (2, body[-3:]))
        ]
        s3.complete_multipart_upload(**at, UploadId=upload, MultipartUpload={"Parts": parts})
    with StandIn(tmp_path) as standin:
        got = client_of(standin).get_object(Bucket=standin.bucket, Key=KEY)
        assert got["ETag"].endswith('-2"')
        assert got["Body"].read() == body


def test_a_listing_goes_over_pages(s3, standin):
    for number in range(5):
        s3.put_object(Bucket=standin.bucket, Key=f"images/{number}", Body=b"")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=standin.bucket, PaginationConfig={"PageSize": 2})
    assert [found["Key"] for page in pages for found in page["Contents"]] == [f"images/{number}" for number in range(5)]


def test_two_standins_in_one_process_do_not_share_objects(tmp_path, client_of):
    with StandIn(tmp_path / "a") as one, StandIn(tmp_path / "b") as other:
        client_of(one).put_object(Bucket=one.bucket, Key=KEY, Body=BODY)
        assert client_of(other).list_objects_v2(Bucket=other.bucket)["KeyCount"] == 0
        assert one.endpoint_url != other.endpoint_url


def test_requests_are_counted_by_method_and_kind(s3, standin):
    s3.put_object(Bucket=standin.bucket, Key=KEY, Body=BODY)
    s3.list_objects_v2(Bucket=standin.bucket)
    fetch(f"{standin.public_url}/{KEY}")
    refused(lambda: s3.head_object(Bucket=standin.bucket, Key="none"))
    assert standin.requests == {("PUT", "object"): 1, ("GET", "list"): 1, ("GET", "public"): 1, ("HEAD", "object"): 1}


def test_a_fault_answers_in_place_of_the_standin(tmp_path, client_of):
    def throttle_the_first(request: IncomingRequest) -> Response | None:
        return Response("slow down", status=429) if request.key == KEY and request.number == 1 else None

    with StandIn(tmp_path, faults=throttle_the_first) as standin:
        s3 = client_of(standin)
        put = {"Bucket": standin.bucket, "Key": KEY, "Body": BODY}
        assert refused(lambda: s3.put_object(**put))[0] == 429
        assert s3.list_objects_v2(Bucket=standin.bucket)["KeyCount"] == 0
        s3.put_object(**put)


def test_a_fault_can_drop_the_connection(tmp_path, client_of, capfd):
    def hang_up(_: IncomingRequest) -> None:
        raise ConnectionAbortedError

    with StandIn(tmp_path, faults=hang_up) as standin:
        s3 = client_of(standin)
        with pytest.raises(ConnectionClosedError):
            s3.put_object(Bucket=standin.bucket, Key=KEY, Body=BODY)
        assert standin.requests == {("PUT", "object"): 1}
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("subresource", ["versioning", "acl", "policy", "notification"])
def test_what_r2_lacks_is_not_implemented(s3, standin, subresource):
    call = getattr(s3, f"get_bucket_{subresource}" + ("_configuration" if subresource == "notification" else ""))
    assert refused(lambda: call(Bucket=standin.bucket)) == (501, "NotImplemented")


def test_nothing_of_the_key_pair_is_readable_by_others(tmp_path):
    with StandIn(tmp_path / "standin") as standin:
        file = standin.folder / "credentials.json"
        assert file.stat().st_mode & 0o077 == 0
        assert standin.secret_access_key in file.read_text()
        assert standin.secret_access_key not in repr(standin)
        health = fetch(f"{standin.endpoint_url}/-/health").json()
    assert health["folder"] == str(Path(tmp_path / "standin"))
    assert standin.secret_access_key not in str(health)
