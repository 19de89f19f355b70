"""How much this process has read and held: the proof that something was not."""

import re
from pathlib import Path


def bytes_read() -> int:
    """Bytes this process has read from files and sockets so far, the page cache included."""
    return int(Path("/proc/self/io").read_text(encoding="ascii").split()[1])


def peak_bytes() -> int:
    """Peak resident memory. Not getrusage: its maximum survives exec, so it would be the parent's."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert found is not None
    return int(found[1]) * 1024
