"""A migrated table: a real SQLite file, a real S3 server, a real ledger filled by a real migration."""

import base64
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import pytest
from PIL import Image
from werkzeug.wrappers import Response

from tests.support.ledgers import put_new_ledger
from z_interact_assets.core.models import ImageLimits
from z_interact_assets.core.planning import Rules
from z_interact_assets.core.preparation import Preparation
from z_interact_assets.core.records import LedgerItem
from z_interact_assets.core.urls import KnownBases
from z_interact_assets.demo.standin import StandIn
from z_interact_assets.demo.standin_app import IncomingRequest
from z_interact_assets.inventory import Inventory
from z_interact_assets.migrate.migration import Engine, Migration, Scope
from z_interact_assets.migrate.planner import Planner
from z_interact_assets.storage.ledger import open_ledger
from z_interact_assets.storage.legacy import open_table
from z_interact_assets.storage.objects import R2Config, R2Store
from z_interact_assets.storage.objects.client import build_client
from z_interact_assets.storage.public import PublicReader
from z_interact_assets.validate import Mode, Validation, ValidationReport

NOW_MS = 1_760_000_000_000
ADOPTED_KEY = "images/gen-z/1700000000000-old.png"


def make_png(shade: int) -> bytes:
    target = BytesIO()
    Image.new("RGB", (3, 2), (shade % 256, shade // 256, 9)).save(target, "PNG")
    return target.getvalue()


def base64_of(shade: int) -> str:
    return base64.b64encode(make_png(shade)).decode()


class World:
    """Everything a validation looks at, and ways to spoil it behind its back."""

    def __init__(self, folder: Path, standin: StandIn) -> None:
        self.standin = standin
        self.now_ms = NOW_MS
        self._database = folder / "local.db"
        config = R2Config(
            endpoint_url=standin.endpoint_url,
            bucket=standin.bucket,
            access_key_id=standin.access_key_id,
            secret_access_key=standin.secret_access_key,
            public_url=standin.public_url,
            max_attempts=1,
        )
        self.s3 = build_client(config)
        self.store = R2Store(self.s3, bucket=standin.bucket, public_url=standin.public_url)
        self.bases = KnownBases(standin.public_url, bucket=standin.bucket)
        self.public = PublicReader(retries=0)
        self.sql(
            "CREATE TABLE images (id TEXT PRIMARY KEY, persona_id TEXT NOT NULL, image_url TEXT, image_data TEXT, "
            "prompt TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER)"
        )
        self.table = open_table(f"file:{self._database}")
        put_new_ledger(folder / "ledger.db")
        self.ledger = open_ledger(f"sqlite:///{folder / 'ledger.db'}")

    def close(self) -> None:
        for part in (self.table, self.ledger, self.store, self.public):
            part.close()

    def sql(self, statement: str, *values: Any) -> None:
        with closing(sqlite3.connect(self._database)) as connection, connection:
            connection.execute(statement, values)

    def add_row(self, row_id: str, *, data: str | None = None, url: str | None = None) -> None:
        self.sql(
            "INSERT INTO images (id, persona_id, image_data, image_url, prompt, created_at) VALUES (?, ?, ?, ?, ?, ?)",
            row_id, "gen-z", data, url, "a prompt", 1_757_400_000_000,
        )  # fmt: skip

    def migrate(self) -> None:
        Planner(self.table, self.ledger, Rules(self.bases), batch_size=10, clock_ms=self._clock).plan()
        engine = Engine(
            table=self.table,
            preparation=Preparation(self.bases, ImageLimits()),
            max_in_flight_bytes=1 << 20,
            concurrency=4,
            clock_ms=self._clock,
        )
        for batch in Migration(engine, self.store, self.ledger).run(Scope()):
            assert batch.pending == 0

    def put(self, key: str, data: bytes, content_type: str = "image/png", **more: Any) -> None:
        self.s3.put_object(Bucket=self.standin.bucket, Key=key, Body=data, ContentType=content_type, **more)

    def item(self, image_id: str) -> LedgerItem:
        item = self.ledger.ask.item(image_id)
        assert item is not None
        return item

    def key_of(self, image_id: str) -> str:
        key = self.item(image_id).object_key
        assert key is not None
        return key

    def bytes_of(self, image_id: str) -> bytes:
        return self.store.download(self.key_of(image_id))

    def proof_of(self, image_id: str) -> str | None:
        return self.item(image_id).proof

    def validation(self, **more: Any) -> Validation:
        options = {"public": self.public, "clock_ms": self._clock, "concurrency": 4, **more}
        return Validation(self.table, self.ledger, self.store, self.bases, **options)

    def validate(self, mode: Mode, **more: Any) -> ValidationReport:
        return self.validation().run(mode, **{"inventory": Inventory(), "random": Random(1), **more})

    def _clock(self) -> int:
        return self.now_ms


class Faults:
    """Answers in place of the server, once a test sets `answer`."""

    answer: Callable[[IncomingRequest], Response | None] = staticmethod(lambda _: None)

    def __call__(self, request: IncomingRequest) -> Response | None:
        return self.answer(request)


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def standin(tmp_path: Path, faults: Faults) -> Iterator[StandIn]:
    with StandIn(tmp_path / "standin", faults=faults) as started:
        yield started


@pytest.fixture
def empty_world(tmp_path: Path, standin: StandIn) -> Iterator[World]:
    with closing(World(tmp_path, standin)) as made:
        yield made


@pytest.fixture
def world(empty_world: World) -> World:
    """Four migrated rows: from image_data, from a data: URL, from both (two images), and one that was on R2 already."""
    world = empty_world
    world.put(ADOPTED_KEY, make_png(77), CacheControl="public")
    world.add_row("embedded", data=base64_of(1))
    world.add_row("data-url", url=f"data:image/png;base64,{base64_of(2)}")
    world.add_row("two", data=base64_of(3), url=f"data:image/png;base64,{base64_of(4)}")
    world.add_row("adopted", url=f"{world.standin.public_url}/{ADOPTED_KEY}")
    world.migrate()
    return world
