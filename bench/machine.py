"""What it was measured on, and with which versions. Facts for a report only."""

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from bench.contenders import version_of
from bench.errors import BenchError

_PACKAGES = ("boto3", "obstore", "dagster", "pybase64", "sqlalchemy", "z-interact-assets")


def machine() -> dict[str, str | int | float]:
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count() or 0,
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    for name in ("s5cmd", "rclone"):
        try:
            found[name] = version_of(name).removeprefix(f"{name} ")
        except BenchError:
            found[name] = "not installed"
    return found


def _cpu() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor()
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1] if found else platform.processor()
