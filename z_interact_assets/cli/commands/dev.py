"""`dev`: the Dagster UI on the demo's home, with the stand-in for R2 beside it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import click

from z_interact_assets.cli.options import examples


@examples("z-interact-assets dev", "z-interact-assets dev --port 3333")
@click.command(short_help="Open the Dagster UI on the demo's data.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".demo"),
    show_default=True,
    help="The demo's folder.",
)
@click.option("--port", type=click.IntRange(1, 65_535), default=3000, show_default=True, help="Port of the UI.")
@click.pass_context
def dev(ctx: click.Context, *, folder: Path, port: int) -> None:
    """Open the Dagster UI on the demo's data, its runs included, with the local stand-in for R2.

    Your own settings are not used. For the UI on your own bucket and table: `dagster dev -w workspace.yaml` with
    DAGSTER_HOME set (see the README).
    """
    from z_interact_assets.cli.dagster_home import prepare_home  # noqa: PLC0415 - see app
    from z_interact_assets.cli.demo_home import demo_home  # noqa: PLC0415 - imports moto

    with demo_home(folder) as home:
        home.make_sample(rows=300)
        prepare_home(home.settings().home)
        click.echo(f"Dagster UI: http://127.0.0.1:{port}   (Ctrl-C ends it)")
        ctx.exit(_serve(home.folder, home.environment, port))


def _serve(folder: Path, environment: dict[str, str], port: int) -> int:
    from z_interact_assets.settings import setting_names  # noqa: PLC0415 - see app

    # The folder's own .env is the one `dagster dev` reads there, and it holds the same values; a setting of the
    # caller's (a production LEDGER_URL, say) must not slip in beside them.
    inherited = {name: value for name, value in os.environ.items() if name not in setting_names()}
    command = [sys.executable, "-m", "dagster", "dev", "-m", "z_interact_assets.definitions", "-h", "127.0.0.1",
               "-p", str(port)]  # fmt: skip
    child = subprocess.Popen(command, cwd=folder, env={**inherited, **environment})  # noqa: S603 - our own words only
    handler = signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    try:
        return child.wait()
    except KeyboardInterrupt:
        return child.wait()  # the terminal sent it Ctrl-C as well
    finally:
        signal.signal(signal.SIGTERM, handler)
        if child.poll() is None:
            child.terminate()
