"""Every step against a server that keeps objects: that it does its work there, and what it asks for; never a time."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.errors import BenchError
from bench.server import Latency
from bench.steps import STEPS, KeepingServer, Result, Sizes, main, run_step
from bench.steps_sites import make_site
from z_interact_assets.storage.objects import R2Config, R2Store

pytestmark = pytest.mark.slow

ROWS = 60
SIZES = Sizes(rows=ROWS, image_bytes=300, large_rows=3, large_bytes=40_000)
ASKED = {
    "plan": {}, "plan-large": {}, "stats": {}, "inventory": {"LIST": 1}, "validate": {"HEAD": ROWS},
    "validate-full": {"GET": ROWS}, "reclaim": {"GET": ROWS + 1}, "rollback": {"GET": ROWS},
}  # fmt: skip
CHECKS = {"validate": 2, "validate-full": 2}  # HEADs of the bucket; one before each step


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def run(name: str, cache: Path, work: Path, **settings: str) -> Result:
    return run_step(name, SIZES, Latency(ms=2), cache=cache, work=work, settings=settings)


@pytest.mark.parametrize("name", STEPS)
def test_a_step_does_its_work_and_asks_for_each_object_once(name: str, cache: Path, tmp_path: Path) -> None:
    result = run(name, cache, tmp_path)
    asked = {verb: count for verb, count in result.seen.requests.items() if count}
    expected = dict(ASKED[name])
    expected["HEAD"] = expected.get("HEAD", 0) + CHECKS.get(name, 1)
    assert asked == expected
    assert result.rows == (SIZES.large_rows if name == "plan-large" else ROWS)
    assert list(tmp_path.iterdir()) == []


def test_planning_reads_no_payload(cache: Path, tmp_path: Path) -> None:
    result = run("plan-large", cache, tmp_path)
    assert result.site_bytes > SIZES.large_rows * SIZES.large_bytes
    assert result.bytes_read < SIZES.large_bytes


def test_as_many_are_in_flight_as_the_setting_says_and_no_more(cache: Path, tmp_path: Path) -> None:
    assert run("validate", cache, tmp_path, UPLOAD_CONCURRENCY="3").seen.most_in_flight == 3


def test_a_step_that_left_something_undone_does_not_count(cache: Path, tmp_path: Path) -> None:
    site = make_site("published", 7, 300, cache)
    keys = site.keys.read_text().splitlines(keepends=True)
    site.keys.write_text("".join(keys[1:]))
    sizes = Sizes(rows=7, image_bytes=300)
    with pytest.raises(BenchError, match="'valid': 6"):
        run_step("validate", sizes, Latency(), cache=cache, work=tmp_path, settings={})


def test_the_server_lists_pages_in_parts_and_forgets_what_is_deleted(cache: Path) -> None:
    site = make_site("new", 2_345, 300, cache)
    keys = site.keys.read_text().split()
    with KeepingServer(cache, site) as server:
        config = R2Config(
            endpoint_url=server.endpoint_url, bucket=server.bucket, access_key_id="a", secret_access_key="b"
        )
        with R2Store.from_config(config) as store:
            assert [entry.key for entry in store.list("images/")] == keys
            assert [entry.key for entry in store.list("images/", cuts=keys[899::900])] == keys
            assert server.seen().requests["LIST"] == 3 + 3
            assert store.delete_many(keys[:2]) == 2
            store.delete(keys[5])
            assert store.head(keys[0]) is None
            assert [entry.key for entry in store.list(keys[0][:-20])] == [*keys[2:5], *keys[6:]]
            assert store.download(keys[7]) == site.content.read_bytes()


def test_the_program_prints_a_line_a_step(cache: Path, tmp_path: Path) -> None:
    options = ["--rows", "20", "--image-bytes", "300", "--cache", str(cache), "--work-folder", str(tmp_path)]
    shown = CliRunner().invoke(main, ["plan", "stats", *options])
    assert shown.exit_code == 0, shown.output
    assert [line.split()[1] for line in shown.output.splitlines()[2:]] == ["plan", "stats"]
