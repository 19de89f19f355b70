"""Memory is bounded by a row group and a transaction, not by rows."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCRIPT = Path(__file__).with_name("measure_memory.py")


def measure(folder: Path, rows: int) -> dict[str, int]:
    """The peak memory of each half of the way, filling the table included."""
    folder.mkdir()
    peaks: dict[str, int] = {}
    for what in ("backup", "restore"):
        command = [sys.executable, str(SCRIPT), str(folder), what, str(rows)]
        done = subprocess.run(
            command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        peaks[what] = json.loads(done.stdout)["peak_bytes"]
    return peaks


@pytest.mark.exhaustive
def test_two_hundred_rows_of_a_megabyte_take_no_more_memory_than_twenty(tmp_path):
    small, large = measure(tmp_path / "small", 20), measure(tmp_path / "large", 200)
    print(small, large)  # noqa: T201 - the figures
    for what in ("backup", "restore"):
        assert large[what] - small[what] < 40 * 1024 * 1024, what
        assert large[what] < 400 * 1024 * 1024, what
