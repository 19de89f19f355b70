"""`dev`: the Dagster UI on the demo's home, with the stand-in for R2 beside it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import click

from z_interact_assets.cli.options import demo_folder, examples

LEFTOVERS_S = 3.0  # how long they may take to end by themselves

_WORKSPACE = """load_from:
  - python_module:
      module_name: z_interact_assets.definitions
      location_name: z_interact_assets
"""


@examples("z-interact-assets dev", "z-interact-assets dev --port 3333")
@click.command(short_help="Open the Dagster UI on the demo's data.")
@demo_folder
@click.option("--port", type=click.IntRange(1, 65_535), default=3000, show_default=True, help="Port of the UI.")
@click.pass_context
def dev(ctx: click.Context, *, folder: Path, port: int) -> None:
    """Open the Dagster UI on the demo's data, its runs included, with the local stand-in for R2.

    Your own settings are not used. For the UI on your own bucket and table: `dagster dev -w workspace.yaml` with
    DAGSTER_HOME set (see the README).
    """
    from z_interact_assets.cli.dagster_home import prepare_home  # noqa: PLC0415 - see app
    from z_interact_assets.cli.demo_home import demo_home, refuse_other_folders  # noqa: PLC0415 - imports moto

    refuse_other_folders(folder)
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
    # A workspace file, since -m would name the code location after the module: Dagster would then not know the runs of
    # the command line as runs of its jobs.
    workspace = folder / "workspace.yaml"
    workspace.write_text(_WORKSPACE)
    command = [sys.executable, "-m", "dagster", "dev", "-w", str(workspace), "-h", "127.0.0.1", "-p", str(port)]
    with _signals_forwarded() as forwarding:
        # A session of its own: else a terminal's Ctrl-C would reach all of Dagster's processes at once, which their
        # parent has to end in order; and whatever is left in the end can be told by it.
        forwarding.child = subprocess.Popen(  # noqa: S603 - our own words only
            command, cwd=folder, env={**inherited, **environment}, start_new_session=True
        )
        try:
            code = forwarding.child.wait()
        finally:
            forwarding.end_the_rest()
    return 0 if forwarding.asked else code


@dataclass
class _Forwarding:
    """Asks the child to end when we are asked to, and kills it with all of its own when we are asked again."""

    child: "subprocess.Popen[bytes] | None" = None
    asked: bool = False

    def __call__(self, *_: object) -> None:
        if self.child is None:
            raise KeyboardInterrupt
        if self.asked:
            self.signal_group(signal.SIGKILL)
        else:
            self.asked = True
            self.child.send_signal(signal.SIGINT)

    def signal_group(self, number: signal.Signals) -> bool:
        """Signal the child's whole process group; False if nobody is left in it."""
        try:
            if self.child is not None:
                os.killpg(self.child.pid, number)
        except ProcessLookupError:
            return False
        return self.child is not None

    def end_the_rest(self) -> None:
        """End what the child left: Dagster's code servers wait up to 45 s for a heartbeat that no longer comes."""
        deadline = monotonic() + LEFTOVERS_S
        while self.signal_group(signal.SIGTERM) and monotonic() < deadline:
            sleep(0.1)
        self.signal_group(signal.SIGKILL)


@contextmanager
def _signals_forwarded() -> Iterator[_Forwarding]:
    # Set before the child starts: it inherits what a script's `&` has done to SIGINT, to ignore it, but no handler.
    forwarding = _Forwarding()
    before = {number: signal.signal(number, forwarding) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield forwarding
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
