import socket
import threading
from random import Random

import pytest
from werkzeug.wrappers import Response

from tests.integration.validate.conftest import ADOPTED_KEY, NOW_MS, Faults, World, base64_of, make_png
from z_interact_assets.core.errors import SettingsError, StorageRefusedError, StorageUnavailableError
from z_interact_assets.core.models import StoredObject
from z_interact_assets.core.urls import KnownBases
from z_interact_assets.demo.standin_app import IncomingRequest
from z_interact_assets.inventory import Inventory
from z_interact_assets.storage.objects import R2Config, R2Store
from z_interact_assets.validate import Progress, Validation

pytestmark = pytest.mark.slow

EVERY_MODE = ("head", "full", "public")
BUCKET_MODES = ("head", "full")


@pytest.mark.parametrize("mode", EVERY_MODE)
def test_an_untouched_migration_is_valid(world: World, mode):
    assert world.validate(mode).to_json() == {
        "is_valid": True, "checked": 4, "valid": 4, "missing": [], "corrupted": [], "misdirected": [],
        "unreachable": [], "orphaned": [], "shared": [], "rows_gone": [], "mode": mode,
    }  # fmt: skip


@pytest.mark.parametrize("mode", EVERY_MODE)
def test_a_deleted_object_is_missing(world: World, mode):
    world.store.delete(world.key_of("embedded"))
    report = world.validate(mode)
    assert (report.missing, report.corrupted, report.unreachable) == (["embedded"], [], [])
    assert (report.is_valid, report.checked, report.valid) == (False, 4, 3)


@pytest.mark.parametrize("mode", EVERY_MODE)
@pytest.mark.parametrize("image_id", ["embedded", "adopted"])
def test_other_bytes_are_corrupted(world: World, mode, image_id):
    world.put(world.key_of(image_id), make_png(500), CacheControl="public")
    report = world.validate(mode)
    assert (report.corrupted, report.missing, report.valid) == ([image_id], [], 3)


@pytest.mark.parametrize("mode", EVERY_MODE)
def test_other_bytes_of_the_same_length_are_corrupted(world: World, mode):
    data = world.bytes_of("embedded")
    world.put(world.key_of("embedded"), data[:-1] + bytes([data[-1] ^ 1]), CacheControl="public")
    assert world.validate(mode).corrupted == ["embedded"]


@pytest.mark.parametrize("mode", EVERY_MODE)
def test_a_wrong_content_type_is_corrupted(world: World, mode):
    data = world.bytes_of("embedded")
    world.put(world.key_of("embedded"), data, "application/octet-stream", CacheControl="public")
    report = world.validate(mode)
    assert report.corrupted == ["embedded"]
    assert "application/octet-stream" in report.problems[0].detail


def test_a_public_image_without_cache_control_is_reported(world: World):
    world.put(world.key_of("embedded"), world.bytes_of("embedded"))
    assert world.validate("public").corrupted == ["embedded"]
    assert world.validate("full").is_valid


@pytest.mark.parametrize("mode", BUCKET_MODES)
def test_the_second_image_of_a_row_is_proved_too(world: World, mode):
    item = world.item("two")
    (alternate,) = world.ledger.ask.alternates([item.item_id])[item.item_id]
    assert alternate.key != item.object_key
    world.store.delete(alternate.key)
    report = world.validate(mode)
    assert [(problem.image_id, problem.key) for problem in report.problems] == [("two", alternate.key)]
    assert report.missing == ["two"]


def test_the_same_bytes_uploaded_in_parts_are_read_before_they_are_called_corrupted(world: World):
    key, data = world.key_of("embedded"), world.bytes_of("embedded")
    upload_in_parts(world, key, data)
    found = world.store.head(key)
    assert found is not None
    assert "-" in found.etag
    assert world.validate("head").is_valid
    upload_in_parts(world, key, data[:-1] + b"?")
    assert world.validate("head").corrupted == ["embedded"]


def upload_in_parts(world: World, key: str, data: bytes) -> None:
    bucket = world.standin.bucket
    upload = world.s3.create_multipart_upload(Bucket=bucket, Key=key, ContentType="image/png")["UploadId"]
    etag = world.s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=data)["ETag"]
    world.s3.complete_multipart_upload(
        Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]}
    )


@pytest.mark.parametrize(
    "url",
    [
        None,
        "https://elsewhere.example/images/gen-z/1.png",
        "{public}/images/gen-z/1-another.png",
        "{public}/{key}?v=2",
        "data:image/png;base64,AAAA",
    ],
)
def test_an_edited_row_is_misdirected(world: World, url):
    world.sql(
        "UPDATE images SET image_url = ? WHERE id = 'embedded'",
        url and url.format(public=world.standin.public_url, key=world.key_of("embedded")),
    )
    report = world.validate("head")
    assert (report.misdirected, report.missing, report.corrupted, report.valid) == (["embedded"], [], [], 3)


def test_a_misdirected_row_does_not_hide_that_its_object_is_missing(world: World):
    world.sql("UPDATE images SET image_url = NULL WHERE id = 'embedded'")
    world.store.delete(world.key_of("embedded"))
    report = world.validate("public")
    assert (report.misdirected, report.missing, report.checked, report.valid) == (["embedded"], ["embedded"], 4, 3)


def test_a_row_found_on_r2_may_have_a_query_in_its_url(world: World):
    world.sql("UPDATE images SET image_url = image_url || '?v=2' WHERE id = 'adopted'")
    assert world.validate("public").is_valid


def test_rows_on_a_former_public_base_are_not_misdirected(world: World):
    bases = KnownBases("https://new.example", former_public_urls=(world.standin.public_url,))
    validation = Validation(world.table, world.ledger, world.store, bases, public=world.public, clock_ms=lambda: NOW_MS)
    assert validation.run("public", inventory=Inventory(), random=Random(1)).is_valid


def test_a_row_the_app_deleted_is_told_but_makes_nothing_invalid(world: World):
    world.sql("DELETE FROM images WHERE id = 'embedded'")
    world.store.delete(world.key_of("embedded"))
    report = world.validate("head")
    assert (report.rows_gone, report.is_valid, report.checked, report.valid) == (("embedded",), True, 4, 3)


def test_an_image_rolled_back_beside_the_validation_is_no_finding(world: World):
    def roll_back(progress: Progress) -> None:
        if progress.done == 1:
            world.store.delete(world.key_of("two"))
            world.ledger.planning.plan_again({item_id: "test"}, now_ms=NOW_MS, run_id=None)

    item_id = world.item("two").item_id
    report = world.validation(concurrency=1).run("head", inventory=Inventory(), random=Random(1), listen=roll_back)
    assert (report.is_valid, report.checked) == (True, 3)


@pytest.mark.parametrize("mode", EVERY_MODE)
def test_a_server_that_stops_midway_makes_images_unreachable_and_never_missing(world: World, mode):
    def stop_after_the_first(progress: Progress) -> None:
        if progress.done == 1:
            world.standin.stop()

    validation = world.validation(concurrency=1)
    report = validation.run(mode, inventory=Inventory(), random=Random(1), listen=stop_after_the_first)
    assert report.missing == []
    assert report.corrupted == []
    assert (len(report.unreachable), report.checked, report.valid) == (3, 4, 1)
    assert not report.is_valid


def test_an_outage_ends_the_run_instead_of_trying_every_image(empty_world: World):
    world = empty_world
    for shade in range(60):
        world.add_row(f"row{shade}", data=base64_of(shade))
    world.migrate()

    def stop_after_the_first(progress: Progress) -> None:
        if progress.done == 1:
            world.standin.stop()

    report = world.validation(concurrency=2).run(
        "head", inventory=Inventory(), random=Random(1), listen=stop_after_the_first
    )
    assert 16 <= len(report.unreachable) < 30
    assert not report.complete
    assert not report.is_valid


def test_a_server_that_is_down_from_the_start_raises(world: World):
    world.standin.stop()
    with pytest.raises(StorageUnavailableError):
        world.validate("head")


@pytest.mark.parametrize("mode", BUCKET_MODES)
def test_wrong_credentials_raise_and_blame_no_image(world: World, mode):
    config = R2Config(
        endpoint_url=world.standin.endpoint_url,
        bucket=world.standin.bucket,
        access_key_id=world.standin.access_key_id,
        secret_access_key="wrong",
    )
    with R2Store.from_config(config) as refused:
        validation = Validation(world.table, world.ledger, refused, world.bases, public=None, clock_ms=lambda: NOW_MS)
        with pytest.raises(StorageRefusedError):
            validation.run(mode, inventory=Inventory(), random=Random(1))


def test_a_token_revoked_midway_raises_and_blames_no_image(world: World, faults: Faults):
    faults.answer = lambda request: Response("", status=403) if request.kind == "object" else None
    with pytest.raises(StorageRefusedError):
        world.validate("head")


def test_a_bucket_that_goes_away_midway_raises_instead_of_calling_every_image_missing(world: World, faults: Faults):
    def go_away(request: IncomingRequest) -> Response | None:
        seen["asked"] = seen["asked"] or request.kind == "object"
        return Response("", status=404) if seen["asked"] else None

    seen = {"asked": False}
    faults.answer = go_away
    with pytest.raises(StorageRefusedError) as caught:
        world.validate("head")
    assert caught.value.code == "NoSuchBucket"


@pytest.mark.parametrize(
    ("status", "ids"), [(410, "missing"), (403, "unreachable"), (302, "unreachable"), (500, "unreachable")]
)
def test_a_public_url_that_refuses_says_nothing_about_the_bytes(world: World, faults: Faults, status, ids):
    key = world.key_of("embedded")
    faults.answer = lambda request: Response("", status=status) if request.key == key else None
    document = world.validate("public").to_json()
    assert document[ids] == ["embedded"]
    assert document["corrupted"] == []
    assert document["valid"] == 3


def test_public_mode_without_a_public_url_is_a_settings_error(world: World):
    with pytest.raises(SettingsError):
        world.validation(public=None).run("public", inventory=Inventory(), random=Random(1))


def test_a_bucket_that_could_not_be_listed_is_null_and_not_valid(world: World):
    report = world.validate("head", inventory=None)
    assert (report.to_json()["orphaned"], report.to_json()["shared"]) == (None, None)
    assert not report.is_valid


def test_orphans_and_shared_objects_are_told_but_make_nothing_invalid(world: World):
    report = world.validate("head", inventory=Inventory(orphans=["images/p/1-o.png"], shared=["images/p/1-s.png"]))
    assert (report.to_json()["orphaned"], report.to_json()["shared"]) == (["images/p/1-o.png"], ["images/p/1-s.png"])
    assert report.is_valid


def test_a_full_validation_raises_the_proofs_in_the_ledger(world: World):
    assert (world.proof_of("embedded"), world.proof_of("adopted")) == ("etag", "head")
    world.validate("full")
    assert (world.proof_of("embedded"), world.proof_of("adopted")) == ("sha256", "etag")
    world.validate("head")
    assert world.proof_of("embedded") == "sha256"


def test_a_false_claim_gets_no_fresh_proof(world: World):
    world.put(world.key_of("embedded"), make_png(500))
    world.validate("full")
    assert world.proof_of("embedded") == "etag"


def test_through_the_public_url_nothing_is_proved_to_the_ledger(world: World):
    world.validate("public")
    assert (world.proof_of("embedded"), world.proof_of("adopted")) == ("etag", "head")
    assert world.standin.requests["HEAD", "object"] == 1  # the adoption's


def test_a_full_validation_reads_no_object_of_another_size(world: World):
    world.put(ADOPTED_KEY, make_png(77) + b"more", CacheControl="public")
    before = world.standin.requests["GET", "object"]
    read, bodies = world.store.read, []

    def noted(key: str, *, size: int | None = None) -> tuple[StoredObject, bytes | None]:
        answer = read(key, size=size)
        bodies.append(answer[1])
        return answer

    world.store.read = noted
    assert world.validate("full").corrupted == ["adopted"]
    assert world.standin.requests["GET", "object"] - before == 5  # four rows, one with a second image
    assert (len(bodies), bodies.count(None)) == (5, 1)


def test_a_sample_examines_that_many_and_another_seed_others(empty_world: World):
    world = empty_world
    for shade in range(30):
        world.add_row(f"row{shade:02}", data=base64_of(shade))
    world.migrate()
    for recorded in list(world.ledger.ask.recorded_objects()):
        world.store.delete(recorded.key)
    drawn = [tuple(world.validate("head", sample=5, random=Random(seed)).missing) for seed in (1, 1, 2)]
    assert [len(images) for images in drawn] == [5, 5, 5]
    assert drawn[0] == drawn[1] != drawn[2]
    assert world.validate("head", sample=99).checked == 30


def test_a_sample_of_nothing_is_refused(world: World):
    with pytest.raises(ValueError, match="at least one"):
        world.validate("head", sample=0)


def test_a_stopped_validation_is_not_complete_and_not_valid(world: World):
    stop = threading.Event()

    def stop_after_the_first(progress: Progress) -> None:
        assert progress.total == 4
        stop.set()

    report = world.validation(concurrency=1).run(
        "head", inventory=Inventory(), random=Random(1), stop=stop, listen=stop_after_the_first
    )
    assert report.checked == report.valid < 4
    assert not report.complete
    assert not report.is_valid


@pytest.mark.parametrize(
    "host",
    ["http://127.0.0.1:{port}", "http://[::1]:{port}", "http://169.254.169.254", "https://10.0.0.1", "http://localhost:{port}",
     "https://user:secret@127.0.0.1:{port}", "http://127.0.0.1:{public_port}@127.0.0.1:{port}"],
)  # fmt: skip
def test_a_row_that_points_at_another_server_is_misdirected_and_that_server_is_never_asked(world: World, host):
    """The row's URL is the app's word: a GET of it would let whoever writes a row send us anywhere."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        public_port = world.standin.public_url.split(":")[2].split("/")[0]
        base = host.format(port=listener.getsockname()[1], public_port=public_port)
        url = f"{base}/public/{world.standin.bucket}/{world.key_of('embedded')}"
        world.sql("UPDATE images SET image_url = ? WHERE id = 'embedded'", url)
        report = world.validate("public")
        assert (report.misdirected, report.unreachable, report.valid) == (["embedded"], [], 3)
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.parametrize("image_id", ["embedded", "adopted"])
def test_a_public_redirect_is_not_followed(world: World, faults: Faults, image_id):
    key = world.key_of(image_id)
    elsewhere = f"{world.standin.public_url}/{world.key_of('data-url')}"
    faults.answer = lambda request: (
        Response("", status=302, headers={"Location": elsewhere})
        if (request.kind, request.key) == ("public", key)
        else None
    )
    report = world.validate("public")
    assert (report.unreachable, report.corrupted) == ([image_id], [])
    assert world.standin.requests["GET", "public"] == 4


@pytest.mark.parametrize(("header", "is_fine"), [
    ("public, max-age=31536000", True), ("max-age=60", True), ("PUBLIC,Max-Age=60", True), ("no-store", False),
    ("private, max-age=60", False), ("max-age=0", False), ("no-cache", False), (" No-Store ", False), ("", False),
])  # fmt: skip
def test_a_public_cache_control_must_let_caches_keep_the_image(world: World, faults: Faults, header, is_fine):
    def answer(request: IncomingRequest) -> Response | None:
        if request.kind != "public":
            return None
        whole = request.serve()
        whole.headers["Cache-Control"] = header
        return whole

    faults.answer = answer
    report = world.validate("public")
    assert report.corrupted == ([] if is_fine else ["adopted", "data-url", "embedded", "two"])


def test_a_setting_that_forbids_caching_is_what_the_public_url_may_say(world: World):
    key = world.key_of("embedded")
    world.put(key, world.bytes_of("embedded"), CacheControl="no-store")
    assert world.validate("public").corrupted == ["embedded"]
    assert world.validation(cache_control="No-Store").run("public", inventory=Inventory(), random=Random(1)).is_valid


@pytest.mark.parametrize(("content_type", "is_fine"), [
    ("image/png", True), ("IMAGE/PNG; charset=binary", True), ("image/jpeg", False), ("text/html", False), ("", False),
])  # fmt: skip
def test_a_public_content_type_must_be_the_images(world: World, faults: Faults, content_type, is_fine):
    def answer(request: IncomingRequest) -> Response | None:
        if request.kind != "public" or request.key != world.key_of("embedded"):
            return None
        whole = request.serve()
        whole.headers["Content-Type"] = content_type
        return whole

    faults.answer = answer
    assert world.validate("public").corrupted == ([] if is_fine else ["embedded"])


def test_through_the_public_url_no_more_is_read_than_the_ledger_says(world: World, faults: Faults):
    """A page put in an image's place may be endless."""
    sent: list[int] = []

    def endless(request: IncomingRequest) -> Response | None:
        if request.kind != "public" or request.key != world.key_of("embedded"):
            return None

        def body():
            for _ in range(1_000):
                sent.append(65_536)
                yield bytes(65_536)

        return Response(body(), content_type="image/png", headers={"Cache-Control": "public"})

    faults.answer = endless
    assert world.validate("public").corrupted == ["embedded"]
    assert len(sent) < 200  # what the sockets' buffers take, far from all


def test_a_full_validation_holds_no_more_bytes_at_once_than_allowed(empty_world: World):
    world = empty_world
    for shade in range(40):
        world.add_row(f"row{shade:02}", data=base64_of(shade))
    world.migrate()
    image = max(item.size or 0 for item in world.ledger.ask.items())
    held, most, lock = 0, 0, threading.Lock()
    read = world.store.read

    def counted(key: str, *, size: int | None = None) -> tuple[StoredObject, bytes | None]:
        nonlocal held, most
        with lock:
            held += image
            most = max(most, held)
        try:
            return read(key, size=size)
        finally:
            with lock:
                held -= image

    world.store.read = counted
    report = world.validation(concurrency=16, max_in_flight_bytes=3 * image).run(
        "full", inventory=Inventory(), random=Random(1)
    )
    assert report.is_valid
    assert image < most <= 3 * image
