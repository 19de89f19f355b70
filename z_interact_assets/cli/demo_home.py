"""The folder of the demo: sample table, stand-in for R2, Dagster home. `demo` and `dev` share it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import click

from z_interact_assets.demo.sample import make_sample_table
from z_interact_assets.demo.standin import StandIn
from z_interact_assets.demo.standin_state import CREDENTIALS_FILE
from z_interact_assets.settings import Settings, load_settings
from z_interact_assets.storage.objects import R2Config, R2Store

_STANDIN = "r2"


class DemoHome:
    """One demo folder with its stand-in running."""

    def __init__(self, folder: Path, standin: StandIn) -> None:
        self.folder = folder
        self.standin = standin

    @property
    def environment(self) -> dict[str, str]:
        """The settings of the demo, as environment variables."""
        return {
            "DATABASE_URL": f"file:{quote(str(self.folder / 'local.db'))}",
            "DAGSTER_HOME": str(self.folder / "home"),
            **self.standin.environment(),
        }

    def settings(self) -> Settings:
        """The same, loaded; nothing of the caller's environment is in them."""
        return load_settings(self.environment, directory=self.folder)

    def make_sample(self, *, rows: int) -> bool:
        """Draw the sample table unless it is there already; whether it was drawn now."""
        table = self.folder / "local.db"
        if table.exists():
            return False
        with R2Store.from_config(
            R2Config(
                endpoint_url=self.standin.endpoint_url,
                bucket=self.standin.bucket,
                access_key_id=self.standin.access_key_id,
                secret_access_key=self.standin.secret_access_key,
            )
        ) as store:
            make_sample_table(
                table,
                public_url=self.standin.public_url,
                uploader=lambda key, data, kind: store.upload(key, data, content_type=kind) and None,
                rows=rows,
            )
        return True

    def write_dotenv(self) -> None:
        """Write the settings into the folder's .env, for commands started there; readable by this user alone."""
        path = self.folder / ".env"
        path.touch(mode=0o600)
        path.write_text("".join(f"{name}='{_quoted(value)}'\n" for name, value in self.environment.items()))


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


def refuse_other_folders(folder: Path) -> None:
    """Refuse a folder with anything in it but a demo: its local.db would be migrated, its .env overwritten."""
    present = {path.name for path in folder.iterdir()} if folder.is_dir() else set[str]()
    if present - {_STANDIN} and not (folder / _STANDIN / CREDENTIALS_FILE).is_file():
        raise click.BadParameter(f"{folder} holds other files and no demo; it is left as it is.", param_hint="--folder")


def remove_demo(folder: Path) -> None:
    """Remove an earlier demo, and nothing else that may be beside it."""
    for name in (_STANDIN, "home"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in ("local.db", ".env", "workspace.yaml"):
        (folder / name).unlink(missing_ok=True)


@contextmanager
def demo_home(folder: Path) -> Iterator[DemoHome]:
    """Start (or attach to) the folder's stand-in and yield the demo."""
    folder = folder.resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with StandIn(folder / _STANDIN) as standin:
        home = DemoHome(folder, standin)
        home.write_dotenv()
        yield home
