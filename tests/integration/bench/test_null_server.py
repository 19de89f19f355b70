"""The null server as S3 clients see it: true ETags, true counts, nothing kept."""

import hashlib
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from random import Random
from time import monotonic

import boto3
import pytest

from bench.datasets import add_up
from bench.errors import BenchError
from bench.server import Latency, NullServer, compiled, raw_limit

pytestmark = pytest.mark.slow

SIZES = (0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 65_535, 65_536, 262_145, 1_600_000)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def server(cache: Path) -> Iterator[NullServer]:
    with NullServer(cache) as server:
        yield server


@pytest.fixture
def connection(server: NullServer) -> Iterator[HTTPConnection]:
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        yield connection


def ask(connection: HTTPConnection, verb: str, path: str, body: bytes | None = None, **headers: str) -> HTTPResponse:
    connection.request(verb, path, body, headers)
    answer = connection.getresponse()
    answer.read()
    return answer


def test_the_etag_is_the_md5_of_the_body_over_one_connection(server: NullServer, connection: HTTPConnection) -> None:
    random = Random(5)
    bodies = [random.randbytes(size) for size in SIZES]
    etags = [ask(connection, "PUT", "/null/key", body).headers["ETag"] for body in bodies]
    assert etags == [f'"{hashlib.md5(body).hexdigest()}"' for body in bodies]
    seen = server.seen()
    assert (seen.requests["PUT"], seen.bytes) == (len(SIZES), sum(SIZES))
    assert seen.etag_sum == add_up(hashlib.md5(body).digest() for body in bodies)
    assert seen.most_in_flight == 1


def test_nothing_is_kept_and_the_bucket_is_there_and_empty(server: NullServer) -> None:
    client = boto3.client(
        "s3", endpoint_url=server.endpoint_url, region_name="auto", aws_access_key_id="a", aws_secret_access_key="b"
    )
    with closing(client):
        body = b"bytes" * 1_000
        put = client.put_object(Bucket="null", Key="images/a b.png", Body=body, IfNoneMatch="*", Metadata={"a": "b"})
        assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
        client.head_bucket(Bucket="null")
        assert "Contents" not in client.list_objects_v2(Bucket="null")
        for ask_for in (client.head_object, client.get_object):
            with pytest.raises(client.exceptions.ClientError, match=r"404|NoSuchKey"):
                ask_for(Bucket="null", Key="images/a b.png")
    requests = server.seen().requests
    assert {verb: count for verb, count in requests.items() if count} == {"PUT": 1, "HEAD": 2, "GET": 2}


def test_expect_is_answered_before_the_body_is_sent(server: NullServer) -> None:
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=30)) as client:
        client.sendall(b"PUT /null/k HTTP/1.1\r\nContent-Length: 3\r\nexpect: 100-continue\r\n\r\n")
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"abc")
        assert hashlib.md5(b"abc").hexdigest().encode() in client.recv(1_000)
    assert server.seen().continues == 1


@pytest.mark.parametrize(
    "headers", [{"Transfer-Encoding": "chunked"}, {"Content-Encoding": "aws-chunked", "Content-Length": "5"}]
)
def test_a_body_whose_etag_it_would_get_wrong_is_refused(connection: HTTPConnection, headers: dict[str, str]) -> None:
    connection.putrequest("PUT", "/null/key")
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == 411


def test_it_knows_how_many_requests_were_in_flight_at_once(server: NullServer) -> None:
    with ExitStack() as stack:
        clients = [
            stack.enter_context(closing(socket.create_connection(("127.0.0.1", server.port), timeout=30)))
            for _ in range(5)
        ]
        for client in clients:
            client.sendall(b"PUT /null/k HTTP/1.1\r\nContent-Length: 4\r\n\r\nab")
        deadline = monotonic() + 30
        while server.seen().most_in_flight < 5:
            assert monotonic() < deadline, "five half-sent requests are not five in flight"
        for client in clients:
            client.sendall(b"cd")
            assert client.recv(1_000).startswith(b"HTTP/1.1 200")
    assert server.seen().most_in_flight == 5


def test_a_latency_holds_no_cpu_and_loses_no_request(cache: Path) -> None:
    with (
        NullServer(cache, Latency(ms=25, jitter="normal", jitter_ms=3, seed=3)) as server,
        closing(HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection,
    ):
        assert [ask(connection, "PUT", "/null/k", b"a").status for _ in range(40)] == [200] * 40
        seen = server.seen()
    assert seen.requests["PUT"] == 40
    assert seen.cpu_seconds < 0.1  # spinning through forty delays would be a second


def test_its_own_limit_is_found_by_a_client_that_only_sends(cache: Path) -> None:
    limit = raw_limit(cache, connections=4, size=10_000, requests=200)
    assert (limit["connections"], limit["size"]) == (4, 10_000)
    assert limit["mb_s"] > 0


def test_it_ends_with_whoever_started_it(cache: Path) -> None:
    with NullServer(cache) as server:
        port = server.port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=30)


def test_without_a_compiler_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(BenchError) as refused:
        compiled("null_server", tmp_path)
    assert "compiler" in refused.value.message
    assert "gcc" in refused.value.remedy
