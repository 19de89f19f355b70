"""What every command starts with: the settings, and the things they name, closed at the end."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import SecretStr

from z_interact_assets.settings import Settings, load_settings
from z_interact_assets.storage.ledger import ledger_exists
from z_interact_assets.workspace import Workspace


@contextmanager
def opened(settings: Settings | None = None, *, create_ledger: bool = True) -> Iterator[Workspace]:
    """Yield a workspace of these settings, by default of the environment's."""
    workspace = Workspace(settings or load_settings(), create_ledger=create_ledger)
    try:
        yield workspace
    finally:
        workspace.close()


@contextmanager
def opened_without_a_trace() -> Iterator[Workspace]:
    """Yield a workspace that leaves nothing behind: where there is no ledger yet, an empty one that is thrown away."""
    settings = load_settings()
    with tempfile.TemporaryDirectory(prefix="z-interact-dry-run-") as folder:
        if not ledger_exists(settings.ledger_url.get_secret_value()):
            settings = settings.model_copy(update={"ledger_url": SecretStr(f"sqlite:///{folder}/ledger.db")})
        with opened(settings) as workspace:
            yield workspace
