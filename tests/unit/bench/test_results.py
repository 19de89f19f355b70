from pathlib import Path
from typing import Any

import pytest

from bench.comparing import summary
from bench.goals import judge
from bench.growth import said
from bench.measuring import Measured
from bench.rounds import Run, ratios
from bench.server import Seen
from bench.tables import markdown

LIMIT = {"connections": 4, "size": 100, "requests_s": 1_000.0, "mb_s": 500.0, "times_the_fastest": 5.0}


def run(
    contender: str, number: int, seconds: float, *, images: int = 100, own: float | None = None, **other: Any
) -> Run:
    measured = Measured(
        seconds=seconds, cpu_seconds=other.get("cpu", 1.0), tree_rss=other.get("rss", 100) * 10**6, main_rss=10**6,
        exit_code=0, stdout="", stderr="",
    )  # fmt: skip
    seen = Seen(
        requests={"PUT": images, "HEAD": 0}, bytes=images * 10**6, etag_sum=0, most_in_flight=3, connections=3,
        continues=0, cpu_seconds=0.1,
    )  # fmt: skip
    return Run(
        contender=contender, round=number, images=images, bytes=seen.bytes, workers=3, load=0.5, measured=measured,
        seen=seen, own_seconds=own, sampled=images < 100,
    )  # fmt: skip


def document(runs: list[Run], scenario: str = "small-50ms", **more: Any) -> dict[str, Any]:
    names = dict.fromkeys(each.contender for each in runs)
    entry = {
        "scenario": scenario, "data": "100 x 1 MB", "images": 100, "bytes": 10**8, "latency_ms": 50, "jitter": "",
        "rounds": 3, "work_folder": "memory", "server_limit": LIMIT,
        "contenders": [summary(runs, name) for name in names],
    }  # fmt: skip
    about = {"date": "2026-01-01", "machine": {"cores": 2}, "versions": {"s5cmd": "v2"}}
    return {**about, "settings": {}, "scenarios": [entry], **more}


def test_a_ratio_is_of_two_runs_of_one_round() -> None:
    runs = [run("s5cmd", 0, 10), run("s5cmd", 1, 20), run("migrate", 1, 10), run("migrate", 0, 20)]
    assert sorted(ratios(runs, "migrate", "s5cmd")) == [0.5, 2.0]


def test_a_summary_has_the_median_and_the_spread_of_the_pairs_ratios() -> None:
    runs = [run("s5cmd", n, 10) for n in range(3)] + [run("migrate", n, s) for n, s in enumerate((10, 5, 2.5))]
    assert summary(runs, "migrate")["ratios"]["s5cmd"] == {"median": 2.0, "lowest": 1.0, "highest": 4.0}


def test_a_sample_counts_by_its_own_clock_and_a_whole_run_by_that_of_its_process() -> None:
    assert run("old", 0, 10, images=10, own=5).images_s == 2
    assert run("migrate", 0, 10, own=5).images_s == 10
    assert run("migrate", 0, 10, own=5).own_images_s == 20


@pytest.mark.parametrize(("seconds", "reached"), [(8.0, True), (9.0, False)])
def test_a_goal_is_reached_or_not_by_the_median(seconds: float, *, reached: bool) -> None:
    runs = [run("s5cmd", 0, 10), run("migrate", 0, seconds)]
    (verdict,) = [one for one in judge(document(runs)) if one.goal == "migrate against s5cmd"]
    assert verdict.reached is reached


def test_dagsters_goal_is_a_ratio_of_times() -> None:
    (verdict,) = [one for one in judge(document([run("service", 0, 10), run("migrate", 0, 12)])) if "bare" in one.goal]
    assert verdict.value == pytest.approx(1.2)
    assert not verdict.reached


def test_goals_of_what_was_not_run_are_not_judged() -> None:
    judged = judge(document([run("s5cmd", 0, 10), run("service", 0, 10)], scenario="large-0ms"))
    assert judged == []


def test_too_much_memory_and_too_much_cpu_are_not_reached() -> None:
    runs = [run("s5cmd", 0, 10, cpu=1.0), run("migrate", 0, 10, cpu=1.4, rss=251)]
    verdicts = {one.goal: one.reached for one in judge(document(runs, scenario="large-0ms"))}
    assert verdicts == {
        "migrate against s5cmd": True,
        "peak RSS of migrate, MB": False,
        "CPU seconds a GB against s5cmd's": False,
    }


def grown(rows: int, seconds: float, rss: float, requests: int = 0) -> dict[str, Any]:
    return {
        "rows": rows, "plan_s": 0.1, "service_s": seconds, "service_rss_mb": rss, "migrate_s": seconds + 2,
        "migrate_own_s": seconds, "migrate_rss_mb": rss, "again_s": 2.0, "again_own_s": 1.0,
        "again_requests": requests, "ledger_mb": 1.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (grown(1_000, 10, 101), ("linear or better", "(flat)")),
        (grown(1_000, 30, 200), ("more than linear", "not flat")),
    ],
)
def test_growth_says_whether_time_is_linear_and_memory_flat(last: dict[str, Any], words: tuple[str, str]) -> None:
    sentence = said([grown(100, 1, 100), last])
    assert all(word in sentence for word in words)


def test_a_second_run_that_sends_a_request_did_not_reach_its_goal() -> None:
    growth = {"image_bytes": 1, "batch_size": 1, "said": "", "results": [grown(1, 1, 1), grown(9, 9, 1, requests=1)]}
    verdicts = judge({"growth": growth})
    assert [one.reached for one in verdicts] == [True, True, False]


def test_the_markdown_has_machine_versions_every_contender_and_the_goals(tmp_path: Path) -> None:
    runs = [run("s5cmd", 0, 10), run("migrate", 0, 8), run("old", 0, 90, images=9, own=45)]
    text = markdown(document(runs))
    for words in ("cores 2", "s5cmd v2", "| migrate, as users run it | 12.5 |", "1.25 (1.25-1.25)",
                  "algorithm (9 images)", "| reached |", "5.0 times the fastest"):  # fmt: skip
        assert words in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {7, 10}
