"""What a round measures, and which rounds do not count."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.contenders import CONTENDERS, S5CMD, Contender, tool
from bench.datasets import DataSet, Portion, make_data_set
from bench.errors import BenchError
from bench.measuring import measure
from bench.places import in_memory, work_folder
from bench.rounds import Bench
from bench.server import Latency

pytestmark = pytest.mark.slow

CHILD = "import subprocess, sys, time; b = b'x' * 60_000_000; time.sleep(1.2)"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CHILD!r}]); print('out'); sys.exit(3)"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(cache=tmp_path_factory.mktemp("cache"), work=tmp_path_factory.mktemp("work"), sample=6)


@pytest.fixture(scope="module")
def data(bench: Bench) -> DataSet:
    return make_data_set("small", (Portion(count=20, size=3_000),), bench.cache)


def program(text: str, *, writes_table: bool = False) -> Contender:
    """A contender that is a few lines of Python."""
    return Contender(
        name="s5cmd", label="a tool", writes_table=writes_table, environment=lambda _: {},
        command=lambda around: [sys.executable, "-c", text, str(around.table), tool("s5cmd")],
    )  # fmt: skip


def test_memory_and_cpu_are_those_of_the_whole_tree(tmp_path: Path) -> None:
    measured = measure([sys.executable, "-c", PARENT], env={}, cwd=tmp_path)
    assert (measured.exit_code, measured.stdout, measured.stderr) == (3, "out\n", "")
    assert measured.tree_rss > 60_000_000 > measured.main_rss > 0
    assert measured.cpu_seconds > 0


@pytest.mark.parametrize("name", ["s5cmd", "rclone", "old"])
def test_every_tool_does_its_work_against_the_null_server(bench: Bench, data: DataSet, name: str) -> None:
    run = bench.run(CONTENDERS[name], data, Latency(), workers=4)
    images = 6 if name == "old" else 20
    assert (run.images, run.seen.requests["PUT"], run.sampled) == (images, images, name == "old")
    assert 1 <= run.seen.most_in_flight <= 4
    assert list(bench.work.iterdir()) == []


@pytest.mark.parametrize(
    ("contender", "said"),
    [
        (program("raise SystemExit('no bucket')"), "ended with 1: no bucket"),
        (program("pass"), "0 PUTs for 20 images"),
        (replace(S5CMD, writes_table=True), "0 of 20 rows were switched"),
    ],
)
def test_a_round_whose_outcome_is_wrong_does_not_count(
    bench: Bench, data: DataSet, contender: Contender, said: str
) -> None:
    with pytest.raises(BenchError) as refused:
        bench.run(contender, data, Latency(), workers=4)
    assert said in refused.value.message


def test_a_round_that_sent_other_bytes_does_not_count(bench: Bench) -> None:
    data = make_data_set("small", (Portion(count=4, size=2_000),), bench.cache)
    first = data.files / "0000000.png"
    first.write_bytes(first.read_bytes()[:-1] + b"?")
    with pytest.raises(BenchError, match="did not get the bytes"):
        bench.run(S5CMD, data, Latency(), workers=4)


def test_a_round_leaves_the_data_set_as_it_was(bench: Bench, data: DataSet) -> None:
    before = data.table.read_bytes()
    bench.run(CONTENDERS["old"], data, Latency(), workers=4)
    assert data.table.read_bytes() == before


def test_every_other_round_goes_the_other_way_round(bench: Bench, data: DataSet) -> None:
    contenders = [S5CMD, CONTENDERS["rclone"]]
    runs = bench.rounds(contenders, data, Latency(), rounds=2, workers={"s5cmd": 4, "rclone": 2})
    assert [(run.contender, run.round) for run in runs] == [("s5cmd", 0), ("rclone", 0), ("rclone", 1), ("s5cmd", 1)]
    assert [run.seen.most_in_flight <= run.workers for run in runs] == [True] * 4


def test_the_work_is_done_where_it_was_asked_for_and_leaves_nothing(tmp_path: Path) -> None:
    with work_folder(tmp_path, 1) as folder:
        assert folder.parent == tmp_path
        assert not in_memory(folder) or in_memory(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_fit_into_memory_is_done_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # what TMPDIR sets
    with work_folder(None, 10**15) as folder:
        assert folder.parent == tmp_path
