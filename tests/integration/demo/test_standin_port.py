"""Which port the stand-in takes, and what it does when the port is taken."""

import json
import signal
import socket
import subprocess
import sys

import pytest

from z_interact_assets.demo.standin import StandIn, StandInError

KEY = "images/a.png"


def test_a_second_standin_on_the_folder_attaches_and_leaves_the_first_running(tmp_path, client_of):
    with StandIn(tmp_path) as first:
        with StandIn(tmp_path) as second:
            assert (first.attached, second.attached) == (False, True)
            assert second.endpoint_url == first.endpoint_url
            client_of(second).put_object(Bucket=second.bucket, Key=KEY, Body=b"x")
        assert client_of(first).head_object(Bucket=first.bucket, Key=KEY)["ContentLength"] == 1


def test_a_second_standin_on_the_folder_with_another_bucket_is_refused(tmp_path):
    with StandIn(tmp_path), pytest.raises(StandInError, match="already serves"):
        StandIn(tmp_path, bucket="another-bucket").start()


def test_a_port_of_another_program_is_an_error_with_a_remedy(tmp_path):
    # Bound but not listening: whoever asks is refused at once.
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(StandInError, match=f"Port {port}") as caught:
            StandIn(tmp_path, port=port).start()
    assert "Stop that program" in caught.value.remedy


def test_the_port_of_another_folders_standin_is_an_error(tmp_path):
    with StandIn(tmp_path / "a") as first:
        port = int(first.endpoint_url.rpartition(":")[2])
        with pytest.raises(StandInError, match="taken by another program"):
            StandIn(tmp_path / "b", port=port).start()


def test_only_the_loopback_address_is_bound(tmp_path):
    with StandIn(tmp_path) as standin:
        assert standin.endpoint_url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("name", ["public", "Upper", "a", "under_score", "-dash"])
def test_a_bad_bucket_name_is_refused(tmp_path, name):
    with pytest.raises(StandInError):
        StandIn(tmp_path, bucket=name)


def test_urls_are_not_to_be_had_before_the_start(tmp_path):
    standin = StandIn(tmp_path)
    with pytest.raises(StandInError):
        _ = standin.public_url
    with pytest.raises(StandInError):
        _ = standin.secret_access_key


def test_in_a_process_of_its_own_it_serves_until_it_is_told_to_stop(tmp_path, client_of):
    command = [sys.executable, "-m", "z_interact_assets.demo.standin", "--folder", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            with StandIn(tmp_path) as attached:
                assert (attached.attached, attached.public_url) == (True, ready["public_url"])
                client_of(attached).put_object(Bucket=attached.bucket, Key=KEY, Body=b"x")
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0
    with StandIn(tmp_path) as mine:
        assert not mine.attached
        assert client_of(mine).head_object(Bucket=mine.bucket, Key=KEY)["ContentLength"] == 1
