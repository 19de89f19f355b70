import pytest

from bench.datasets import Portion
from bench.errors import BenchError
from bench.scenarios import DEFAULT, FULL, Sizes, parse_portion, parse_scenario


@pytest.mark.parametrize("text", sorted({*DEFAULT, *FULL, "mix-0.5ms"}))
def test_a_scenario_is_a_data_set_under_a_latency(text: str) -> None:
    data, _, latency = text.removesuffix("ms").partition("-")
    scenario = parse_scenario(text, jitter="normal", jitter_ms=3, seed=11)
    assert (scenario.data, scenario.latency.ms) == (data, float(latency))
    assert (scenario.latency.jitter, scenario.latency.jitter_ms, scenario.latency.seed) == ("normal", 3, 11)


@pytest.mark.parametrize("text", ["", "small", "tiny-50ms", "small-50", "small--1ms", "small-50ms "])
def test_anything_else_is_no_scenario(text: str) -> None:
    with pytest.raises(BenchError):
        parse_scenario(text)


@pytest.mark.parametrize(
    ("text", "count", "size"),
    [("5000x50KB", 5_000, 50_000), ("400x1.6MB", 400, 1_600_000), ("3 x 700", 3, 700), ("1x1b", 1, 1)],
)
def test_a_size_is_a_number_of_images_and_their_bytes(text: str, count: int, size: int) -> None:
    assert parse_portion(text) == Portion(count=count, size=size)


@pytest.mark.parametrize("text", ["", "5000", "0x50KB", "5x50GB", "-5x50KB", "axb"])
def test_anything_else_is_no_size(text: str) -> None:
    with pytest.raises(BenchError):
        parse_portion(text)


def test_a_mix_is_half_of_each() -> None:
    small, large = Portion(count=10, size=1_000), Portion(count=4, size=9_000)
    mixed = Sizes(small=small, large=large).portions("mix")
    assert mixed == (Portion(count=5, size=1_000), Portion(count=2, size=9_000))
