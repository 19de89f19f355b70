"""`bench` as it is run: what it writes, and that it needs and reads nothing of its caller's. Never a time."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from z_interact_assets.cli import main

ROOT = Path(__file__).parents[3]
OPTIONS = (
    "--small", "24x3KB", "--scenario", "small-1ms", "--rounds", "2", "--workers", "4", "--sample", "6",
    "--contender", "service", "--contender", "s5cmd", "--contender", "old", "--jitter", "uniform", "--jitter-ms", "1",
    "--set", "UPLOAD_CONCURRENCY=3", "--profile",
)  # fmt: skip
# Whoever read these would fail.
ELSEWHERE = {
    "DATABASE_URL": "file:no-such-folder/local.db",
    "R2_ENDPOINT_URL": "https://r2.example.invalid",
    "UPLOAD_CONCURRENCY": "none",
    "AWS_ENDPOINT_URL": "https://s3.example.invalid",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    (folder / ".env").write_text("DATABASE_URL=nonsense\nMIGRATION_BATCH_SIZE=nonsense\n")
    ended = subprocess.run(
        [sys.executable, "-m", "z_interact_assets", "bench", *OPTIONS], cwd=folder, capture_output=True, text=True,
        env={**os.environ, **ELSEWHERE, "PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    (folder / "stdout").write_text(ended.stdout)
    return folder


@pytest.fixture(scope="module")
def document(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "bench-results" / "comparison.json").read_text())


@pytest.mark.slow
def test_the_json_has_machine_versions_and_every_round(document: dict[str, Any]) -> None:
    assert document["machine"]["cores"] == os.cpu_count()
    assert {"s5cmd", "rclone", "boto3", "obstore", "dagster"} <= set(document["versions"])
    (scenario,) = document["scenarios"]
    assert (scenario["images"], scenario["latency_ms"], scenario["jitter"]) == (24, 1.0, "uniform 1 ms")
    assert scenario["order"] == ["service", "s5cmd", "old", "old", "s5cmd", "service"]
    assert scenario["server_limit"]["times_the_fastest"] > 0
    assert all(run["load_before"] >= 0 for one in scenario["contenders"] for run in one["runs"])


@pytest.mark.slow
def test_every_contender_has_its_figures(document: dict[str, Any]) -> None:
    service, s5cmd, old = document["scenarios"][0]["contenders"]
    assert [one["requests"]["PUT"] for one in (service, s5cmd, old)] == [24, 24, 6]
    assert service["in_flight"] <= 3  # the setting it was given
    for one in (service, s5cmd, old):
        assert all(one[name] > 0 for name in ("images_s", "mb_s", "cpu_s_gb", "tree_rss_mb", "in_flight"))
        assert all(ratio["lowest"] <= ratio["median"] <= ratio["highest"] for ratio in one["ratios"].values())
    assert set(service["ratios"]) == {"s5cmd", "old"}


@pytest.mark.slow
def test_the_table_is_shown_and_written_as_markdown(folder: Path) -> None:
    for text in ((folder / "stdout").read_text(), (folder / "bench-results" / "comparison.md").read_text()):
        assert "small-1ms: 24 x 3 KB, 1 ms latency, uniform 1 ms jitter" in text
        assert "our service, without Dagster" in text
        assert "(6 images)" in text


@pytest.mark.slow
def test_the_profile_is_of_every_kind_of_thread(folder: Path) -> None:
    written = {path.name for path in (folder / "bench-results").glob("profile-small-1ms-*")}
    assert {"profile-small-1ms-main.html", "profile-small-1ms-main.txt"} <= written
    texts = "".join(path.read_text() for path in (folder / "bench-results").glob("profile-*.txt"))
    assert "Migration.run" in texts
    assert "Worker" in texts


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--scenario", "tiny-5ms"], "tiny-5ms is no scenario"),
        (["--contender", "curl"], "no contender curl"),
        (["--small", "lots"], "lots is no size"),
        (["--set", "UPLOAD_CONCURRENCY"], "is no setting"),
        (["--work-folder", "no-such-folder", "--small", "1x1KB", "--scenario", "small-0ms"], "no folder"),
        (["grwth"], "No such command"),
    ],
)
def test_wrong_options_end_with_2_and_say_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = CliRunner().invoke(main, ["bench", *arguments])
    assert refused.exit_code == 2, refused.output
    assert said in refused.stderr
