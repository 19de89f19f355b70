"""A real Redis server on a free loopback port, for as long as a `with` block."""

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

REDIS_SERVER = shutil.which("redis-server")
_PATIENCE_S = 20.0


@contextmanager
def redis(password: str) -> Iterator[str]:
    """Yield the server's URL without a database number. It keeps nothing, and hears nobody but this machine."""
    assert REDIS_SERVER
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="z-interact-redis-") as folder:
        settings = Path(folder) / "redis.conf"
        settings.write_text(
            f'bind 127.0.0.1\nport {port}\ndir {folder}\nrequirepass {password}\nsave ""\nappendonly no\n'
        )
        server = subprocess.Popen([REDIS_SERVER, settings], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        try:
            _wait_for(port)
            yield f"redis://:{password}@127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def _wait_for(port: int) -> None:
    deadline = monotonic() + _PATIENCE_S
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            if monotonic() > deadline:
                raise
            sleep(0.05)
