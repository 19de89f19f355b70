"""What goes over the wire to R2. Only over TLS does botocore use aws-chunked bodies, so only here can it be seen."""

import base64
import hashlib
import os
import traceback

import pytest

from tests.support.tls_server import RecordedRequest, Reply
from z_interact_assets.core.errors import StorageRefusedError, StorageUnavailableError
from z_interact_assets.core.models import ImageMetadata
from z_interact_assets.storage.objects import R2Config, R2Store
from z_interact_assets.storage.objects.client import build_client

KEY = "images/s/p/1-a.png"
DELETED = b'<?xml version="1.0"?><DeleteResult/>'


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def accept(request: RecordedRequest) -> Reply:
    """The answers of an S3 server that takes everything."""
    if request.method == "POST":
        return Reply(headers={"Content-Length": str(len(DELETED))}, body=[DELETED])
    return Reply(headers={"ETag": f'"{md5(request.body)}"', "Content-Length": "0"})


# What S3 says of any object.
FACTS = {"ETag": f'"{md5(b"")}"', "Last-Modified": "Mon, 01 Sep 2025 00:00:00 GMT"}


def error_reply(status: int, code: str) -> Reply:
    body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
    return Reply(status=status, headers={"Content-Length": str(len(body))}, body=[body])


@pytest.fixture
def config_of(tls_server):
    def make(**changes) -> R2Config:
        return R2Config(**{
            "endpoint_url": tls_server.url, "bucket": "pictures", "access_key_id": "id", "secret_access_key": "secret",
            "verify": tls_server.ca_file, "connect_timeout": 5, "read_timeout": 5, "max_attempts": 3,
        } | changes)  # fmt: skip

    return make


@pytest.fixture
def store_of(config_of):
    stores = []

    def make(**changes) -> R2Store:
        stores.append(R2Store.from_config(config_of(**changes)))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def sent(tls_server, store_of, png) -> RecordedRequest:
    """The PUT of one upload as it came over the wire."""
    # The ETag of the image, not of what came: a body in another framing is for the tests to see.
    tls_server.respond = lambda _: Reply(headers={"ETag": f'"{md5(png)}"', "Content-Length": "0"})
    store_of().upload(KEY, png, metadata=ImageMetadata(prompt="a cat\nin a hat 🐈"))
    (request,) = tls_server.requests
    return request


def test_a_put_carries_the_bytes_as_they_are(sent, png):
    assert (sent.method, sent.path) == ("PUT", f"/pictures/{KEY}")
    assert sent.body == png
    assert sent.headers["content-length"] == str(len(png))
    assert "transfer-encoding" not in sent.headers


def test_a_put_is_not_chunked_and_carries_no_checksum_of_botocores(sent):
    assert "aws-chunked" not in sent.headers.get("content-encoding", "")
    unwanted = ("x-amz-checksum-", "x-amz-trailer", "x-amz-sdk-checksum-algorithm", "x-amz-decoded-content-length")
    assert [name for name in sent.headers if name.startswith(unwanted)] == []


def test_a_put_waits_for_no_100_continue(sent):
    assert "expect" not in sent.headers


def test_a_put_is_conditional(sent):
    assert sent.headers["if-none-match"] == "*"


def test_a_put_through_a_client_that_was_brought_carries_its_md5(tls_server, config_of, png):
    tls_server.respond = accept
    with R2Store(build_client(config_of()), bucket="pictures") as store:
        store.upload(KEY, png)
    (request,) = tls_server.requests
    assert base64.b64decode(request.headers["content-md5"]) == hashlib.md5(png).digest()
    assert request.headers["if-none-match"] == "*"
    assert "expect" not in request.headers
    assert "aws-chunked" not in request.headers.get("content-encoding", "")


MACHINE = {
    "AWS_SESSION_TOKEN": "of-another-project", "AWS_ACCESS_KEY_ID": "other", "AWS_REGION": "eu-north-1",
    "AWS_ENDPOINT_URL": "https://127.0.0.1:9", "AWS_CHECKSUM_ALGORITHM": "sha256", "AWS_SKIP_SIGNATURE": "true",
    "AWS_SERVER_SIDE_ENCRYPTION": "AES256", "HTTPS_PROXY": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9",
}  # fmt: skip


def test_a_put_takes_no_setting_of_the_machines(tls_server, store_of, png, monkeypatch):
    for name, value in MACHINE.items():
        monkeypatch.setenv(name, value)
    tls_server.respond = accept
    store_of().upload(KEY, png)
    (request,) = tls_server.requests
    unwanted = ("x-amz-security", "x-amz-checksum", "x-amz-server-side", "x-amz-sdk")
    assert [name for name in request.headers if name.startswith(unwanted)] == []
    assert "Credential=id/" in request.headers["authorization"]
    assert {name: os.environ[name] for name in MACHINE} == MACHINE


def test_no_error_of_a_put_tells_the_secret(tls_server, store_of, png):
    tls_server.respond = lambda _: error_reply(403, "SignatureDoesNotMatch")
    store = store_of(secret_access_key="very-secret")
    with pytest.raises(StorageRefusedError) as caught:
        store.upload(KEY, png)
    shown = "".join(traceback.format_exception(caught.value)) + repr(store) + repr(vars(store))
    assert "very-secret" not in shown


def test_the_payload_is_not_hashed_for_the_signature(sent):
    assert sent.headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
    assert sent.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=id/")
    assert "/auto/s3/aws4_request" in sent.headers["authorization"]


def test_a_put_says_what_it_is(sent):
    assert sent.headers["content-type"] == "image/png"
    assert sent.headers["cache-control"] == "public, max-age=31536000"
    assert all(value.isascii() and value.isprintable() for value in sent.headers.values())


def test_deleting_many_carries_content_md5_and_no_checksum_of_botocores(tls_server, store_of):
    tls_server.respond = accept
    store_of().delete_many(["images/a.png", "images/b.png"])
    (request,) = tls_server.requests
    assert base64.b64decode(request.headers["content-md5"]) == hashlib.md5(request.body).digest()
    assert [name for name in request.headers if "checksum" in name] == []


def test_a_get_asks_for_no_checksum(tls_server, store_of, png):
    tls_server.respond = lambda _: Reply(headers=FACTS | {"Content-Length": str(len(png))}, body=[png])
    assert store_of().download(KEY) == png
    assert "x-amz-checksum-mode" not in tls_server.requests[0].headers


def test_an_overwrite_is_not_conditional(tls_server, store_of, png):
    tls_server.respond = accept
    store_of().upload(KEY, png, overwrite=True)
    assert "if-none-match" not in tls_server.requests[0].headers


@pytest.mark.parametrize("etag", [f'"{md5(b"other")}"', '"d41d-2"', ""])
def test_a_put_answered_with_another_etag_is_never_a_success(etag, tls_server, store_of, png):
    tls_server.respond = lambda request: Reply(
        headers={"ETag": etag if request.method == "PUT" else f'"{md5(png)}"', "Content-Length": "0"}
        | ({"Last-Modified": "Mon, 01 Sep 2025 00:00:00 GMT"} if request.method == "HEAD" else {})
    )
    with pytest.raises(StorageUnavailableError, match="unproved"):
        store_of().upload(KEY, png)
    assert [request.method for request in tls_server.requests] == ["PUT", "HEAD"]


@pytest.mark.parametrize(("status", "code"), [(429, "TooManyRequests"), (503, "SlowDown")])
def test_a_throttled_put_is_retried_and_told_to_whoever_listens(status, code, tls_server, store_of, png):
    replies = iter([error_reply(status, code)])
    tls_server.respond = lambda request: next(replies, None) or accept(request)
    heard = []
    store = store_of()
    store.on_throttle(lambda: heard.append("slow down"))
    assert store.upload(KEY, png).created
    assert heard == ["slow down"]
    assert len(tls_server.requests) == 2
    assert tls_server.requests[1].body == png


def test_trouble_other_than_throttling_is_not_told(tls_server, store_of, png):
    replies = iter([error_reply(500, "InternalError")])
    tls_server.respond = lambda request: next(replies, None) or accept(request)
    heard = []
    store = store_of()
    store.on_throttle(lambda: heard.append("slow down"))
    assert store.upload(KEY, png).created
    assert heard == []


def test_a_put_that_never_succeeds_ends_after_the_configured_attempts(tls_server, store_of, png):
    tls_server.respond = lambda _: error_reply(503, "SlowDown")
    with pytest.raises(StorageUnavailableError):
        store_of(max_attempts=2).upload(KEY, png)
    assert len(tls_server.requests) == 2


def test_a_put_whose_answer_was_lost_is_recognised_as_done(tls_server, store_of, png):
    def respond(request: RecordedRequest) -> Reply:
        if request.method == "HEAD":
            headers = {"ETag": f'"{md5(png)}"', "Last-Modified": "Mon, 01 Sep 2025 00:00:00 GMT"}
            return Reply(headers=headers | {"Content-Length": str(len(png))})
        # The first try is written, but its answer is a gateway's; the second finds the object there.
        return (
            error_reply(502, "BadGateway") if len(tls_server.requests) == 1 else error_reply(412, "PreconditionFailed")
        )

    tls_server.respond = respond
    result = store_of().upload(KEY, png)
    assert (result.created, result.etag) == (False, md5(png))
    assert [request.method for request in tls_server.requests] == ["PUT", "PUT", "HEAD"]


def test_a_body_that_breaks_off_is_asked_for_again(tls_server, store_of, png):
    def respond(_: RecordedRequest) -> Reply:
        whole = len(tls_server.requests) > 2
        headers = {"Content-Length": str(len(png)), "Connection": "keep-alive" if whole else "close"}
        return Reply(headers=FACTS | headers, body=[png if whole else png[:10]])

    tls_server.respond = respond
    assert store_of().download(KEY) == png
    assert len(tls_server.requests) == 3


def test_a_body_that_always_breaks_off_is_reported(tls_server, store_of):
    headers = FACTS | {"Content-Length": "9", "Connection": "close"}
    tls_server.respond = lambda _: Reply(headers=headers, body=[b"123"])
    with pytest.raises(StorageUnavailableError):
        store_of().download(KEY)
    assert len(tls_server.requests) == 3


def test_an_object_of_another_size_is_not_read(tls_server, store_of):
    """The rest of its body never comes: whoever waited for it would be silent until the timeout, thrice."""
    tls_server.respond = lambda _: Reply(headers=FACTS | {"Content-Length": "1000000"}, body=[b"123"])
    found, data = store_of().read(KEY, size=9)
    assert (found.size, found.etag, data) == (1_000_000, md5(b""), None)
    assert len(tls_server.requests) == 1


def test_a_failed_page_of_a_listing_raises(tls_server, store_of):
    first = (
        b"<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken><Contents>"
        b"<Key>images/a</Key><LastModified>2025-09-01T00:00:00Z</LastModified><ETag>&quot;e&quot;</ETag><Size>1</Size>"
        b"</Contents></ListBucketResult>"
    )
    tls_server.respond = lambda request: (
        error_reply(403, "AccessDenied")
        if "continuation-token" in request.path
        else Reply(headers={"Content-Length": str(len(first))}, body=[first])
    )
    listing = store_of().list()
    assert next(listing).key == "images/a"
    with pytest.raises(StorageRefusedError):
        next(listing)


def test_a_listing_that_is_no_xml_raises_instead_of_being_empty(tls_server, store_of):
    page = b"<html><p>Welcome to the captive portal"
    tls_server.respond = lambda _: Reply(headers={"Content-Length": str(len(page))}, body=[page])
    with pytest.raises(StorageUnavailableError):
        list(store_of().list())


def test_a_key_that_cannot_be_deleted_raises(tls_server, store_of):
    body = b"<DeleteResult><Error><Key>images/b</Key><Code>AccessDenied</Code></Error></DeleteResult>"
    tls_server.respond = lambda _: Reply(headers={"Content-Length": str(len(body))}, body=[body])
    with pytest.raises(StorageRefusedError, match="images/b") as caught:
        store_of().delete_many(["images/a", "images/b"])
    assert caught.value.code == "AccessDenied"


@pytest.mark.parametrize(
    ("status", "word"), [(403, "R2_ACCESS_KEY_ID"), (401, "R2_ACCESS_KEY_ID"), (404, "R2_BUCKET_NAME")]
)
def test_a_check_that_is_refused_says_what_to_do(status, word, tls_server, store_of):
    tls_server.respond = lambda _: Reply(status=status, headers={"Content-Length": "0"})
    with pytest.raises(StorageRefusedError) as caught:
        store_of().check()
    assert word in caught.value.remedy


def test_a_put_into_a_missing_bucket_names_the_bucket(tls_server, store_of, png):
    tls_server.respond = lambda _: error_reply(404, "NoSuchBucket")
    with pytest.raises(StorageRefusedError, match="pictures"):
        store_of().upload(KEY, png)


def test_a_server_of_an_unknown_authority_is_not_talked_to(tls_server, store_of, png):
    with pytest.raises(StorageUnavailableError, match="certificate"):
        store_of(verify=True, max_attempts=1).upload(KEY, png)
    assert tls_server.requests == []


@pytest.mark.parametrize(
    "read", [lambda store: store.head(KEY), lambda store: store.read(KEY), lambda store: list(store.list())]
)
def test_nothing_is_read_from_a_server_of_an_unknown_authority_nor_asked_for_again(tls_server, store_of, read):
    with pytest.raises(StorageUnavailableError, match="certificate"):
        read(store_of(verify=True, max_attempts=9, backoff=60))  # a second attempt would come after the test's patience
    assert tls_server.requests == []


def test_an_endpoint_where_nobody_listens_is_unavailable(store_of):
    with pytest.raises(StorageUnavailableError, match="R2_ENDPOINT_URL"):
        store_of(endpoint_url="http://127.0.0.1:9", max_attempts=1).check()
