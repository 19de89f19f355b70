"""The Dagster instance that commands and UI share: a home folder, and a dagster.yaml in a home we make ourselves."""

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from z_interact_assets.core.errors import SettingsError

if TYPE_CHECKING:
    from dagster import DagsterInstance

_DAGSTERS_OWN = ("dagster.yaml", "history", "schedules", "storage")


def prepare_home(home: Path) -> None:
    """Make the folder; one that Dagster never used gets our dagster.yaml (it reads no other), else it is left alone."""
    if any((home / name).exists() for name in _DAGSTERS_OWN):
        return
    try:
        home.mkdir(parents=True, exist_ok=True)
        (home / "dagster.yaml").write_text(_instance_yaml())
    except OSError as error:
        raise SettingsError([f"DAGSTER_HOME: {home} cannot be made: {error.strerror}."]) from None


def open_instance(home: Path) -> "DagsterInstance":
    """Open the instance of this home."""
    from z_interact_assets.defs import event_log  # noqa: PLC0415 - imports dagster: 0.6 s that --help need not pay

    prepare_home(home)
    return event_log.open_instance(home)


def _instance_yaml() -> str:
    """Return dagster.yaml: packaged in a wheel, beside the package in a checkout."""
    packaged = files("z_interact_assets") / "dagster.yaml"
    if packaged.is_file():
        return packaged.read_text()
    return (Path(__file__).parents[2] / "dagster.yaml").read_text()
