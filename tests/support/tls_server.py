"""A TLS server on loopback that records every request as it came over the wire and answers as it is told.

It has its own certificate authority, so that a client really verifies it. It knows nothing of S3.
"""

import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import trustme


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRequest:
    """One request. Header names are lower-cased; `body` is as framed by the client."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer; the body is sent piece by piece. No Content-Length is added: say it in `headers`."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: Iterable[bytes] = ()


@dataclass(slots=True, kw_only=True)
class TlsServer:
    """`requests` in the order they came; `stopping` is set when the server goes down (for endless bodies)."""

    port: int
    ca_file: str
    requests: list[RecordedRequest] = field(default_factory=list)
    stopping: Event = field(default_factory=Event)
    respond: Callable[[RecordedRequest], Reply] = lambda _: Reply()

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def client_context(self) -> ssl.SSLContext:
        """A context that trusts this server's authority and nothing else."""
        return ssl.create_default_context(cafile=self.ca_file)


@contextmanager
def serving(folder: Path, *names: str) -> Iterator[TlsServer]:
    """Serve on a free port with a certificate for `names` (localhost, 127.0.0.1 and ::1 unless told)."""
    authority = trustme.CA()
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or ("localhost", "127.0.0.1", "::1"))).configure_cert(context)
    handler = type("Handler", (_Handler,), {})
    http = _Server(("127.0.0.1", 0), handler)
    http.socket = context.wrap_socket(http.socket, server_side=True, do_handshake_on_connect=False)
    handler.recorder = recorder = TlsServer(port=http.server_address[1], ca_file=str(ca_file))
    thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield recorder
    finally:
        recorder.stopping.set()
        http.shutdown()
        thread.join()
        http.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request, client_address):
        """A client that refuses our certificate or hangs up is what many tests are about: nothing to report."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    recorder: TlsServer  # set on a subclass of each server's own

    def log_message(self, format, *args):  # noqa: A002 - the name http.server gives it
        """Say nothing on stderr."""

    def _answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Transfer-Encoding"):
            body = self._chunks_as_they_are()
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = RecordedRequest(method=self.command, path=self.path, headers=headers, body=body)
        self.recorder.requests.append(request)
        reply = self.recorder.respond(request)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if not any(name.lower() in ("content-length", "transfer-encoding") for name in reply.headers):
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        for piece in reply.body:
            self.wfile.write(piece)
            self.wfile.flush()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 - names http.server calls

    def _chunks_as_they_are(self) -> bytes:
        framed = b""
        while line := self.rfile.readline():
            size = int(line.split(b";")[0], 16)
            framed += line + self.rfile.read(size + 2)
            if size == 0:
                break
        return framed
