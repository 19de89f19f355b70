"""The Dagster UI on the demo's data, and a browser."""

import json
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.integration.cli.commandline import Started, eventually, run
from tests.support.browser import Witness, chromium, find_chromium

WIDE: ViewportSize = {"width": 1440, "height": 900}
PATIENCE_MS = 30_000


@pytest.fixture(scope="module")  # Playwright's event loop runs in this thread: other tests start their own
def browser() -> Iterator[Browser]:
    if find_chromium() is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `z-interact-assets dev` after `z-interact-assets demo`."""
    folder = tmp_path_factory.mktemp("ui")
    assert run("demo", "--folder", "demo", folder=folder, settings={}).code == 0
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with Started("dev", "--folder", "demo", "--port", str(port), folder=folder, settings={}) as command:
        eventually(lambda: _answers(address), "the UI")
        yield address
        command.signal(signal.SIGINT)
        command.end()


@pytest.fixture
def page(browser: Browser, ui: str) -> Iterator[Page]:
    with browser.new_context(viewport=WIDE, base_url=ui, locale="en-GB", timezone_id="UTC") as context:
        opened = context.new_page()
        opened.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        yield opened


@pytest.fixture
def witness(page: Page) -> Witness:
    return Witness(page)


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("screenshots")


def _answers(address: str) -> bool:
    body = json.dumps({"query": "{ repositoriesOrError { __typename } }"}).encode()
    request = Request(f"{address}/graphql", body, {"Content-Type": "application/json"})
    with suppress(OSError), urlopen(request, timeout=10) as answer:
        return json.load(answer)["data"]["repositoriesOrError"]["__typename"] == "RepositoryConnection"
    return False
