"""Installations to test on: an empty one, and a migrated one that is made once and copied."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import dagster as dg
import pytest

from tests.integration.dagster.installation import REPOSITORY, Installation, failures
from z_interact_assets.core.models import ImageMetadata
from z_interact_assets.demo.shapes import create_table
from z_interact_assets.demo.standin import StandIn
from z_interact_assets.demo.standin_app import Faults
from z_interact_assets.settings import setting_names
from z_interact_assets.storage.ledger import open_ledger
from z_interact_assets.storage.objects import R2Store

Install = Callable[[Faults | None], Installation]


@pytest.fixture(scope="session")
def new_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an empty table, an empty ledger and empty Dagster storage: making them takes longer than a test."""
    folder = tmp_path_factory.mktemp("new")
    home = folder / "home"
    home.mkdir()
    shutil.copy(REPOSITORY / "dagster.yaml", home)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        instance.get_runs()
        instance.get_dynamic_partitions("migration_batch")
    open_ledger(f"sqlite:///{home / 'ledger.db'}").close()
    with closing(sqlite3.connect(folder / "local.db")) as connection:
        create_table(connection, "full")
    return folder


@pytest.fixture
def install(tmp_path: Path, new_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Make an installation with an empty table and a stand-in of its own, with faults."""
    with ExitStack() as parts:

        def make(faults: Faults | None = None) -> Installation:
            standin = parts.enter_context(StandIn(tmp_path / "r2", faults=faults))
            store = parts.enter_context(connect(standin))
            return copied(new_home, tmp_path, standin=standin, store=store, parts=parts, patch=monkeypatch)

        yield make


@pytest.fixture
def installation(install: Install) -> Installation:
    """An installation with an empty table whose stand-in works."""
    return install(None)


@pytest.fixture
def migrated(
    tmp_path: Path, migration: tuple[Path, StandIn, R2Store], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installation]:
    """Seven images in three batches, migrated. The stand-in is shared; its objects are put back afterwards."""
    folder, standin, store = migration
    originals = {found.key: store.download(found.key) for found in store.list("images/")}
    described = {key: found.metadata for key in originals if (found := store.head(key))}
    with ExitStack() as parts:
        yield copied(folder, tmp_path, standin=standin, store=store, parts=parts, patch=monkeypatch)
    standin.start()
    restore(store, originals, described)


@pytest.fixture(scope="session")
def migration(tmp_path_factory: pytest.TempPathFactory, new_home: Path) -> Iterator[tuple[Path, StandIn, R2Store]]:
    """The migrated installation that is copied, with its running stand-in."""
    folder = tmp_path_factory.mktemp("migrated")
    with StandIn(folder / "r2") as standin, connect(standin) as store:
        with ExitStack() as parts, pytest.MonkeyPatch.context() as patch:
            made = copied(new_home, folder, standin=standin, store=store, parts=parts, patch=patch)
            made.add_rows(7)
            made.plan()
            assert not failures(made.migrate())
        yield folder, standin, store


def copied(
    source: Path, folder: Path, *, standin: StandIn, store: R2Store, parts: ExitStack, patch: pytest.MonkeyPatch
) -> Installation:
    """Copy home and table, and make them this process's settings, and its only ones."""
    shutil.copytree(source / "home", folder / "home")
    shutil.copy(source / "local.db", folder)
    for name in setting_names():
        patch.delenv(name, raising=False)
    settings = {"DAGSTER_HOME": str(folder / "home"), "DATABASE_URL": "file:local.db", **standin.environment()}
    for name, value in settings.items():
        patch.setenv(name, value)
    patch.chdir(folder)
    instance = parts.enter_context(dg.DagsterInstance.from_config(str(folder / "home")))
    return parts.enter_context(closing(Installation(folder, standin, store, instance)))


def connect(standin: StandIn) -> R2Store:
    return R2Store.connect(
        bucket=standin.bucket,
        access_key_id=standin.access_key_id,
        secret_access_key=standin.secret_access_key,
        endpoint_url=standin.endpoint_url,
        public_url=standin.public_url,
    )


def restore(store: R2Store, originals: dict[str, bytes], described: dict[str, ImageMetadata]) -> None:
    present = {found.key for found in store.list("images/")}
    store.delete_many(present - originals.keys())
    for key, data in originals.items():
        if key not in present or store.download(key) != data:
            store.upload(key, data, metadata=described[key], overwrite=True)
