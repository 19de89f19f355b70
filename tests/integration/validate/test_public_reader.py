import hashlib
import threading

import pytest

from tests.support.tls_server import Reply, TlsServer, serving
from z_interact_assets.core.errors import StorageUnavailableError, UnsafeURLError
from z_interact_assets.storage.public import PublicReader

BODY = b"an image" * 20_000


@pytest.fixture
def server(tmp_path):
    with serving(tmp_path) as started:
        yield started


@pytest.fixture
def reader(server: TlsServer):
    with PublicReader(retries=0, verify=server.ca_file, read_timeout=5) as opened:
        yield opened


def answering(server: TlsServer, status: int = 200, body: bytes = BODY, **headers: str) -> str:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    server.respond = lambda _: Reply(status=status, headers={"Content-Length": str(len(body)), **named}, body=[body])
    return f"{server.url}/images/a.png"


def test_an_answer_has_status_size_digests_and_headers(server, reader):
    url = answering(server, Content_Type="image/png", Cache_Control="public", Access_Control_Allow_Origin="*")
    answer = reader.get(url)
    assert (answer.status, answer.size) == (200, len(BODY))
    assert answer.sha256 == hashlib.sha256(BODY).hexdigest()
    assert answer.md5 == hashlib.md5(BODY, usedforsecurity=False).hexdigest()
    assert (answer.content_type, answer.cache_control, answer.allow_origin) == ("image/png", "public", "*")


def test_absent_headers_are_none(server, reader):
    answer = reader.get(answering(server))
    assert (answer.content_type, answer.cache_control, answer.allow_origin) == (None, None, None)


def test_the_bytes_are_asked_for_as_they_are_and_for_an_origin_if_told(server, reader):
    reader.get(answering(server))
    reader.get(answering(server), origin="https://app.example")
    plain, foreign = server.requests
    assert plain.headers["accept-encoding"] == "identity"
    assert "origin" not in plain.headers
    assert foreign.headers["origin"] == "https://app.example"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_reported_and_not_followed(server, reader, status):
    assert reader.get(answering(server, status, b"", Location="https://elsewhere.example/")).status == status
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_an_error_status_is_an_answer(server, reader, status):
    assert reader.get(answering(server, status)).status == status


def test_a_busy_server_is_asked_again(server):
    with PublicReader(retries=1, verify=server.ca_file) as reader:
        url = answering(server, 503, Retry_After="3600")
        assert reader.get(url).status == 503
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 520, 522, 530])
def test_pauses_double_are_jittered_and_end(server, status):
    pauses: list[float] = []
    with PublicReader(retries=4, backoff=0.5, sleep=pauses.append, verify=server.ca_file) as reader:
        url = answering(server, status)
        for _ in range(5):
            assert reader.get(url).status == status
    assert len(server.requests) == 5 * (1 + 4)
    for start, most in enumerate((0.5, 1, 2, 4)):
        assert all(most / 2 <= pause <= most for pause in pauses[start::4])
    assert len(pauses) == len(set(pauses)) == 20


@pytest.mark.parametrize("status", [200, 301, 400, 403, 404, 410, 501])
def test_an_answer_that_would_be_the_same_is_not_asked_for_again(server, status):
    with PublicReader(verify=server.ca_file) as reader:
        assert reader.get(answering(server, status)).status == status
    assert len(server.requests) == 1


def test_a_body_that_breaks_off_is_asked_for_again(server):
    broken = Reply(headers={"Content-Length": str(len(BODY)), "Connection": "close"}, body=[BODY[:1000]])
    whole = Reply(headers={"Content-Length": str(len(BODY))}, body=[BODY])
    replies = iter([broken, whole])
    server.respond = lambda _: next(replies)
    with PublicReader(retries=1, backoff=0, verify=server.ca_file) as reader:
        assert reader.get(f"{server.url}/a.png").sha256 == hashlib.sha256(BODY).hexdigest()


def test_an_endless_body_is_read_just_past_the_cap(server, reader):
    def endless():
        while not server.stopping.is_set():
            yield b"x" * 65_536

    server.respond = lambda _: Reply(headers={}, body=endless())
    answer = reader.get(f"{server.url}/endless", max_bytes=100_000)
    assert 100_000 < answer.size <= 100_000 + 65_536


def test_a_body_that_breaks_off_is_unavailable(server, reader):
    answering(server)
    server.respond = lambda _: Reply(headers={"Content-Length": "1000", "Connection": "close"}, body=[b"short"])
    with pytest.raises(StorageUnavailableError):
        reader.get(f"{server.url}/short")


def test_a_server_nobody_can_reach_is_unavailable(server, reader):
    with pytest.raises(StorageUnavailableError) as caught:
        reader.get("https://127.0.0.1:1/images/a.png?token=secret")
    assert "secret" not in str(caught.value)


def test_an_unknown_certificate_is_unavailable_and_not_tried_again(server):
    pauses: list[float] = []
    with PublicReader(sleep=pauses.append) as distrustful, pytest.raises(StorageUnavailableError):
        distrustful.get(answering(server))
    assert (server.requests, pauses) == ([], [])


@pytest.mark.parametrize(
    "url",
    ["http://images.example/a.png", "ftp://localhost/a", "file:///etc/passwd", "/a.png", "https://u:p@localhost/"],
)
def test_only_https_or_this_machine_is_asked(reader, url):
    with pytest.raises(UnsafeURLError):
        reader.get(url)


def test_connections_are_reused_by_many_threads(server, reader):
    url = answering(server)
    threads = [threading.Thread(target=reader.get, args=(url,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.requests) == 8
