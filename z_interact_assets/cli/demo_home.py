"""The folder of the demo: sample table, stand-in for R2, Dagster home. `demo` and `dev` share it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from z_interact_assets.demo.sample import make_sample_table
from z_interact_assets.demo.standin import StandIn
from z_interact_assets.settings import Settings, load_settings
from z_interact_assets.storage.objects import R2Config, R2Store

DEFAULT_FOLDER = Path(".demo")


class DemoHome:
    """One demo folder with its stand-in running."""

    def __init__(self, folder: Path, standin: StandIn) -> None:
        self.folder = folder
        self.standin = standin

    @property
    def environment(self) -> dict[str, str]:
        """The settings of the demo, as environment variables."""
        return {
            "DATABASE_URL": f"file:{self.folder / 'local.db'}",
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
        path.write_text("".join(f"{name}='{value}'\n" for name, value in self.environment.items()))


@contextmanager
def demo_home(folder: Path) -> Iterator[DemoHome]:
    """Start (or attach to) the folder's stand-in and yield the demo."""
    folder = folder.resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with StandIn(folder / "r2") as standin:
        home = DemoHome(folder, standin)
        home.write_dotenv()
        yield home
