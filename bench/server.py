"""The null S3 server and the raw client that finds its limit: compiled on first use, started, asked what they saw."""

import hashlib
import json
import shutil
import subprocess
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from bench.errors import BenchError

SOURCES = Path(__file__).parent
Jitter = Literal["none", "normal", "uniform"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """What is added to each request after its body was read."""

    ms: float = 0.0
    jitter_ms: float = 0.0
    jitter: Jitter = "none"
    seed: int = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the server saw from its start on."""

    requests: dict[str, int]
    bytes: int
    etag_sum: int
    most_in_flight: int
    connections: int
    continues: int
    cpu_seconds: float


class NullServer:
    """One server process on a free port of 127.0.0.1, for as long as the context is open."""

    bucket = "null"
    program = "null_server"
    arguments: tuple[str, ...] = ()  # after those of the latency

    def __init__(self, cache: Path, latency: Latency | None = None) -> None:
        self._program = compiled(self.program, cache)
        self._latency = latency or Latency()
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    def __enter__(self) -> Self:
        how = self._latency
        arguments = [str(how.ms), str(how.jitter_ms), how.jitter, str(how.seed), *self.arguments]
        # It ends when its standard input does, so also when we are killed.
        self._process = subprocess.Popen(
            [self._program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.communicate()

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def seen(self) -> Seen:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("GET", "/-/stats")
            return Seen(**json.load(connection.getresponse()))


def compiled(name: str, cache: Path) -> Path:
    """Return the program of that C file, compiled if its text, or what the servers share, has changed."""
    source = SOURCES / f"{name}.c"
    text = source.read_bytes() + (SOURCES / "serving.h").read_bytes()
    program = cache / f"{name}-{hashlib.sha256(text).hexdigest()[:12]}"
    if program.exists():
        return program
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise BenchError("there is no C compiler", remedy="Install one (Debian: apt-get install gcc libc6-dev).")
    cache.mkdir(parents=True, exist_ok=True)
    fresh = program.with_suffix(".new")
    command = [compiler, "-O3", "-o", str(fresh), str(source), "-lm", "-lpthread"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise BenchError(f"{source.name} does not compile: {ended.stderr.strip()}")
    fresh.rename(program)
    return program


def raw_limit(cache: Path, *, connections: int, size: int, requests: int) -> dict[str, Any]:
    """Return requests and MB a second of a client that does nothing but send the same bytes: the server's limit."""
    client = compiled("raw_client", cache)
    with NullServer(cache) as server:
        arguments = [str(number) for number in (server.port, connections, size, requests)]
        ended = subprocess.run([client, *arguments], capture_output=True, text=True, check=True)
        seconds = float(ended.stdout)
        if (seen := server.seen()).requests["PUT"] != requests:
            raise BenchError(f"the null server saw {seen.requests['PUT']} of {requests} requests")
    return {"connections": connections, "size": size, "requests_s": requests / seconds,
            "mb_s": requests * size / seconds / 1e6}  # fmt: skip
