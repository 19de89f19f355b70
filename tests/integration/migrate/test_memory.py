"""Memory is bounded by bytes in flight, not by rows."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCRIPT = Path(__file__).with_name("measure_memory.py")


def measure(folder: Path, rows: int) -> dict[str, float]:
    folder.mkdir()
    command = [sys.executable, str(SCRIPT), str(folder), str(rows)]
    done = subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.exhaustive
def test_ten_thousand_rows_take_no_more_memory_than_one_thousand(tmp_path):
    small, large = measure(tmp_path / "small", 1_000), measure(tmp_path / "large", 10_000)
    print(small, large)  # noqa: T201 - the figures
    assert large["peak_bytes"] - small["peak_bytes"] < 40 * 1024 * 1024
