"""A backfill of 200 batches that two workers share, and one of them is killed in the middle: table, bucket, story."""

import threading
from collections import Counter
from dataclasses import dataclass

import sqlalchemy as sa
from werkzeug.wrappers import Response

from tests.deploy.cluster import WORKERS, Cluster
from tests.support.images import base64_of, make_png
from z_interact_assets.demo.shapes import SHAPES
from z_interact_assets.demo.standin_app import IncomingRequest

BATCHES = 200
BATCHES_PER_RUN = 50
MIDDLE = 10  # images a run has stored when its worker may be killed


class GatedBucket:
    """The stand-in's `faults`: each run stores some images, and then waits until the gate is opened.

    A run's rows are one session, which is in their keys. Writes are counted.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened = threading.Event()
        self._asked: Counter[str] = Counter()
        self.writes: Counter[str] = Counter()

    def __call__(self, request: IncomingRequest) -> Response | None:
        if (request.method, request.kind) != ("PUT", "object") or not request.key.startswith("images/"):
            return None
        session = request.key.split("/")[1]
        with self._lock:
            self._asked[session] += 1
            in_the_middle = self._asked[session] > MIDDLE
        if in_the_middle:
            self._opened.wait(60)
        answer = request.serve()
        if answer.status_code == 200:
            with self._lock:
                self.writes[request.key] += 1
        return answer

    def runs_in_the_middle(self) -> int:
        with self._lock:
            return sum(1 for asked in self._asked.values() if asked > MIDDLE)

    def open(self) -> None:
        self._opened.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of it."""

    status: str
    partitions: dict[str, int]
    runs_by_worker: dict[str, list[str]]
    retries: int


def fill_table(server: str) -> None:
    """Make the databases, and the app's table with an image a batch."""
    engine = sa.create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for name in ("app", "dagster", "ledger"):
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    columns = ", ".join(f"{name} {kind.replace('INTEGER', 'BIGINT')}" for name, kind in SHAPES["full"].items())
    rows = [
        {
            "id": f"image-{number:04}",
            "session_id": f"s{number // BATCHES_PER_RUN}",
            "image_data": base64_of(make_png(number)),
        }
        for number in range(BATCHES)
    ]
    engine = sa.create_engine(f"{server}/app")
    with engine.begin() as connection:
        connection.execute(sa.text(f"CREATE TABLE images ({columns})"))
        connection.execute(
            sa.text(
                "INSERT INTO images (id, session_id, persona_id, prompt, status, image_data, created_at)"
                " VALUES (:id, :session_id, 'gen-z', 'a prompt', 'completed', :image_data, 1757400000123)"
            ),
            rows,
        )
    engine.dispose()


def share_a_backfill(cluster: Cluster, bucket: GatedBucket) -> Told:
    """Plan, launch, kill a worker when both have a run in hand, and wait for the end."""
    assert cluster.run_asset("migration_batches").status == "SUCCESS"
    backfill = cluster.launch_backfill()
    cluster.wait_until(lambda: bucket.runs_in_the_middle() == len(WORKERS), "both workers in the middle of a run")
    cluster.kill_worker(WORKERS[1])
    bucket.open()
    cluster.wait_until(lambda: cluster.status(backfill).startswith("COMPLETED"), "the end of the backfill")
    runs = cluster.runs(**{"dagster/backfill": backfill})
    return Told(
        status=cluster.status(backfill),
        partitions=cluster.partitions(),
        runs_by_worker={name: [run.run_id for run in runs if run.task_id in cluster.log(name)] for name in WORKERS},
        retries=sum(run.is_retry for run in runs),
    )
