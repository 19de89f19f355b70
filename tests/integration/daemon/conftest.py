"""One deployment for a file's tests: starting one takes longer than most of them, an idle one takes time, too."""

from collections.abc import Iterator

import pytest

from tests.integration.daemon.rig import BATCH_SIZE, Rig, Tap
from tests.support.deployment import Deployment
from tests.support.tables import AppTable
from z_interact_assets.demo.standin import StandIn


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("deployment")
    AppTable(folder / "local.db")
    tap = Tap()
    with StandIn(folder / "r2", faults=tap) as standin:
        settings = {
            **standin.environment(),
            "DATABASE_URL": "file:local.db",
            "MIGRATION_BATCH_SIZE": str(BATCH_SIZE),
            "UPLOAD_CONCURRENCY": "2",
        }
        with Deployment(folder, settings) as deployment:
            made = Rig(folder, deployment, standin, tap)
            try:
                yield made
            finally:
                made.close()
