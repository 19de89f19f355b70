"""A real Postgres server on a free loopback port, for as long as a `with` block."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def find_binary(name: str) -> str | None:
    """Debian keeps initdb and pg_ctl out of PATH."""
    found = [shutil.which(name), *sorted(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), reverse=True)]
    return next(filter(None, found), None)


@contextmanager
def postgres() -> Iterator[str]:
    """Yield the server's URL without a database name. Postgres refuses to run as root: then user `postgres` runs it.

    Its folder is none of pytest's: those are closed to other users, and are closed again by any pytest that starts.
    """
    initdb, pg_ctl = find_binary("initdb"), find_binary("pg_ctl")
    assert initdb
    assert pg_ctl
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    user = "postgres" if os.geteuid() == 0 else None

    def run(*command: str | Path) -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, cwd="/", user=user)

    with tempfile.TemporaryDirectory(prefix="z-interact-postgres-") as folder:
        if user:
            owner = pwd.getpwnam("postgres")
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        data = Path(folder) / "data"
        run(initdb, "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync")
        options = f"-p {port} -k {data} -h 127.0.0.1 -c fsync=off"
        run(pg_ctl, "-D", data, "-l", data / "log", "-w", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://postgres@127.0.0.1:{port}"
        finally:
            run(pg_ctl, "-D", data, "-m", "immediate", "-w", "stop")
