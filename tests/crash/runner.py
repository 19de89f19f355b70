"""The process whose children are killed, `python -m tests.crash.runner`: it imports everything once and forks.

One JSON document a line on stdin: `{"start": ORDER}` answers with the child's pid, `{"wait": PID}` with how it ended.
A child carries one operation out on one site, watched by `effects`, and dies at the deadly point of its order.
"""

import faulthandler
import json
import os
import signal
import sys
import traceback
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import Any

from tests.crash import effects

effects.install()  # before anything connects

import alembic.command  # noqa: E402 - imported late by our code, and slow: here once, not in each child
import alembic.config  # noqa: E402, F401

from tests.crash.operations import ACTS  # noqa: E402
from tests.crash.places import KEY, TABLE  # noqa: E402
from tests.crash.runs import AT_ONCE, ERROR, SEEN  # noqa: E402
from tests.support.sites import PUBLIC_URL, Site  # noqa: E402
from tests.support.tables import AppTable  # noqa: E402
from z_interact_assets.backup import restore  # noqa: E402
from z_interact_assets.demo.standin import DEFAULT_BUCKET  # noqa: E402
from z_interact_assets.migrate import pipeline  # noqa: E402
from z_interact_assets.reverse import carrying_out  # noqa: E402
from z_interact_assets.storage.objects import R2Config, R2Store  # noqa: E402

BATCH_SIZE = 3
PATIENCE_S = 60
_GROUP_ITEMS = 2


def main() -> None:
    """Serve until stdin ends."""
    children: set[int] = set()
    for line in sys.stdin:
        request = json.loads(line)
        if "start" in request:
            children.add(pid := _fork(request["start"]))
            answer = {"pid": pid}
        else:
            _, status = os.waitpid(request["wait"], 0)
            children.discard(request["wait"])
            answer = {"code": os.waitstatus_to_exitcode(status)}
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


@cache
def _store(endpoint_url: str) -> R2Store:
    """Return a store that has not connected yet: to make one takes 0.2 s, so it is made here and not in each child."""
    config = R2Config(
        endpoint_url=endpoint_url, bucket=DEFAULT_BUCKET, access_key_id=KEY, secret_access_key=KEY,
        public_url=PUBLIC_URL, max_attempts=1,
    )  # fmt: skip
    return R2Store.from_config(config)


def _fork(order: dict[str, Any]) -> int:
    store = _store(order["endpoint_url"])
    pid = os.fork()
    if pid:
        return pid
    code = 1
    folder = Path(order["folder"])
    try:
        with (folder / f"{os.getpid()}.{ERROR}").open("w") as error:
            _live(order, folder, store, error)
        code = 0
    finally:
        os._exit(code)


def _live(order: dict[str, Any], folder: Path, store: R2Store, error: Any) -> None:
    faulthandler.dump_traceback_later(PATIENCE_S - 5, file=error)
    signal.alarm(PATIENCE_S)
    try:
        _carry_out(order, folder, store)
    except BaseException:
        traceback.print_exc(file=error)
        raise
    finally:
        effects.EFFECTS.end()
        (folder / f"{os.getpid()}.{SEEN}").write_text(json.dumps(effects.EFFECTS.seen))


def _carry_out(order: dict[str, Any], folder: Path, store: R2Store) -> None:
    deadly = order.get("deadly")
    stepwise = order.get("stepwise", False)
    if stepwise:  # the same groups in every run, so that a point that was seen once is met again
        pipeline.GROUP_ITEMS, pipeline.GROUP_WAIT_S = _GROUP_ITEMS, PATIENCE_S
        carrying_out.SWITCH_ROWS = restore.SWITCH_ROWS = _GROUP_ITEMS
    effects.EFFECTS.begin(folder, effects.Point(*deadly) if deadly else None)
    concurrency = 1 if stepwise else AT_ONCE
    site = Site(
        folder,
        AppTable(folder / TABLE),
        store,
        batch_size=BATCH_SIZE,
        concurrency=concurrency,
        ledger_url=order["ledger_url"],
    )
    with closing(site):
        ACTS[order["operation"]](site)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
