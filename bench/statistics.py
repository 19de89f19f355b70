"""Time and peak memory of the statistics by the number of rows, each in a process of its own. Prints a table.

Table and ledger are made by the bulk SQL of the tests; making them is not measured. The bucket is
not listed: the statistics themselves never do that.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", type=int)
    parser.add_argument("--make", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.make:
        _make(Path(arguments.make[0]), int(arguments.make[1]))
    elif arguments.measure:
        print(json.dumps(_measure(Path(arguments.measure))))
    else:
        print(f"{'rows':>10} {'seconds':>9} {'CPU s':>8} {'rows/s':>9} {'peak RSS MB':>12} {'before it MB':>13}")
        for rows in arguments.rows or [10_000, 100_000]:
            with tempfile.TemporaryDirectory() as folder:
                _run("--make", folder, str(rows))
                found = json.loads(_run("--measure", folder))
            print(f"{found['rows']:>10,} {found['seconds']:>9.1f} {found['cpu']:>8.1f} "
                  f"{found['rows'] / found['seconds']:>9,.0f} {found['peak_mb']:>12.0f} "
                  f"{found['before_mb']:>13.0f}", flush=True)  # fmt: skip


def _run(*arguments: str) -> str:
    done = subprocess.run([sys.executable, __file__, *arguments], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def _make(folder: Path, rows: int) -> None:
    from tests.integration.stats import crowd
    from tests.support.sites import Site
    from tests.support.tables import AppTable

    crowd.fill(Site(folder, AppTable(folder / "local.db")), rows)


def _measure(folder: Path) -> dict[str, float]:
    from tests.support.sites import NOW_MS, PUBLIC_URL
    from z_interact_assets.core.urls import KnownBases
    from z_interact_assets.stats import Sources, collect_stats
    from z_interact_assets.storage.ledger import open_ledger
    from z_interact_assets.storage.legacy import open_table

    sources = Sources(
        table=open_table(f"file:{folder}/local.db"),
        ledger=open_ledger(f"sqlite:///{folder}/ledger.db"),
        bases=KnownBases(PUBLIC_URL, bucket="memory"),
    )
    before = _peak_mb()
    started, cpu = time.perf_counter(), time.process_time()
    document = collect_stats(sources, None, now_ms=NOW_MS)
    return {
        "rows": document["total_images"], "seconds": time.perf_counter() - started,
        "cpu": time.process_time() - cpu, "peak_mb": _peak_mb(), "before_mb": before,
    }  # fmt: skip


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024


if __name__ == "__main__":
    main()
