"""Our service without Dagster, as a program: plans and migrates what the settings name, and prints what it took.

python -m bench.service            (settings from the environment)
python -m bench.service --profile FILE
"""

import json
import sys
import time
from contextlib import closing
from typing import Any


def main() -> None:
    if sys.argv[1:2] == ["--profile"]:
        from bench.profiling import profiled

        document = profiled(migrate, sys.argv[2])
    else:
        document = migrate()
    print(json.dumps(document))


def migrate() -> dict[str, Any]:
    from z_interact_assets.migrate.migration import Migration
    from z_interact_assets.migrate.scope import Scope
    from z_interact_assets.settings import load_settings
    from z_interact_assets.workspace import Workspace

    with closing(Workspace(load_settings())) as workspace:
        started = time.perf_counter()
        workspace.planner().plan()
        planned = time.perf_counter()
        migration = Migration(workspace.engine(), workspace.store, workspace.ledger)
        for _ in migration.run(Scope()):
            pass
        ended = time.perf_counter()
    return {
        "migrated": migration.totals.migrated,
        "plan_seconds": planned - started,
        "duration_seconds": ended - started,
    }


if __name__ == "__main__":
    main()
