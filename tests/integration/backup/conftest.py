import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.backup.shelf import make_sample
from tests.support.sites import PUBLIC_URL, Site
from tests.support.stores import HookedStore
from tests.support.tables import AppTable


@pytest.fixture
def app(tmp_path: Path) -> AppTable:
    """An empty table of the full shape."""
    return AppTable(tmp_path / "local.db")


@pytest.fixture
def site(tmp_path: Path, app: AppTable) -> Iterator[Site]:
    """The table with a store in memory."""
    with closing(Site(tmp_path, app)) as made:
        yield made


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, HookedStore]:
    """Two folders: a table with every row state the real one has, and the same migrated; and the bucket of both."""
    folder, store = tmp_path_factory.mktemp("samples"), HookedStore(public_url=PUBLIC_URL)
    (folder / "new").mkdir()
    make_sample(folder / "new" / "local.db", store)
    shutil.copytree(folder / "new", folder / "migrated")
    with closing(Site(folder / "migrated", AppTable(folder / "migrated" / "local.db"), store)) as made:
        made.migrate()
    return folder, store


@pytest.fixture
def sample(tmp_path: Path, samples: tuple[Path, HookedStore]) -> Iterator[Site]:
    """A table with every row state, not migrated."""
    yield from _copied("new", tmp_path, samples)


@pytest.fixture
def migrated(tmp_path: Path, samples: tuple[Path, HookedStore]) -> Iterator[Site]:
    """The same after its migration."""
    yield from _copied("migrated", tmp_path, samples)


def _copied(name: str, target: Path, samples: tuple[Path, HookedStore]) -> Iterator[Site]:
    folder, store = samples
    shutil.copytree(folder / name, target, dirs_exist_ok=True)
    with closing(Site(target, AppTable(target / "local.db"), store)) as made:
        yield made


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """Where a backup is to go; not there yet."""
    return tmp_path / "shelf" / "backup"
