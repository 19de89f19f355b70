"""Table and ledger on a real Postgres server: nothing in their interfaces is SQLite's alone."""

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import asdict

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from tests.support.images import base64_of, make_png
from tests.support.postgres import find_binary, postgres
from z_interact_assets.core.base64_text import TextForm, rebuild_text
from z_interact_assets.core.errors import TableUnusableError
from z_interact_assets.core.images import digest
from z_interact_assets.demo.sample import make_sample_table
from z_interact_assets.inventory import take_inventory
from z_interact_assets.migrate.migration import Migration, Scope, clock_ms
from z_interact_assets.reverse import Chosen, Reclaim, Rollback
from z_interact_assets.settings import load_settings
from z_interact_assets.stats import Sources, collect_stats
from z_interact_assets.storage.ledger import questions
from z_interact_assets.storage.legacy import LegacyTable, open_table, reader
from z_interact_assets.storage.objects import MemoryStore
from z_interact_assets.storage.public import PublicAnswer
from z_interact_assets.workspace import Workspace

PUBLIC_URL = "https://images.example.com"
NEW = "https://app.example.com/new.png"
LATER = 1_764_000_000_000
INTEGERS = ("created_at", "updated_at", "migrated_at")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_binary("initdb") is None, reason="no Postgres server here: apt-get install postgresql"),
]


@pytest.fixture(scope="module")
def server():
    with postgres() as url:
        yield url


@contextmanager
def connected(server, database):
    engine = sa.create_engine(f"{server}/{database}", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def databases(server):
    with connected(server, "postgres") as connection:
        for name in ("app", "ledger"):
            connection.execute(sa.text(f"DROP DATABASE IF EXISTS {name}"))
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
    return server


@pytest.fixture
def store():
    return MemoryStore(public_url=PUBLIC_URL)


@pytest.fixture
def sample(databases, store, tmp_path):
    """The sample table, copied into Postgres with bigint where the app has INTEGER."""
    made = make_sample_table(
        tmp_path / "sample.db", public_url=PUBLIC_URL, uploader=lambda key, data, kind: store.upload(key, data)
    )
    source = sqlite3.connect(made.path)
    columns = [row[1] for row in source.execute("PRAGMA table_info(images)")]
    table = sa.Table(
        "images",
        sa.MetaData(),
        *(
            sa.Column(name, sa.BigInteger if name in INTEGERS else sa.Text, primary_key=name == "id")
            for name in columns
        ),
    )
    with connected(databases, "app") as target:
        table.create(target)
        for row in source.execute("SELECT * FROM images"):
            values = dict(zip(columns, row, strict=True))
            values |= {name: None for name in INTEGERS if isinstance(values[name], str)}
            target.execute(sa.insert(table).values(values))
    source.close()
    return made


@pytest.fixture
def workspace(databases, sample, tmp_path):
    environment = {
        "DATABASE_URL": f"{databases}/app", "LEDGER_URL": f"{databases}/ledger", "R2_PUBLIC_URL": PUBLIC_URL,
        "DAGSTER_HOME": str(tmp_path),
    }  # fmt: skip
    workspace = Workspace(load_settings(environment, directory=tmp_path))
    yield workspace
    workspace.close()


def migrate(workspace, store):
    planned = workspace.planner().plan()
    migration = Migration(workspace.engine(), store, workspace.ledger)
    list(migration.run(Scope()))
    return planned, migration.totals


def test_every_row_state_ends_as_on_sqlite(workspace, sample, store):
    _, totals = migrate(workspace, store)
    ended = {row_id: workspace.ledger.ask.item(row_id) for row_id in sample.expected}
    assert {row_id: item and item.state.value for row_id, item in ended.items()} == {
        row_id: expected.state for row_id, expected in sample.expected.items()
    }
    assert totals.failed == totals.conflicts == 0
    again, second = migrate(workspace, store)
    assert again.planned == again.planned_again == second.planned == 0
    inventory = take_inventory(store, workspace.table, workspace.ledger, workspace.bases)
    assert (inventory.orphans, inventory.shared, inventory.problems) == ([], [], [])
    stats = collect_stats(workspace.sources(), inventory.counts(), now_ms=0)
    assert stats["total_images"] == len(sample.expected)
    assert sum(stats["states"].values()) == sum(expected.state is not None for expected in sample.expected.values())


def test_statistics_and_their_history_are_those_of_sqlite(workspace, sample, store, tmp_path):
    with closing(open_table(f"file:{sample.path}")) as table:  # a copy would do: nothing has been migrated yet
        same = Sources(table=table, ledger=workspace.ledger, bases=workspace.bases)
        on_sqlite = collect_stats(same, None, now_ms=LATER)
    on_postgres = collect_stats(workspace.sources(), None, now_ms=LATER)
    sizes = ("database", "growth", "costs", "health", "findings")
    # Postgres has no text in a column of numbers: such times are left out of the copy.
    months = {name: document["breakdowns"].pop("month") for name, document in (("s", on_sqlite), ("p", on_postgres))}
    assert sum(group["images"] for group in months["p"]) == sum(group["images"] for group in months["s"])
    assert {name: value for name, value in on_postgres.items() if name not in sizes} == {
        name: value for name, value in on_sqlite.items() if name not in sizes
    }
    assert on_postgres["database"]["limit_bytes"] is None
    assert on_postgres["database"]["bytes"] > on_postgres["base64_bytes"] / 2  # Postgres compresses texts
    migrate(workspace, store)
    inventory = take_inventory(store, workspace.table, workspace.ledger, workspace.bases)
    snapshots = workspace.ledger.snapshots
    snapshots.add_inventory(asdict(inventory.counts()), inventory.problems, now_ms=LATER, run_id=None)
    document = collect_stats(workspace.sources(), snapshots.latest_counts(), now_ms=clock_ms())
    snapshots.add_stats(document, now_ms=LATER, run_id=None)
    (kept,) = snapshots.history()
    assert (kept["total_images"], kept["r2_objects"]) == (len(sample.expected), inventory.objects)
    assert kept["monthly_cost_usd"] == document["costs"]["now"]["total"]
    assert len(snapshots.breakdowns()) == sum(map(len, document["breakdowns"].values()))
    assert snapshots.stats() == [document]
    (today,) = document["throughput"]
    assert (today["images"], today["quarantined"]) == (
        len(sample.ids(state="published")), len(sample.ids(state="quarantined")),
    )  # fmt: skip
    (kinds,) = [{kind: images for kind, images, _ in workspace.ledger.figures.content_types()}]
    assert sum(kinds.values()) == document["states"]["published"] + document["states"]["already_in_r2"]


def test_row_edited_meanwhile_is_left_alone(workspace, sample, store, databases):
    edited = sample.ids(state="published")[0]

    class EditingStore(MemoryStore):
        def upload(self, key, data, **options):
            result = super().upload(key, data, **options)
            if options["metadata"].original_id == edited:
                with connected(databases, "app") as app:
                    app.execute(
                        sa.text("UPDATE images SET image_url = :url WHERE id = :id"), {"url": NEW, "id": edited}
                    )
            return result

    _, totals = migrate(workspace, EditingStore(public_url=PUBLIC_URL))
    assert totals.conflicts == 1
    row = workspace.table.read(edited)
    assert row is not None
    assert row.get("image_url") == NEW


def test_undo_record_spells_bytea_and_text_alike(workspace, sample, store, databases):
    with connected(databases, "app") as app:
        app.execute(
            sa.text("ALTER TABLE images ALTER COLUMN image_data TYPE bytea USING convert_to(image_data, 'UTF8')")
        )
        found = app.execute(sa.text("SELECT id, image_data FROM images WHERE image_data IS NOT NULL")).all()
        before = {row_id: bytes(data) for row_id, data in found}
    migrate(workspace, store)
    with connected(databases, "ledger") as ledger:
        rows = ledger.execute(
            sa.text("SELECT image_id, object_key, originals FROM items WHERE source = 'image_data'")
        ).all()
    assert rows
    for image_id, key, originals in rows:
        form = TextForm.from_json(originals["image_data"]["form"])
        assert rebuild_text(store.download(key), form) == before[image_id]


AWKWARD = ("a-b", "a.b", "a_b", "ab", "aB", "Ab", "AB", "a-B", "B", "a0", "a--b", "-a", "_a", ".a.", "a.-b", "a_-b")


@pytest.fixture
def collated(server):
    """Databases whose order is a language's: punctuation and case count last, where S3 compares bytes."""
    with connected(server, "postgres") as connection:
        icu = connection.execute(sa.text("SELECT 1 FROM pg_collation WHERE collprovider = 'i' LIMIT 1")).first()
        if icu is None:
            pytest.skip("this Postgres has no ICU collations")
        for name in ("app", "ledger"):
            connection.execute(sa.text(f"DROP DATABASE IF EXISTS {name}"))
            connection.execute(
                sa.text(f"CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C'")
            )
    return server


def test_keys_and_ids_in_the_order_of_a_language_are_matched_in_the_order_of_bytes(
    collated, store, tmp_path, monkeypatch
):
    monkeypatch.setattr(questions, "PAGE_ITEMS", 3)
    monkeypatch.setattr(LegacyTable.heads, "__kwdefaults__", {"page_rows": 3, "after": None})
    names = [f"{name}{more}" for name in AWKWARD for more in ("", "é", "😀", " ")]
    with connected(collated, "app") as app:
        columns = "persona_id text, image_url text, image_data text, prompt text, created_at bigint"
        app.execute(sa.text(f"CREATE TABLE images (id text PRIMARY KEY, {columns})"))
        for shade, name in enumerate(names):
            app.execute(
                sa.text("INSERT INTO images VALUES (:id, :id, NULL, :data, 'p', 1757400000000)"),
                {"id": name, "data": base64_of(make_png(shade))},
            )
        by_language = app.execute(sa.text("SELECT id FROM images ORDER BY id")).scalars().all()
    assert by_language != sorted(names, key=str.encode)
    environment = {
        "DATABASE_URL": f"{collated}/app", "LEDGER_URL": f"{collated}/ledger", "R2_PUBLIC_URL": PUBLIC_URL,
        "DAGSTER_HOME": str(tmp_path),
    }  # fmt: skip
    workspace = Workspace(load_settings(environment, directory=tmp_path))
    try:
        _, totals = migrate(workspace, store)
        recorded = [found.key for found in workspace.ledger.ask.recorded_objects()]
        assert [head.id for page in workspace.table.heads() for head in page] == by_language
        assert recorded == [entry.key for entry in store.list()] == sorted(recorded, key=str.encode)
        gone, orphan = recorded[len(recorded) // 2], "images/a-b/0-orphan.png"
        store.delete(gone)
        store.upload(orphan, make_png(999))
        inventory = take_inventory(store, workspace.table, workspace.ledger, workspace.bases)
    finally:
        workspace.close()
    assert totals.migrated == len(names)
    assert (inventory.orphans, inventory.missing, len(inventory.problems)) == ([orphan], [gone], 1)


class FaceOf:
    """The public URLs of a store in memory: what R2 would serve, without a name that has to be resolved."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def get(self, url: str, *, max_bytes: int = 0) -> PublicAnswer:
        data = self._store.download(url.removeprefix(f"{PUBLIC_URL}/"))
        digests = digest(data)
        return PublicAnswer(
            status=200, size=len(data), sha256=digests.sha256, md5=digests.md5, content_type=None, cache_control=None,
            allow_origin=None,
        )  # fmt: skip


def texts(databases):
    with connected(databases, "app") as app:
        found = app.execute(sa.text("SELECT id, image_data, image_url, r2_key, migration_status FROM images")).all()
    return {row[0]: [bytes(value) if isinstance(value, memoryview) else value for value in row[1:]] for row in found}


@pytest.mark.parametrize("kind", [pytest.param("text", marks=pytest.mark.exhaustive), "bytea"])
def test_migrated_reclaimed_and_rolled_back_every_row_is_what_it_was(workspace, sample, store, databases, kind):
    if kind == "bytea":
        with connected(databases, "app") as app:
            app.execute(
                sa.text("ALTER TABLE images ALTER COLUMN image_data TYPE bytea USING convert_to(image_data, 'UTF8')")
            )
    before = texts(databases)
    migrate(workspace, store)
    means = workspace.means()
    reclaim = Reclaim(means, store, workspace.bases, FaceOf(store), after_days=0, vacuum=False)
    list(reclaim.run(take_inventory(store, workspace.table, workspace.ledger, workspace.bases)))
    assert reclaim.report.failed == 0
    assert reclaim.report.done > 20
    assert reclaim.report.after is not None
    assert reclaim.report.after.bytes > 0
    rollback = Rollback(means, store, workspace.bases, delete_objects=True)
    list(rollback.run(Chosen()))
    assert rollback.report.failed == 0
    assert rollback.report.done > reclaim.report.done
    assert texts(databases) == before
    assert rollback.report.objects_deleted > reclaim.report.done


def test_vacuum_is_left_to_postgres_itself(workspace, sample):
    with pytest.raises(TableUnusableError, match="VACUUM is for SQLite"):
        workspace.table.space.check_vacuum()


def test_rows_are_read_some_at_a_time(workspace, sample):
    """What comes is what single reads give, in fewer statements; a row that is gone is none."""
    table = workspace.table
    ids = sorted(sample.expected)
    one_by_one = {row_id: table.read(row_id) for row_id in ids}
    with connected(workspace.settings.database_url.get_secret_value().rpartition("/")[0], "app") as app:
        app.execute(sa.text("DELETE FROM images WHERE id = :id"), {"id": ids[5]})
    statements = []
    event.listen(table._reader, "before_cursor_execute", lambda *call: statements.append(call[2]))
    with table.reader() as rows:
        heads = rows.heads([*ids, "nobody"])
        assert sorted(heads) == sorted(set(ids) - {ids[5]})
        assert heads == {row_id: table.head(row_id) for row_id in heads}
        statements.clear()
        wanted = [row_id for place, row_id in enumerate(ids) if place % 3 != 1]  # a large one is skipped, say
        read = {row_id: rows.read(row_id) for row_id in wanted}
    assert read == {row_id: None if row_id == ids[5] else one_by_one[row_id] for row_id in wanted}
    assert 0 < len(statements) < len(wanted) / 10


def test_no_more_is_read_ahead_than_some_megabytes(workspace, sample, monkeypatch):
    monkeypatch.setattr(reader, "_AHEAD_BYTES", 1_000)
    ids = sorted(sample.expected)
    with workspace.table.reader() as rows:
        heads = rows.heads(ids)
        for row_id in ids:
            assert rows.read(row_id) is not None
            held = [heads[other] for other in rows._read]
            assert sum((head.data_bytes or 0) + (head.url_bytes or 0) for head in held) <= 1_000
