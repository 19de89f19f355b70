"""The same race on a Postgres server."""

from contextlib import closing

import pytest
import sqlalchemy as sa

from tests.live.oracle import Oracle
from tests.live.test_racing import judge, race
from tests.support.postgres import find_binary, postgres
from tests.support.sites import Site, r2_store
from z_interact_assets.demo.shapes import SHAPES
from z_interact_assets.demo.standin import StandIn

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_binary("initdb") is None, reason="no Postgres server here: apt-get install postgresql"),
]


class ServerTable:
    """The app's table on a server, as far as a Site asks for it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = sa.create_engine(url)
        columns = ", ".join(f"{name} {kind.replace('INTEGER', 'BIGINT')}" for name, kind in SHAPES["full"].items())
        with self._engine.begin() as connection:
            connection.execute(sa.text(f"CREATE TABLE images ({columns})"))

    def rows(self) -> dict[str, dict[str, object]]:
        """All rows by id."""
        with self._engine.connect() as connection:
            return {row["id"]: dict(row) for row in connection.execute(sa.text("SELECT * FROM images")).mappings()}

    def close(self) -> None:
        """Give back connections."""
        self._engine.dispose()


@pytest.mark.exhaustive
def test_an_app_on_a_server_loses_nothing_either(tmp_path):
    with (
        postgres() as server,
        StandIn(tmp_path / "standin") as standin,
        closing(ServerTable(f"{server}/postgres")) as app,
        closing(Site(tmp_path, app, r2_store(standin), batch_size=7)) as site,  # pyright: ignore[reportArgumentType]
    ):
        journal, done = race(site, tmp_path, writes=400, url=app.url)
        judge(Oracle(journal, app.rows(), site), journal, done)
        assert journal.summary()["refused"] == 0
