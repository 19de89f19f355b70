from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.cli.commandline import NewSite, Site
from z_interact_assets.demo.standin import StandIn
from z_interact_assets.demo.standin_app import Faults


@pytest.fixture
def new_site(tmp_path: Path) -> Iterator[NewSite]:
    """Make a site whose bucket may misbehave."""
    with ExitStack() as running:

        def make(faults: Faults | None = None) -> Site:
            standin = running.enter_context(StandIn(tmp_path / "r2", faults=faults))
            return Site(tmp_path / "site", standin)

        yield make


@pytest.fixture
def site(new_site: NewSite) -> Site:
    """A site whose bucket works."""
    return new_site()
