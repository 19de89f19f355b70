"""One contract: MemoryStore, and R2Store on a real S3 server over HTTP, its images sent by obstore and by boto3."""

import base64
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

import pytest
import urllib3

from tests.integration.objects.conftest import BUCKET, make_png
from z_interact_assets.core.errors import (
    ImageRejectedError,
    InvalidKeyError,
    ObjectDiffersError,
    ObjectNotFoundError,
    SettingsError,
    StorageRefusedError,
    StorageUnavailableError,
    UnsafeURLError,
)
from z_interact_assets.core.images import digest
from z_interact_assets.core.models import ImageMetadata, UploadRequest
from z_interact_assets.core.ports import ObjectStore
from z_interact_assets.core.reasons import Reason
from z_interact_assets.storage.objects import ImageFetcher, MemoryStore, R2Store
from z_interact_assets.storage.objects import base as base_module
from z_interact_assets.storage.objects.fetch import FetchedImage

PUBLIC = "https://images.example.com"
FORMER = "https://old.example.com/pictures"
KEY = "images/session-1/gen-x/1725000000000-abc.png"


class CannedFetcher(ImageFetcher):
    """A fetcher that has the bytes already; its own rules are tested in test_fetch."""

    def fetch(self, url: str) -> FetchedImage:
        if url.startswith("http:"):
            raise UnsafeURLError("not https")
        return FetchedImage(data=make_png(9)[: 40 if "cut" in url else None], content_type="image/png")


OPTIONS: dict[str, Any] = {"public_url": f"{PUBLIC}/", "former_public_urls": (FORMER,), "fetcher": CannedFetcher()}


@pytest.fixture(params=["memory", "obstore", "boto3"])
def store(request) -> R2Store | MemoryStore:
    if request.param == "memory":
        return MemoryStore(bucket=BUCKET, **OPTIONS)
    puts = request.getfixturevalue("s3_puts") if request.param == "obstore" else None
    return R2Store(request.getfixturevalue("s3_client"), bucket=BUCKET, puts=puts, **OPTIONS)


def test_it_is_an_object_store(store):
    port: ObjectStore = store
    assert port.bucket == BUCKET
    port.check()


def test_an_uploaded_image_comes_back_byte_for_byte(store, png):
    result = store.upload(KEY, png)
    assert result.created
    assert (result.key, result.size, result.etag) == (KEY, len(png), digest(png).md5)
    assert result.digests == digest(png)
    assert result.url == f"{PUBLIC}/{KEY}"
    assert store.download(KEY) == png


def test_head_tells_what_was_stored(store, png):
    before = datetime.now(UTC) - timedelta(seconds=2)
    store.upload(KEY, png, cache_control="no-store")
    head = store.head(KEY)
    assert head is not None
    assert (head.key, head.size, head.etag) == (KEY, len(png), digest(png).md5)
    assert (head.content_type, head.cache_control) == ("image/png", "no-store")
    assert before <= head.uploaded_at <= datetime.now(UTC) + timedelta(seconds=2)
    assert head.metadata == ImageMetadata(sha256=digest(png).sha256)


def test_the_default_cache_control_is_a_year(store, png):
    store.upload(KEY, png)
    assert store.head(KEY).cache_control == "public, max-age=31536000"


@pytest.mark.parametrize(
    "prompt",
    [
        "a cat",
        "größer, naïve, 日本語",
        "👩‍🚀 on the 🌔 at night",
        "line one\nline two\r\n\ttabbed",
        "  spaces at both ends  ",
        "looks =?utf-8?q?encoded?= already",
        "quotes \" ' and % and \\ and ; = :",
    ],
)
def test_any_prompt_is_read_back_as_it_was_written(store, png, prompt):
    written = ImageMetadata(prompt=prompt, persona_id="gen-x", participant_id="p 1", original_url="https://a.b/c?d=ü")
    store.upload(KEY, png, metadata=written)
    read = store.head(KEY).metadata
    assert read.prompt == prompt
    assert (read.persona_id, read.participant_id, read.original_url) == ("gen-x", "p 1", "https://a.b/c?d=ü")
    assert read.prompt_truncated is False


def test_every_character_a_key_may_have_arrives_as_it_is(store, png):
    key = "images/0123456789/abcdefghijklmnopqrstuvwxyz/ABCDEFGHIJKLMNOPQRSTUVWXYZ/a.b_c-d.png"
    store.upload(key, png)
    assert [entry.key for entry in store.list()] == [key]


def test_digests_of_other_bytes_are_found_out(store, png):
    with pytest.raises(StorageUnavailableError):  # at the latest by the ETag, of boto3's request by its Content-MD5
        store.upload(KEY, png, digests=digest(make_png(1)))


def test_a_prompt_over_the_budget_is_cut_and_says_so(store, png):
    prompt = "An 🐘 in the room. " * 500
    store.upload(KEY, png, metadata=ImageMetadata(prompt=prompt, session_id="s"))
    read = store.head(KEY).metadata
    assert read.prompt_truncated
    assert read.prompt
    assert prompt.startswith(read.prompt.rstrip("…"))
    assert len(read.prompt) > 1000
    assert read.session_id == "s"


@pytest.mark.parametrize("form", ["{}", "data:image/png;base64,{}", "data:image/jpeg;base64,{}\n"])
def test_text_is_decoded_before_it_is_stored(store, png, form):
    result = store.upload(KEY, form.format(base64.b64encode(png).decode()))
    assert store.download(KEY) == png
    assert result.content_type == "image/png"


def test_the_bytes_win_over_a_claimed_image_type(store, png):
    assert store.upload(KEY, png, content_type="image/jpeg").content_type == "image/png"
    assert store.head(KEY).content_type == "image/png"


@pytest.mark.parametrize(
    ("data", "content_type", "reason"),
    [
        (b"", None, Reason.EMPTY),
        ("", None, Reason.EMPTY),
        ("data:image/png;base64,", None, Reason.EMPTY),
        (b"<html></html>", None, Reason.NOT_AN_IMAGE),
        (b"<html></html>", "image/png", Reason.NOT_AN_IMAGE),
        (make_png(0), "text/html", Reason.NOT_AN_IMAGE),
        ("not base64!", None, Reason.BAD_BASE64),
    ],
)
def test_what_is_no_image_is_refused_and_nothing_is_stored(store, data, content_type, reason):
    with pytest.raises(ImageRejectedError) as caught:
        store.upload(KEY, data, content_type=content_type)
    assert caught.value.reason is reason
    assert not store.exists(KEY)


@pytest.mark.parametrize("key", ["", "/a.png", "a//b.png", "a/../b.png", "a b.png", "ü.png", "x" * 1025, "a%20b.png"])
def test_a_key_outside_the_rules_is_refused(store, png, key):
    with pytest.raises(InvalidKeyError):
        store.upload(key, png)
    with pytest.raises(InvalidKeyError):
        store.presigned_put(key, "image/png")


def test_the_same_bytes_again_are_a_success_without_a_second_object(store, png):
    store.upload(KEY, png, metadata=ImageMetadata(prompt="first"))
    again = store.upload(KEY, png, metadata=ImageMetadata(prompt="second"))
    assert (again.created, again.etag, again.url) == (False, digest(png).md5, f"{PUBLIC}/{KEY}")
    assert store.head(KEY).metadata.prompt == "first"


def test_other_bytes_are_never_overwritten(store, png):
    store.upload(KEY, png)
    with pytest.raises(ObjectDiffersError) as caught:
        store.upload(KEY, make_png(1))
    assert caught.value.key == KEY
    assert store.download(KEY) == png


def test_other_bytes_are_overwritten_when_asked_for(store, png):
    store.upload(KEY, png)
    assert store.upload(KEY, make_png(1), overwrite=True).created
    assert store.download(KEY) == make_png(1)


def test_more_than_a_single_put_may_carry_is_refused(store, png, monkeypatch):
    monkeypatch.setattr(base_module, "MAX_PUT_BYTES", len(png) - 1)
    with pytest.raises(StorageRefusedError) as caught:
        store.upload(KEY, png)
    assert caught.value.code == "EntityTooLarge"


def test_what_is_not_there_is_none_or_an_error(store):
    assert store.head(KEY) is None
    assert not store.exists(KEY)
    with pytest.raises(ObjectNotFoundError) as caught:
        store.download(KEY)
    assert caught.value.key == KEY


def test_reading_gives_metadata_and_bytes_at_once(store, png):
    store.upload(KEY, png, metadata=ImageMetadata(prompt="a cat\nin a hat 🐈"))
    for size in (None, len(png)):
        found, data = store.read(KEY, size=size)
        assert (found, data) == (store.head(KEY), png)


def test_an_object_of_another_size_is_told_and_not_read(store, png):
    store.upload(KEY, png)
    found, data = store.read(KEY, size=len(png) - 1)
    assert (found, data) == (store.head(KEY), None)


def test_reading_what_is_not_there_is_an_error(store):
    with pytest.raises(ObjectNotFoundError) as caught:
        store.read(KEY)
    assert caught.value.key == KEY


def test_deleting_is_repeatable(store, png):
    store.upload(KEY, png)
    store.delete(KEY)
    assert not store.exists(KEY)
    store.delete(KEY)


@pytest.mark.slow
def test_more_objects_than_a_page_holds_are_listed_and_deleted(store, png):
    keys = [f"images/p/{number}-a.png" for number in range(1005)]
    requests = (UploadRequest(key=key, data=png) for key in [*keys, "other/1-a.png"])
    assert store.batch_upload(requests, concurrency=8).failed == ()
    listed = list(store.list("images/"))
    assert [entry.key for entry in listed] == sorted(keys)
    assert {(entry.size, entry.etag) for entry in listed} == {(len(png), digest(png).md5)}
    assert listed[0].last_modified.tzinfo is not None
    assert store.delete_many(entry.key for entry in listed) == 1005
    assert [entry.key for entry in store.list()] == ["other/1-a.png"]


def test_keys_are_listed_in_the_order_of_their_bytes(store, png):
    keys = ["images/B-1.png", "images/_.png", "images/a.png", "images/a/1.png", "images/a-1.png"]
    for key in keys:
        store.upload(key, png)
    assert [entry.key for entry in store.list()] == sorted(keys, key=str.encode)


def test_nothing_under_a_prefix_is_an_empty_listing(store):
    assert list(store.list("images/")) == []
    assert store.delete_many([]) == 0


def test_a_batch_reports_each_failure_and_finishes_the_rest_in_order(store, png):
    requests = [
        UploadRequest(key="images/1.png", data=png, metadata=ImageMetadata(prompt="one"), cache_control="no-cache"),
        UploadRequest(key="images/2.png", data=b"no image"),
        UploadRequest(key="images/3.png", data=base64.b64encode(png).decode()),
        UploadRequest(key="bad key", data=png),
        UploadRequest(key="images/5.png", data=png, content_type="text/plain"),
        UploadRequest(key="images/6.png", data=None),  # pyright: ignore[reportArgumentType] - a caller's mistake
        UploadRequest(key="images/7.png", data=png),
    ]
    result = store.batch_upload(iter(requests), concurrency=3)
    assert [done.key for done in result.successful] == ["images/1.png", "images/3.png", "images/7.png"]
    assert [failure.key for failure in result.failed] == ["images/2.png", "bad key", "images/5.png", "images/6.png"]
    assert [type(failure.error) for failure in result.failed[:3]] == [
        ImageRejectedError,
        InvalidKeyError,
        ImageRejectedError,
    ]
    head = store.head("images/1.png")
    assert (head.metadata.prompt, head.cache_control) == ("one", "no-cache")
    assert [entry.key for entry in store.list()] == ["images/1.png", "images/3.png", "images/7.png"]


def test_a_failure_of_a_batch_does_not_keep_its_image_alive(store):
    (failure,) = store.batch_upload([UploadRequest(key="images/1.png", data=b"no image")]).failed
    assert failure.error.__traceback__ is None


def test_a_batch_holds_no_more_than_its_concurrency_in_flight(store, monkeypatch):
    lock, now, most = Lock(), 0, 0
    upload = store.upload

    def requests():
        nonlocal now, most
        for number in range(20):
            with lock:
                now += 1
                most = max(most, now)
            yield UploadRequest(key=f"images/{number}.png", data=make_png(number))

    def counted(*args, **kwargs):
        nonlocal now
        try:
            return upload(*args, **kwargs)
        finally:
            with lock:
                now -= 1

    monkeypatch.setattr(store, "upload", counted)
    assert len(store.batch_upload(requests()).successful) == 20
    assert most <= 5


def test_an_empty_batch_is_an_empty_result(store):
    result = store.batch_upload([])
    assert (result.successful, result.failed) == ((), ())


def test_an_image_behind_a_url_is_stored(store):
    result = store.upload_from_url("https://a.example/b.png", KEY, metadata=ImageMetadata(provider="fal"))
    assert result.created
    assert store.download(KEY) == make_png(9)
    assert store.head(KEY).metadata.provider == "fal"


def test_what_is_behind_a_url_must_be_proved_an_image(store):
    with pytest.raises(ImageRejectedError):
        store.upload_from_url("https://a.example/cut.png", KEY)
    with pytest.raises(UnsafeURLError):
        store.upload_from_url("http://a.example/b.png", KEY)
    assert not store.exists(KEY)


def test_a_public_url_is_base_slash_key_and_leads_back_to_the_key(store):
    assert store.public_url(KEY) == f"{PUBLIC}/{KEY}"
    for url in (
        f"{PUBLIC}/{KEY}",
        f"{FORMER}/{KEY}",
        f"https://pub-{'0123456789abcdef' * 2}.r2.dev/{KEY}",
        f"https://abc123.r2.cloudflarestorage.com/{BUCKET}/{KEY}",
    ):
        assert store.key_from_url(url) == KEY
    assert store.key_from_url(f"https://elsewhere.example/r2.dev/{KEY}") is None


def test_an_expiry_beyond_seven_days_is_a_mistake(store):
    for seconds in (0, -1, 7 * 24 * 3600 + 1):
        with pytest.raises(ValueError, match="expires_in"):
            store.presigned_get(KEY, expires_in=seconds)
        with pytest.raises(ValueError, match="expires_in"):
            store.presigned_put(KEY, "image/png", expires_in=seconds)
    assert store.presigned_get(KEY, 7 * 24 * 3600)


def test_a_store_closes_itself(store):
    with store as same:
        assert same is store


def test_without_a_public_base_there_is_no_url(s3_client, png):
    for store in (MemoryStore(), R2Store(s3_client, bucket=BUCKET)):
        assert store.upload(KEY, png).url is None
        with pytest.raises(SettingsError, match="R2_PUBLIC_URL"):
            store.public_url(KEY)


def test_a_public_base_in_clear_text_is_refused():
    with pytest.raises(SettingsError, match="R2_PUBLIC_URL"):
        MemoryStore(public_url="http://images.example.com")


def test_the_memory_store_counts_requests(png):
    store = MemoryStore()
    store.upload(KEY, png)
    store.upload(KEY, png)
    store.download(KEY)
    assert store.requests == {"put": 2, "head": 1, "get": 1}


def test_a_presigned_url_of_the_memory_store_says_what_it_allows():
    store = MemoryStore(bucket="b")
    assert store.presigned_get("images/a.png") == "memory://b/images/a.png?method=GET&expires=3600"
    assert "method=PUT" in store.presigned_put("images/a.png", "image/png", 60)


def test_a_presigned_url_reads_an_object_without_credentials(s3_client, png):
    store = R2Store(s3_client, bucket=BUCKET)
    store.upload(KEY, png)
    url = store.presigned_get(KEY, 60)
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in url
    answer = urllib3.request("GET", url)
    assert (answer.status, answer.data) == (200, png)


def test_a_presigned_url_writes_an_object_without_credentials(s3_client, png):
    store = R2Store(s3_client, bucket=BUCKET)
    url = store.presigned_put(KEY, "image/png", 60)
    assert urllib3.request("PUT", url, body=png, headers={"Content-Type": "image/png"}).status == 200
    assert store.download(KEY) == png
    head = store.head(KEY)
    assert head is not None
    assert head.content_type == "image/png"


def test_an_object_of_a_multipart_upload_is_compared_by_its_bytes(s3_client, png):
    upload = s3_client.create_multipart_upload(Bucket=BUCKET, Key=KEY)
    part = {"Bucket": BUCKET, "Key": KEY, "UploadId": upload["UploadId"], "PartNumber": 1}
    etag = s3_client.upload_part(**part, Body=png)["ETag"]
    s3_client.complete_multipart_upload(
        Bucket=BUCKET, Key=KEY, UploadId=upload["UploadId"],
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]},
    )  # fmt: skip
    store = R2Store(s3_client, bucket=BUCKET)
    same = store.upload(KEY, png)
    assert same.created is False
    assert same.etag.endswith("-1")
    other = png[:-1] + b"?"
    with pytest.raises(ObjectDiffersError):
        store.upload(KEY, other)


def test_a_bucket_that_is_not_there_is_refused_with_a_remedy(s3_client, png):
    store = R2Store(s3_client, bucket="no-such-bucket")
    with pytest.raises(StorageRefusedError) as caught:
        store.check()
    assert "R2_BUCKET_NAME" in caught.value.remedy
    with pytest.raises(StorageRefusedError):
        store.upload(KEY, png)
    with pytest.raises(StorageRefusedError):
        store.download(KEY)
    with pytest.raises(StorageRefusedError):
        list(store.list())


def test_five_lines_connect_upload_and_tell_the_url(s3_server, s3_client, png):
    with R2Store.connect(
        bucket=BUCKET, endpoint_url=s3_server.endpoint_url, public_url=PUBLIC,
        access_key_id=s3_server.access_key_id, secret_access_key=s3_server.secret_access_key,
    ) as store:  # fmt: skip
        assert store.upload(KEY, png).url == f"{PUBLIC}/{KEY}"


def test_the_representation_shows_where_but_no_secret(s3_server):
    with R2Store.connect(
        bucket=BUCKET, account_id="abc123", access_key_id="the-id", secret_access_key="the-secret", public_url=PUBLIC
    ) as store:
        assert repr(store) == (
            f"R2Store(bucket='{BUCKET}', endpoint='https://abc123.r2.cloudflarestorage.com', public_url='{PUBLIC}')"
        )


def test_an_account_or_an_endpoint_is_needed():
    with pytest.raises(SettingsError, match="R2_ACCOUNT_ID"):
        R2Store.connect(bucket=BUCKET, access_key_id="i", secret_access_key="s")


def test_another_accounts_endpoint_is_not_ours():
    with R2Store.connect(bucket=BUCKET, account_id="abc123", access_key_id="i", secret_access_key="s") as store:
        assert store.key_from_url(f"https://abc123.r2.cloudflarestorage.com/{BUCKET}/{KEY}") == KEY
        assert store.key_from_url(f"https://fff999.r2.cloudflarestorage.com/{BUCKET}/{KEY}") is None
