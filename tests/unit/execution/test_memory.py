"""Few arenas: what threads gave back is used by the next ones."""

import platform
import subprocess
import sys

import pytest

_MEASURE = """
import sys, threading
from z_interact_assets.execution.memory import few_arenas
if sys.argv[1] == "few":
    few_arenas()
step = threading.Barrier(12)
def hold():
    pieces = [bytes(30_000) for _ in range(100)]  # below the size at which malloc asks the kernel for a mapping
    step.wait()
threads = [threading.Thread(target=hold) for _ in range(12)]
for thread in threads: thread.start()
for thread in threads: thread.join()
starts = [int(line.split("-")[0], 16) for line in open("/proc/self/maps") if "rw-p" in line]
print(sum(start % 0x4000000 == 0 for start in starts))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has arenas")
def test_threads_share_two_arenas():
    def arenas(how: str) -> int:
        """Count the mappings that begin where glibc lets an arena's heap begin: at multiples of 64 MiB."""
        ended = subprocess.run([sys.executable, "-c", _MEASURE, how], capture_output=True, text=True, check=True)
        return int(ended.stdout)

    assert arenas("few") <= 2 < arenas("many")
