"""`dev`: Dagster's UI on the demo's data, and nothing of it left when it ends."""

import json
import os
import signal
import socket
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from tests.integration.cli.commandline import Started, eventually, run

pytestmark = pytest.mark.slow

PLANTED = "a-secret-of-the-callers-own"
HOSTILE = {
    "LEDGER_URL": f"postgresql+psycopg://root:{PLANTED}@127.0.0.1:9/ledger",
    "R2_SECRET_ACCESS_KEY": PLANTED,
    "R2_ENDPOINT_URL": "http://127.0.0.1:9",
}
QUERY = "{ version runsOrError(limit: 10) { ... on Runs { results { jobName status } } } }"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def ask(port: int) -> dict | None:
    """What the UI's GraphQL answers; None while there is nobody."""
    body = json.dumps({"query": QUERY}).encode()
    request = Request(f"http://127.0.0.1:{port}/graphql", body, {"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=10) as answer:
            return json.load(answer)["data"]
    except (URLError, OSError):
        return None


def environments_of_children(folder: Path) -> list[bytes]:
    """The environments of all processes that work in the demo's folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").resolve() == folder:
                found.append((process / "environ").read_bytes())
        except OSError:
            continue
    return found


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dev") / "demo"
    assert run("demo", "--rows", "100", "--folder", str(folder), folder=folder.parent, settings={}).code == 0
    return folder


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.exhaustive)])
def test_the_ui_shows_the_demos_runs_and_ends_with_all_its_processes(demo: Path, number: signal.Signals) -> None:
    port = free_port()
    arguments = ("dev", "--folder", "demo", "--port", str(port))
    with Started(*arguments, folder=demo.parent, settings=HOSTILE, cold=True) as command:
        eventually(lambda: ask(port) or command.process.poll() is not None, "the UI")
        data = ask(port)
        assert data is not None
        runs = {entry["jobName"]: entry["status"] for entry in data["runsOrError"]["results"]}
        assert {"plan_batches", "migrate_images", "validate_migration", "take_stock"} <= runs.keys()
        assert set(runs.values()) == {"SUCCESS"}
        children = environments_of_children(demo)
        assert children
        assert not any(PLANTED.encode() in environment for environment in children)
        command.signal(number)
        ended = command.end()
    assert ended.code == 0, ended.output
    assert f"http://127.0.0.1:{port}" in ended.stdout
    assert PLANTED not in ended.output
    assert environments_of_children(demo) == []
    with pytest.raises(ProcessLookupError):
        os.killpg(command.process.pid, 0)
