"""Progress: a bar on a terminal, plain lines in a pipe, on stderr only."""

import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.integration.cli.commandline import COMMAND, NewSite, Site, small_environment
from tests.integration.cli.test_interruption import slow_puts

pytestmark = pytest.mark.slow  # uploads are slowed down so that there is progress to see


def on_a_terminal(site: Site, *arguments: str, **settings: str) -> tuple[str, str]:
    """Run with stderr on a terminal; what was on stdout, and on the terminal."""
    ours, theirs = pty.openpty()
    environment = small_environment(site.folder, {**site.settings, "TERM": "xterm-256color", **settings})
    process = subprocess.Popen(
        [*COMMAND, *arguments], cwd=site.folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=theirs, text=True,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 65536):
            shown += chunk
    except OSError:
        pass  # the other end was closed
    finally:
        os.close(ours)
    return process.communicate()[0], shown.decode()


def test_a_terminal_gets_a_bar_and_stdout_stays_clean(site: Site) -> None:
    site.add_images(5)
    stdout, shown = on_a_terminal(site, "migrate", "--json")
    assert stdout.startswith("{")
    assert "\x1b" not in stdout
    assert "Migrating" in shown
    assert "━" in shown
    assert "\x1b[?25h" in shown.rpartition("\x1b[?25l")[2], "the cursor stays hidden"


@pytest.mark.exhaustive
def test_no_color_takes_the_colours_out_of_the_bar(site: Site) -> None:
    site.add_images(5)
    _, shown = on_a_terminal(site, "plan", NO_COLOR="1")
    assert "Reading" in shown
    assert "\x1b[3" not in shown


@pytest.mark.slow
@pytest.mark.exhaustive
def test_a_pipe_gets_plain_lines_on_stderr_alone(new_site: NewSite) -> None:
    site = new_site(slow_puts)
    site.add_images(45)
    ended = site.run("migrate", "--concurrency", "1")
    assert ended.code == 0
    lines = ended.stderr.splitlines()
    assert lines
    assert all(line.startswith("Migrating: ") and " of 45 images" in line for line in lines)
    assert "\x1b" not in ended.output
    assert "Migrating:" not in ended.stdout


def test_doctor_has_colours_on_a_terminal_alone(site: Site, tmp_path: Path) -> None:
    site.add_images(1)
    piped = site.run("doctor")
    assert piped.code == 0, piped.output
    assert "\x1b" not in piped.output
    assert "✓" in piped.stdout
