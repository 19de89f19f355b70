"""python -m tests.fuzz [--seconds N] [--folder DIR] [TARGET …]: run each target in a process of its own."""

import argparse
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

_TARGETS = ("image", "text", "metadata")  # not imported here: atheris has to see the import


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", default=_TARGETS, metavar="TARGET", help=", ".join(_TARGETS))
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together (default: 60)")
    parser.add_argument("--folder", type=Path, default=Path(".fuzz"), help="corpus and findings (default: .fuzz)")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if unknown := set(arguments.targets) - set(_TARGETS):
        parser.error(f"there is no target {', '.join(sorted(unknown))}")
    share = arguments.seconds / len(arguments.targets)
    if arguments.alone:
        _run(arguments.targets[0], arguments.folder, share)
        return 0
    options = ["--alone", "--seconds", str(int(share)), "--folder"]
    codes = [
        subprocess.run(
            [sys.executable, "-m", "tests.fuzz", *options, str(arguments.folder / target), target], check=False
        ).returncode
        for target in arguments.targets
    ]
    return 1 if any(codes) else 0


def _run(target: str, folder: Path, seconds: float) -> None:
    if find_spec("atheris"):
        from tests.fuzz import guided

        guided.run(target, folder, seconds=seconds)
    else:
        from tests.fuzz import by_chance

        executed = by_chance.run(target, folder, seconds=seconds)
        print(f"{target}: {executed:,} inputs by chance, no finding")  # noqa: T201 - the figure that one runs it for


if __name__ == "__main__":
    sys.exit(main())
