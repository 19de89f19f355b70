"""Receivers of alerts on loopback: a webhook server that can misbehave, and a mail server."""

import json
import socket
import threading
from email import message_from_bytes
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import sleep
from typing import Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

Answer = tuple[int, dict[str, str]]


class HookServer:
    """Takes posts; `answers` gives the status and headers of each request in turn, the last one for all others.

    A status of 0 leaves the client without an answer for `silence_s`.
    """

    def __init__(self, *answers: Answer, silence_s: float = 3.0) -> None:
        self.answers = list(answers) or [(200, {})]
        self.silence_s = silence_s
        self.requests: list[tuple[str, str, str]] = []  # method, path, body
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.serve(self)

            do_GET = do_POST  # noqa: N815 - http.server's name

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/services/T0/B0/hush-hush"

    @property
    def texts(self) -> list[str]:
        return [json.loads(body)["text"] for method, _, body in self.requests if method == "POST"]

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0)).decode()
        status, headers = self.answers[min(len(self.requests), len(self.answers) - 1)]
        self.requests.append((handler.command, handler.path, body))
        if not status:
            sleep(self.silence_s)
            return
        handler.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class MailServer:
    """Takes mail; `refuse` is the answer to each message instead."""

    def __init__(self, refuse: str | None = None) -> None:
        self.mails: list[Message] = []
        self.refuse = refuse
        with socket.create_server(("127.0.0.1", 0)) as free:  # aiosmtpd takes no port of the system's choice
            self._port: int = free.getsockname()[1]
        self._controller = Controller(self, hostname="127.0.0.1", port=self._port)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        if self.refuse:
            return self.refuse
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.append(message_from_bytes(content, policy=default))
        return "250 OK"

    @property
    def url(self) -> str:
        return f"mailto://127.0.0.1:{self._port}?from=dagster@example.com&to=ops@example.com"

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()


def text_of(mail: Message) -> str:
    """The body of a mail, which has to be plain text alone."""
    parts = [part for part in mail.walk() if not part.is_multipart()]
    assert [part.get_content_type() for part in parts] == ["text/plain"]
    payload = parts[0].get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode()
