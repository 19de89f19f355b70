"""The stand-in's HTTP server in its thread, and asking a port whether a stand-in serves it. No rule of S3 here."""

import http.client
import json
import socket
import threading
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from z_interact_assets.demo.standin_app import HEALTH_PATH, StandInApp
from z_interact_assets.demo.standin_bucket import Bucket

HOST = "127.0.0.1"
SERVICE = "z-interact-assets stand-in for R2"

_PROBE_SECONDS = 2
_POLL_SECONDS = 0.05
_BACKLOG = 256


def listen(port: int) -> socket.socket:
    """A listening socket on the loopback address; OSError if the port is taken. Port 0 is any free one."""
    return socket.create_server((HOST, port), backlog=_BACKLOG)


class _QuietHandler(WSGIRequestHandler):
    # Headers and body are two writes: with Nagle's algorithm the second waits for the client's delayed ACK, 40 ms.
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """No line for each request."""

    def connection_dropped(self, error: BaseException, environ: object = None) -> None:  # noqa: ARG002 - werkzeug's
        """Close a connection that a fault dropped; werkzeug would wait on it for another request."""
        self.close_connection = True


class RunningServer:
    """A server in its thread. It takes a copy of the listening socket."""

    def __init__(self, listener: socket.socket, bucket: Bucket, app: StandInApp) -> None:
        self._bucket = bucket
        self.app = app
        host, port = listener.getsockname()[:2]
        self._server: BaseWSGIServer = make_server(
            host, port, self.app, threaded=True, request_handler=_QuietHandler, fd=listener.fileno()
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), name="stand-in for R2", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, and serving what was under way."""
        self._server.shutdown()
        self._thread.join()
        self._bucket.close()


def probe(port: int) -> dict[str, Any] | None:
    """What a stand-in on the port says about itself; None for anything else."""
    connection = http.client.HTTPConnection(HOST, port, timeout=_PROBE_SECONDS)
    try:
        connection.request("GET", HEALTH_PATH)
        found = json.loads(connection.getresponse().read(10_000))
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return found if isinstance(found, dict) and found.get("service") == SERVICE else None
