"""`bench`: how fast it is, beside other tools. What is measured and how lives in the repository's folder bench/."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from z_interact_assets.cli.options import examples
from z_interact_assets.core.errors import SettingsError

_ROOT = Path(__file__).parents[3]


@examples("z-interact-assets bench growth", "z-interact-assets bench growth 500 5000 50000")
@click.command(short_help="Time and memory by the number of rows.")
@click.argument("rows", nargs=-1, type=click.IntRange(min=1))
@click.option("--image-bytes", type=click.IntRange(min=200), default=5_000, show_default=True, help="Of each image.")
@click.option("--batch-size", type=click.IntRange(min=1), default=100, show_default=True, help="Rows a batch.")
@click.option("--cache", type=click.Path(file_okay=False, path_type=Path), default=Path(".bench"), show_default=True)
@click.option("--work-folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("bench-results"),
              show_default=True)  # fmt: skip
def growth(**options: Any) -> None:
    """Migrate tables of ROWS small images (1,000, 10,000 and 100,000), each in a process of its own, then again.

    Time should grow with the rows, memory should not, and the second run should find nothing to do.
    """
    _program().run_growth(**options)


@examples(
    "z-interact-assets bench",
    "z-interact-assets bench --full",
    "z-interact-assets bench --scenario small-50ms --scenario large-0ms --rounds 5",
    "z-interact-assets bench --small 500x50KB --contender service --contender s5cmd",
    "z-interact-assets bench growth 1000 10000",
)
@click.group(invoke_without_command=True, commands=[growth], short_help="Measure the speed, beside other tools.")
@click.option("--scenario", "scenarios", multiple=True, metavar="DATA-LATENCY",
              help="small, large or mix, and a latency (again for more).")  # fmt: skip
@click.option("--full", is_flag=True, help="Every scenario of the goals, and growth; takes half an hour.")
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True, help="Rounds of each scenario.")
@click.option("--contender", "contenders", multiple=True, metavar="NAME",
              help="migrate, service, s5cmd, rclone or old (again for more). [default: all]")  # fmt: skip
@click.option("--small", default="5000x50KB", show_default=True, metavar="NxSIZE", help="The small images.")
@click.option("--large", default="400x1.6MB", show_default=True, metavar="NxSIZE", help="The large images.")
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="s5cmd's workers. [default: the best of some]")
@click.option("--sample", type=click.IntRange(min=1), default=100, show_default=True, metavar="N",
              help="Rows the old service's algorithm is given.")  # fmt: skip
@click.option("--jitter", type=click.Choice(["none", "normal", "uniform"]), default="none", show_default=True,
              help="How the latency varies.")  # fmt: skip
@click.option("--jitter-ms", type=click.FloatRange(min=0), default=0.0, show_default=True, metavar="MS",
              help="Its standard deviation, or half its range.")  # fmt: skip
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE",
              help="A setting for our contenders, such as UPLOAD_CONCURRENCY=64.")  # fmt: skip
@click.option("--profile", is_flag=True, help="Also write where the service's time goes, by pyinstrument.")
@click.option("--cache", type=click.Path(file_okay=False, path_type=Path), default=Path(".bench"), show_default=True,
              help="Where data sets and compiled programs are kept.")  # fmt: skip
@click.option("--work-folder", type=click.Path(file_okay=False, path_type=Path),
              help="Where tables are migrated. [default: /dev/shm if it has room, else TMPDIR]")  # fmt: skip
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("bench-results"),
              show_default=True, help="Where the JSON and the Markdown go.")  # fmt: skip
@click.pass_context
def bench(ctx: click.Context, **options: Any) -> None:
    """Measure how fast `migrate` is beside s5cmd, rclone and the old service's algorithm, on made-up data.

    Everything runs on this machine against a server that keeps nothing and answers after a latency you choose. No
    setting of yours is read, no other machine is contacted. Needs a checkout, a C compiler, s5cmd and rclone.
    """
    if ctx.invoked_subcommand is None:
        _program().run_comparison(**options)


def _program() -> Any:
    if not (_ROOT / "bench" / "program.py").is_file():
        error = SettingsError(["The benchmark is not part of the installed package."])
        error.remedy = "Clone the repository, and run `make bench` there."
        raise error
    if str(_ROOT) not in sys.path:
        sys.path.append(str(_ROOT))
    return import_module("bench.program")
