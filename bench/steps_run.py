"""One step by the services, as a program: on what the settings name, prints what it did and what it took.

python -m bench.steps_run STEP            (settings from the environment)
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any, Literal

from bench.steps_sites import PUBLIC_URL
from z_interact_assets.core.urls import KnownBases
from z_interact_assets.inventory import Inventory, take_inventory
from z_interact_assets.migrate.migration import clock_ms
from z_interact_assets.reverse import Chosen, Reclaim, Rollback
from z_interact_assets.settings import load_settings
from z_interact_assets.stats import collect_stats
from z_interact_assets.storage.public import PublicAnswer, PublicReader
from z_interact_assets.validate import Validation
from z_interact_assets.workspace import Workspace

Counts = Mapping[str, int]


def main() -> None:
    with closing(Workspace(load_settings())) as workspace:
        _open(workspace)
        started, cpu, read = time.perf_counter(), time.process_time(), _bytes_read()
        counts = RUNS[sys.argv[1]](workspace)
        document = {
            "seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - cpu,
            "bytes_read": _bytes_read() - read, "counts": counts,
        }  # fmt: skip
    print(json.dumps(document))


def plan(workspace: Workspace) -> Counts:
    result = workspace.planner().plan()
    return {"planned": result.planned, "batches": len(workspace.ledger.ask.batch_states())}


def validate_head(workspace: Workspace) -> Counts:
    return _validate(workspace, "head")


def validate_full(workspace: Workspace) -> Counts:
    return _validate(workspace, "full")


def reclaim(workspace: Workspace) -> Counts:
    with PublicReader() as reader:
        face = _Face(reader, workspace)
        clearing = Reclaim(workspace.means(), workspace.store, workspace.bases, face, after_days=0)
        for _ in clearing.run(Inventory()):
            pass
    return _counts(clearing.report.to_json(), "reclaimed", "failed")


def rollback(workspace: Workspace) -> Counts:
    undoing = Rollback(workspace.means(), workspace.store, workspace.bases)
    for _ in undoing.run(Chosen()):
        pass
    return _counts(undoing.report.to_json(), "rolled_back", "failed")


def inventory(workspace: Workspace) -> Counts:
    found = take_inventory(workspace.store, workspace.table, workspace.ledger, workspace.bases)
    return {"objects": found.objects, "orphans": found.orphan_count, "problems": len(found.problems)}


def stats(workspace: Workspace) -> Counts:
    return _counts(collect_stats(workspace.sources(), None, now_ms=clock_ms()), "total_images", "r2_images")


RUNS: Mapping[str, Callable[[Workspace], Counts]] = {
    "plan": plan, "validate": validate_head, "validate-full": validate_full, "reclaim": reclaim, "rollback": rollback,
    "inventory": inventory, "stats": stats,
}  # fmt: skip


class _Face:
    """Public URLs, read from the server of the benchmark."""

    def __init__(self, reader: PublicReader, workspace: Workspace) -> None:
        access = workspace.settings.require_r2()
        self._reader = reader
        self._base = f"{access.endpoint_url}/{access.bucket}"
        self._bases = KnownBases(PUBLIC_URL)

    def get(self, url: str, *, max_bytes: int = 1 << 30) -> PublicAnswer:
        return self._reader.get(f"{self._base}/{self._bases.key_of(url)}", max_bytes=max_bytes)


def _open(workspace: Workspace) -> None:
    """Open everything, which is not what is measured."""
    workspace.table.count()
    workspace.ledger.ask.states()
    workspace.store.check()


def _validate(workspace: Workspace, mode: Literal["head", "full"]) -> Counts:
    means = workspace.means()
    report = Validation(
        workspace.table, workspace.ledger, workspace.store, workspace.bases, public=None, clock_ms=clock_ms,
        concurrency=means.concurrency, max_in_flight_bytes=means.max_in_flight_bytes,
    ).run(mode, inventory=None, random=Random(7))  # fmt: skip
    return {"checked": report.checked, "valid": report.valid}


def _counts(document: Mapping[str, Any], *names: str) -> Counts:
    return {name: document[name] for name in names}


def _bytes_read() -> int:
    """Return what this process has read so far, from disks, caches and sockets alike; 0 where nobody tells."""
    try:
        first = Path("/proc/self/io").read_text().split()
    except OSError:
        return 0
    return int(first[1])


if __name__ == "__main__":
    main()
