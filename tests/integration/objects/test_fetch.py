"""Guarded downloads against a real TLS server; the resolver and the address policy are told what to say."""

from ipaddress import ip_address
from threading import Thread

import pytest

from tests.support.tls_server import Reply, serving
from z_interact_assets.core.errors import SourceRefusedError, SourceUnavailableError, UnsafeURLError
from z_interact_assets.storage.objects.fetch import ImageFetcher

LOOPBACK = ip_address("127.0.0.1")
PUBLIC = ip_address("93.184.216.34")


def image_reply(data: bytes, **headers: str) -> Reply:
    return Reply(headers={"Content-Type": "image/png", "Content-Length": str(len(data))} | headers, body=[data])


@pytest.fixture
def fetcher_of(tls_server):
    """A fetcher for which the recording server is the public internet: any name leads there."""

    def make(**rules) -> ImageFetcher:
        return ImageFetcher(**{
            "allowed_ports": frozenset({tls_server.port}),
            "is_allowed": lambda address: address == LOOPBACK,
            "resolve": lambda _: (LOOPBACK,),
            "tls": tls_server.client_context(),
            "max_seconds": 5.0,
        } | rules)  # fmt: skip

    return make


def test_an_image_is_downloaded_byte_for_byte(tls_server, fetcher_of, png):
    tls_server.respond = lambda _: image_reply(png, **{"Content-Type": "Image/PNG; charset=binary"})
    fetched = fetcher_of().fetch(f"{tls_server.url}/a.png?sig=1")
    assert fetched.data == png
    assert fetched.content_type == "image/png"
    (request,) = tls_server.requests
    assert (request.method, request.path) == ("GET", "/a.png?sig=1")
    assert request.headers["host"] == f"localhost:{tls_server.port}"
    assert request.headers["accept-encoding"] == "identity"


def test_a_chunked_image_is_downloaded(tls_server, fetcher_of, png):
    frames = [b"%x\r\n%s\r\n" % (len(png), png), b"0\r\n\r\n"]
    tls_server.respond = lambda _: Reply(
        headers={"Content-Type": "image/png", "Transfer-Encoding": "chunked"}, body=frames
    )
    assert fetcher_of().fetch(f"{tls_server.url}/a").data == png


def test_the_name_is_resolved_once_so_that_a_second_answer_cannot_redirect_us(tls_server, fetcher_of, png):
    answers = iter([(LOOPBACK,), (ip_address("10.0.0.1"),)])
    tls_server.respond = lambda _: image_reply(png)
    assert fetcher_of(resolve=lambda _: next(answers)).fetch(f"{tls_server.url}/a").data == png
    assert next(answers) == (ip_address("10.0.0.1"),)


def test_the_certificate_is_checked_against_the_name_in_the_url(tls_server, fetcher_of):
    with pytest.raises(SourceUnavailableError):
        fetcher_of().fetch(f"https://other.example:{tls_server.port}/a.png")
    assert tls_server.requests == []


def test_a_certificate_of_an_unknown_authority_is_not_trusted(tls_server, fetcher_of):
    with pytest.raises(SourceUnavailableError):
        fetcher_of(tls=None).fetch(f"{tls_server.url}/a.png")
    assert tls_server.requests == []


def test_the_name_and_not_the_address_is_asked_for(tmp_path, fetcher_of, png):
    with serving(tmp_path, "images.example") as server:
        server.respond = lambda _: image_reply(png)
        fetcher = fetcher_of(allowed_ports=frozenset({server.port}), tls=server.client_context())
        assert fetcher.fetch(f"https://images.example:{server.port}/a").data == png
        assert fetcher.fetch(f"https://images.example.:{server.port}/a").data == png
        assert server.requests[0].headers["host"] == f"images.example:{server.port}"


def test_the_next_address_is_tried_when_one_does_not_answer(tls_server, fetcher_of, png):
    # Nothing listens on this address of the loopback network.
    silent = ip_address("127.0.0.77")
    tls_server.respond = lambda _: image_reply(png)
    fetcher = fetcher_of(resolve=lambda _: (silent, LOOPBACK), is_allowed=lambda address: address.is_loopback)
    assert fetcher.fetch(f"{tls_server.url}/a").data == png


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/a.png",
        "ftp://localhost/a.png",
        "file:///etc/passwd",
        "//localhost/a.png",
        "/images/a.png",
        "https://",
        "https://:443/a.png",
        "https://user:hunter2@localhost/a.png",
        "https://user@localhost/a.png",
        "https://localhost:22/a.png",
        "https://localhost:99999/a.png",
        "https://[fe80::1%25eth0]/a.png",
        "",
    ],
)
def test_a_url_that_breaks_a_rule_is_not_even_resolved(url, fetcher_of):
    def resolve(_):
        raise AssertionError

    with pytest.raises(UnsafeURLError) as caught:
        fetcher_of(resolve=resolve).fetch(url)
    assert "hunter2" not in str(caught.value)


def test_a_private_address_is_refused_by_the_default_policy():
    for answer in ((LOOPBACK,), (ip_address("169.254.169.254"),), (ip_address("::ffff:10.0.0.1"),)):
        with pytest.raises(UnsafeURLError, match="public internet"):
            ImageFetcher(resolve=lambda _, answer=answer: answer).fetch("https://images.example/a.png")


def test_one_private_address_among_public_ones_is_refused():
    with pytest.raises(UnsafeURLError, match="public internet"):
        ImageFetcher(resolve=lambda _: (PUBLIC, ip_address("192.168.0.1"))).fetch("https://images.example/a.png")


def test_a_literal_private_address_is_refused_by_the_real_resolver():
    for host in ("127.0.0.1", "[::1]", "2130706433", "0x7f.1"):
        with pytest.raises(UnsafeURLError, match="public internet"):
            ImageFetcher().fetch(f"https://{host}/a.png")


def test_a_name_without_an_address_may_have_one_later(tls_server, fetcher_of):
    with pytest.raises(SourceUnavailableError, match="no address"):
        fetcher_of(resolve=lambda _: ()).fetch(f"{tls_server.url}/a")


def test_a_resolver_that_fails_may_work_later(tls_server, fetcher_of):
    def resolve(_):
        raise OSError

    with pytest.raises(SourceUnavailableError):
        fetcher_of(resolve=resolve).fetch(f"{tls_server.url}/a")


def test_a_redirect_is_followed_under_the_same_rules(tls_server, fetcher_of, png):
    tls_server.respond = lambda request: (
        image_reply(png) if request.path == "/b/c.png" else Reply(status=302, headers={"Location": "/b/c.png"})
    )
    assert fetcher_of().fetch(f"{tls_server.url}/a").data == png
    assert [request.path for request in tls_server.requests] == ["/a", "/b/c.png"]


@pytest.mark.parametrize(
    "location",
    [
        "http://localhost/a.png",
        "https://private.example/a.png",
        "https://u:p@localhost/a.png",
        "file:///etc/passwd",
        "https://localhost:22/",
    ],
)
def test_a_redirect_out_of_the_rules_is_refused(location, tls_server, fetcher_of):
    tls_server.respond = lambda _: Reply(status=302, headers={"Location": location})
    fetcher = fetcher_of(
        allowed_ports=frozenset({443, tls_server.port}),
        resolve=lambda host: (ip_address("10.0.0.1"),) if host == "private.example" else (LOOPBACK,),
    )
    with pytest.raises(UnsafeURLError):
        fetcher.fetch(f"{tls_server.url}/a")
    assert len(tls_server.requests) == 1


def test_redirects_end_somewhere(tls_server, fetcher_of):
    tls_server.respond = lambda _: Reply(status=307, headers={"Location": "/again"})
    with pytest.raises(UnsafeURLError, match="redirect"):
        fetcher_of(max_redirects=3).fetch(f"{tls_server.url}/a")
    assert len(tls_server.requests) == 4


def test_an_announced_size_over_the_cap_is_refused_before_the_body(tls_server, fetcher_of):
    tls_server.respond = lambda _: Reply(headers={"Content-Type": "image/png", "Content-Length": "101"})
    with pytest.raises(UnsafeURLError, match="100 bytes"):
        fetcher_of(max_bytes=100).fetch(f"{tls_server.url}/a")


def test_an_unannounced_endless_body_is_cut_at_the_cap(tls_server, fetcher_of):
    def endless():
        while not tls_server.stopping.is_set():
            yield bytes(1000)

    tls_server.respond = lambda _: Reply(headers={"Content-Type": "image/png"}, body=endless())
    with pytest.raises(UnsafeURLError, match="100000 bytes"):
        fetcher_of(max_bytes=100_000).fetch(f"{tls_server.url}/a")


def test_a_body_of_exactly_the_cap_is_taken(tls_server, fetcher_of):
    tls_server.respond = lambda _: image_reply(bytes(100))
    assert len(fetcher_of(max_bytes=100).fetch(f"{tls_server.url}/a").data) == 100


@pytest.mark.parametrize("content_type", ["text/html", "application/octet-stream", "imagery/png", ""])
def test_what_does_not_say_it_is_an_image_is_refused(content_type, tls_server, fetcher_of, png):
    tls_server.respond = lambda _: image_reply(png, **{"Content-Type": content_type})
    with pytest.raises(UnsafeURLError, match="image"):
        fetcher_of().fetch(f"{tls_server.url}/a")


def test_a_compressed_body_is_refused_not_unpacked(tls_server, fetcher_of, png):
    tls_server.respond = lambda _: image_reply(png, **{"Content-Encoding": "gzip"})
    with pytest.raises(UnsafeURLError, match="compressed"):
        fetcher_of().fetch(f"{tls_server.url}/a")


def test_a_body_that_drips_ends_at_the_deadline(tls_server, fetcher_of):
    to_the_end = []

    def drips():
        for _ in range(150):
            if tls_server.stopping.wait(0.02):
                return
            yield b"x"
        to_the_end.append(True)

    tls_server.respond = lambda _: Reply(headers={"Content-Type": "image/png"}, body=drips())
    with pytest.raises(SourceUnavailableError, match="slow"):
        fetcher_of(max_seconds=0.3).fetch(f"{tls_server.url}/a")
    assert to_the_end == []


def test_headers_that_do_not_come_end_at_the_deadline(tls_server, fetcher_of):
    def silent(_):
        tls_server.stopping.wait(10)
        return Reply()

    tls_server.respond = silent
    with pytest.raises(SourceUnavailableError, match="slow"):
        fetcher_of(max_seconds=0.3).fetch(f"{tls_server.url}/a")


def test_the_deadline_spans_all_redirects(tls_server, fetcher_of):
    times = iter([0.0, 1.0, 1.0, 61.0])
    tls_server.respond = lambda _: Reply(status=302, headers={"Location": "/b"})
    with pytest.raises(SourceUnavailableError, match="slow"):
        fetcher_of(max_seconds=60.0, clock=lambda: next(times)).fetch(f"{tls_server.url}/a")
    assert len(tls_server.requests) == 1


def test_a_body_cut_short_is_not_an_image(tls_server, fetcher_of, png):
    tls_server.respond = lambda _: Reply(
        headers={"Content-Type": "image/png", "Content-Length": str(len(png)), "Connection": "close"}, body=[png[:20]]
    )
    with pytest.raises(SourceUnavailableError):
        fetcher_of().fetch(f"{tls_server.url}/a")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451, 204, 206, 304])
def test_a_refusal_of_the_server_is_permanent(status, tls_server, fetcher_of):
    tls_server.respond = lambda _: Reply(status=status, headers={"Content-Length": "0"})
    with pytest.raises(SourceRefusedError) as caught:
        fetcher_of().fetch(f"{tls_server.url}/a?sig=hunter2")
    assert caught.value.status == status
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
def test_trouble_at_the_server_may_pass(status, tls_server, fetcher_of):
    tls_server.respond = lambda _: Reply(status=status, headers={"Content-Length": "0"})
    with pytest.raises(SourceUnavailableError):
        fetcher_of().fetch(f"{tls_server.url}/a")


def test_a_proxy_of_the_environment_is_not_used(tls_server, fetcher_of, png, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    tls_server.respond = lambda _: image_reply(png)
    assert fetcher_of().fetch(f"{tls_server.url}/a").data == png


def test_many_threads_share_one_fetcher(tls_server, fetcher_of, png):
    tls_server.respond = lambda _: image_reply(png)
    fetcher, fetched = fetcher_of(), []
    threads = [Thread(target=lambda: fetched.append(fetcher.fetch(f"{tls_server.url}/a").data)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fetched == [png] * 6
