"""The local stand-in for Cloudflare R2: its life cycle, port and key pair. What it answers is standin_app's.

It serves `make demo`, `make dev` and our tests on 127.0.0.1, never elsewhere. Its folder holds the objects, the port
and the key pair, so that a restart finds the same bucket at the same URL. It is no R2: bucket settings (CORS) and
unfinished multipart uploads are gone after a restart, and nothing is throttled.

    with StandIn(Path("standin")) as standin:
        boto3.client("s3", endpoint_url=standin.endpoint_url, ...)

In a process of its own: `python -m z_interact_assets.demo.standin --folder standin`.
"""

import errno
import json
import os
import re
import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import click

from z_interact_assets.core.errors import PermanentError
from z_interact_assets.demo.standin_app import PUBLIC_PREFIX, Faults, StandInApp
from z_interact_assets.demo.standin_auth import Credentials
from z_interact_assets.demo.standin_bucket import Bucket
from z_interact_assets.demo.standin_disk import ObjectFolder
from z_interact_assets.demo.standin_server import HOST, SERVICE, RunningServer, listen, probe
from z_interact_assets.demo.standin_state import PORT_FILE, kept_credentials, last_port, remember_port

DEFAULT_BUCKET = "z-interact-images"

_BUCKET_NAME = re.compile(r"(?!public$)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


class StandInError(PermanentError):
    """The stand-in cannot be started, or is not started yet."""


class StandIn:
    """A local S3 server on one folder. Start and stop it, or use it as a context manager.

    If a stand-in already serves the folder, this one attaches to it: `attached` is True, `requests` stays empty and
    `stop()` leaves it running. Port 0 means the port used last time, or any free one. `clock` and `faults` are for
    tests.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        bucket: str = DEFAULT_BUCKET,
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
        faults: Faults | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if not _BUCKET_NAME.fullmatch(bucket):
            raise StandInError(
                f"{bucket!r} is no bucket name.", remedy="Use 3 to 63 of a-z, 0-9 and '-', not 'public'."
            )
        if (access_key_id is None) != (secret_access_key is None):
            raise StandInError("A key pair is both an access key id and a secret.")
        self.folder = folder.resolve()
        self.bucket = bucket
        self.attached = False
        self._given = Credentials(access_key_id, secret_access_key) if access_key_id and secret_access_key else None
        self._wanted_port = port
        self._faults = faults
        self._clock = clock
        self._port: int | None = None
        self._credentials: Credentials | None = None
        self._running: RunningServer | None = None

    def __repr__(self) -> str:
        return f"StandIn({str(self.folder)!r}, bucket={self.bucket!r}, port={self._port})"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def endpoint_url(self) -> str:
        """The S3 endpoint."""
        if self._port is None:
            raise StandInError("The stand-in for R2 is not started.", remedy="Call start() first.")
        return f"http://{HOST}:{self._port}"

    @property
    def public_url(self) -> str:
        """The public base: an object is at public_url + "/" + key."""
        return f"{self.endpoint_url}{PUBLIC_PREFIX}{self.bucket}"

    @property
    def access_key_id(self) -> str:
        """The key id it accepts."""
        return self._key_pair().access_key_id

    @property
    def secret_access_key(self) -> str:
        """The secret it accepts."""
        return self._key_pair().secret_access_key

    @property
    def requests(self) -> Counter[tuple[str, str]]:
        """Requests so far by (method, kind); see standin_app.IncomingRequest for the kinds."""
        return self._running.app.requests if self._running else Counter()

    def environment(self) -> dict[str, str]:
        """The R2 settings under which our commands use this stand-in."""
        return {
            "R2_ENDPOINT_URL": self.endpoint_url,
            "R2_PUBLIC_URL": self.public_url,
            "R2_BUCKET_NAME": self.bucket,
            "R2_ACCESS_KEY_ID": self.access_key_id,
            "R2_SECRET_ACCESS_KEY": self.secret_access_key,
        }

    def start(self) -> None:
        """Serve the folder, or attach to the stand-in that does. StandInError if the port is another program's."""
        if self._running or self.attached:
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._credentials = self._given or kept_credentials(self.folder)
        former = last_port(self.folder)
        if former and self._attach(former):
            return
        listener = self._listen(self._wanted_port or former)
        if listener is not None:
            self._serve(listener)

    def stop(self) -> None:
        """Stop serving; what is on disk stays. A stand-in of another process is left alone."""
        running, self._running = self._running, None
        self.attached = False
        self._port = None
        if running is not None:
            running.stop()

    def _attach(self, port: int) -> bool:
        found = probe(port)
        if found is None or found.get("folder") != str(self.folder):
            return False
        if found.get("bucket") != self.bucket or self._wanted_port not in {0, port}:
            raise StandInError(
                f"A stand-in for R2 already serves this folder on port {port}, bucket {found.get('bucket')}.",
                remedy="Stop it first, or start without another port or bucket.",
            )
        self._port = port
        self.attached = True
        return True

    def _listen(self, port: int) -> socket.socket | None:
        try:
            return listen(port)
        except OSError as error:
            if self._attach(port):
                return None
            taken = error.errno == errno.EADDRINUSE
            raise StandInError(
                f"Port {port} {'is taken by another program' if taken else 'cannot be used'}.",
                remedy=(
                    f"Stop that program, or delete {self.folder / PORT_FILE} to take another port "
                    "(rows already migrated keep URLs with the old one)."
                ),
            ) from error

    def _serve(self, listener: socket.socket) -> None:
        with listener:
            port = int(listener.getsockname()[1])
            bucket = Bucket(self.bucket, ObjectFolder(self.folder / "buckets" / self.bucket))
            app = StandInApp(
                bucket,
                credentials=self._key_pair(),
                clock=self._clock,
                identity={
                    "service": SERVICE,
                    "folder": str(self.folder),
                    "bucket": self.bucket,
                    "pid": os.getpid(),
                },
                faults=self._faults,
            )
            self._running = RunningServer(listener, bucket, app)
        self._port = port
        remember_port(self.folder, port)

    def _key_pair(self) -> Credentials:
        if self._credentials is None:
            raise StandInError("The stand-in for R2 is not started.", remedy="Call start() first.")
        return self._credentials


@click.command()
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), required=True, help="Where objects are kept."
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0: the last one, or any free one.")
@click.option("--bucket", default=DEFAULT_BUCKET, show_default=True)
def main(folder: Path, port: int, bucket: str) -> None:
    """Serve a local stand-in for R2 until interrupted. Prints one JSON line when it is ready."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        with StandIn(folder, port=port, bucket=bucket) as standin:
            ready = {"endpoint_url": standin.endpoint_url, "public_url": standin.public_url, "bucket": bucket}
            click.echo(json.dumps(ready | {"attached": standin.attached}))
            if not standin.attached:
                stopped.wait()
    except StandInError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
