"""A site on disk: the app's table, a bucket, a ledger; made by running operations, copied as often as it is killed."""

import hashlib
import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.crash.effects import Point
from tests.crash.runs import LEDGER, Run, Runner
from tests.crash.sample import SAMPLE, upload_what_was_there
from tests.support.sites import r2_store
from tests.support.tables import AppTable
from z_interact_assets.backup.manifest import MANIFEST, PROGRESS
from z_interact_assets.demo.standin import DEFAULT_BUCKET, StandIn, StandInError
from z_interact_assets.demo.standin_state import PORT_FILE

TABLE, BACKUP = "local.db", "backup"
KEY = "crash"
_WRITTEN, _R2 = "written.db", "r2"
# What a run that was killed and the next one may leave otherwise than one run alone: how often it was tried.
_OF_ITEMS = (
    "image_id", "batch_key", "position", "state", "reason", "detail", "fingerprint", "source", "object_key",
    "originals", "before", "published_at", "reclaimed_at", "reclaimed_bytes",
)  # fmt: skip
_OF_OBJECTS = ("object_key", "role", "size", "md5", "sha256", "etag", "format", "content_type", "proof")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A folder with a site whose bucket is served."""

    folder: Path
    runner: Runner
    endpoint_url: str

    def run(self, operation: str, *, deadly: Point | None = None, stepwise: bool = True) -> Run:
        """Start an operation."""
        return self.runner.start(operation, self.folder, self.endpoint_url, deadly=deadly, stepwise=stepwise)

    @property
    def written(self) -> dict[str, dict[str, Any]]:
        """The app's rows as it wrote them."""
        return AppTable(self.folder / _WRITTEN).rows()

    @property
    def rows(self) -> dict[str, dict[str, Any]]:
        """The app's rows as they are now."""
        return AppTable(self.folder / TABLE).rows()

    @property
    def bucket(self) -> dict[str, bytes]:
        """Every object's bytes by key, as they are on the stand-in's disk."""
        folder = self.folder / _R2 / "buckets" / DEFAULT_BUCKET
        kept = [json.loads(path.read_text()) for path in folder.glob("*.json")]
        return {entry["key"]: (folder / entry["data"]).read_bytes() for entry in kept}

    @property
    def backup(self) -> Path:
        """The backup's folder, if there is one."""
        return self.folder / BACKUP

    @property
    def is_backed_up(self) -> bool:
        """Tell whether there is a finished backup."""
        return (self.backup / MANIFEST).exists() and not (self.backup / PROGRESS).exists()

    def ledger(self, table: str, columns: Sequence[str]) -> list[tuple[Any, ...]]:
        """Rows of one of the ledger's tables in order of their first column; none if there is no such table yet."""
        path = self.folder / LEDGER
        if not path.exists():
            return []
        with closing(sqlite3.connect(path)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
                return []
            return connection.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY 1").fetchall()

    def outcome(self) -> dict[str, Any]:
        """All that an operation leaves behind, but for the traces of how often it was tried."""
        return {
            "rows": self.rows,
            "bucket": {key: hashlib.sha256(data).hexdigest() for key, data in self.bucket.items()},
            "items": self.ledger("items", _OF_ITEMS),
            "objects": self.ledger("objects", _OF_OBJECTS),
            "batches": self.ledger("batches", ("batch_key", "items")),
            "backup": {path.name: path.stat().st_size for path in self.backup.glob("*")},
        }

    def events(self) -> dict[str, list[str]]:
        """The names of each image's events, oldest first."""
        names = dict(self.ledger("items", ("item_id", "image_id")))
        told: dict[str, list[str]] = {image_id: [] for image_id in names.values()}
        for _, item_id, event in self.ledger("events", ("event_id", "item_id", "event")):
            told[names[item_id]].append(event)
        return told

    def holders(self) -> set[int]:
        """The processes that the ledger believes to be at work, by pid."""
        return {pid for (pid,) in self.ledger("leases", ("pid",))}

    def images(self) -> Counter[bytes]:
        """How often each image is in the bucket."""
        return Counter(self.bucket.values())


class Buckets:
    """Serves one folder of objects after the other, on one port if nobody takes it: so one client is enough."""

    def __init__(self) -> None:
        self._port = 0

    @contextmanager
    def served(self, folder: Path) -> Iterator[StandIn]:
        """Serve a folder."""
        try:
            standin = self._start(folder, self._port)
        except StandInError:
            standin = self._start(folder, 0)
        self._port = urlsplit(standin.endpoint_url).port or 0
        try:
            yield standin
        finally:
            standin.stop()

    @staticmethod
    def _start(folder: Path, port: int) -> StandIn:
        standin = StandIn(folder, port=port, access_key_id=KEY, secret_access_key=KEY)
        standin.start()
        return standin


class Sites:
    """Makes sites by running operations, each only once: every other one is a copy."""

    def __init__(self, runner: Runner, folder: Path) -> None:
        self._runner = runner
        self._folder = folder
        self._buckets = Buckets()
        self._made = count()
        self._prepared = cache(self._prepare)

    @contextmanager
    def after(self, operations: tuple[str, ...] = ()) -> Iterator[Place]:
        """Yield a site on which operations have been run to their ends."""
        folder = self._folder / str(next(self._made))
        shutil.copytree(self._prepared(operations), folder, ignore=shutil.ignore_patterns(PORT_FILE))
        with self._served(folder) as place:
            yield place
        shutil.rmtree(folder)

    def _prepare(self, operations: tuple[str, ...]) -> Path:
        folder = self._folder / str(next(self._made))
        folder.mkdir()
        AppTable(folder / TABLE).add_many([{"id": row_id, **row.columns} for row_id, row in SAMPLE.items()])
        shutil.copy(folder / TABLE, folder / _WRITTEN)
        with self._buckets.served(folder / _R2) as standin, closing(r2_store(standin)) as store:
            upload_what_was_there(store)
        with self._served(folder) as place:
            for operation in operations:
                place.run(operation).finish()
        return folder

    @contextmanager
    def _served(self, folder: Path) -> Iterator[Place]:
        with self._buckets.served(folder / _R2) as standin:
            yield Place(folder=folder, runner=self._runner, endpoint_url=standin.endpoint_url)
