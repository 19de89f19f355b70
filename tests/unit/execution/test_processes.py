"""A process is gone only if that is certain: a lease must not be taken from a run that lives."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import psutil
import pytest

from z_interact_assets.execution.processes import ProcessIdentity, is_gone, this_process


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as started:
        yield started


def identity_of(pid: int) -> ProcessIdentity:
    return replace(this_process(), pid=pid, started_at=psutil.Process(pid).create_time())


def test_this_process_is_there():
    assert not is_gone(this_process())


def test_another_process_is_there_until_it_ends(child):
    identity = identity_of(child.pid)
    assert not is_gone(identity)
    child.communicate()
    assert is_gone(identity)


def test_a_process_that_ended_and_that_nobody_has_waited_for_is_gone(child):
    identity = identity_of(child.pid)
    child.stdin.close()
    while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
        pass
    assert is_gone(identity)


@pytest.mark.parametrize(("later_s", "gone"), [(-60, True), (-5, False), (0, False), (5, False), (60, True)])
def test_a_number_that_another_process_has_taken_over_is_gone(later_s, gone):
    """The boot time a start is told by gets adjusted: a few seconds are the same process yet."""
    assert is_gone(replace(this_process(), started_at=this_process().started_at + later_s)) is gone


def test_of_another_machine_nobody_here_can_tell(child):
    elsewhere = replace(identity_of(child.pid), host="another")
    child.communicate()
    assert not is_gone(elsewhere)


def test_a_process_one_may_not_look_at_is_there(monkeypatch):
    def refuse(process: psutil.Process) -> float:
        raise psutil.AccessDenied(process.pid)

    identity = this_process()
    monkeypatch.setattr(psutil.Process, "create_time", refuse)
    assert not is_gone(identity)
