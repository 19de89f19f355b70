"""The fuzzer itself works: it runs every target, and it stops at what breaks a rule."""

from pathlib import Path

import pytest

from tests.fuzz import by_chance
from tests.fuzz.by_chance import Finding
from tests.fuzz.mutations import with_right_checksums
from tests.fuzz.targets import TARGETS
from tests.support.image_files import make_samples

A_FEW = 150


@pytest.mark.parametrize("target", TARGETS)
def test_a_few_inputs_by_chance_break_no_rule(tmp_path: Path, target: str) -> None:
    assert by_chance.run(target, tmp_path, seconds=60, most=A_FEW) == A_FEW
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [ValueError("no error of ours"), MemoryError(), RecursionError()])
def test_a_strangers_exception_is_a_finding_kept_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(data: bytes) -> None:
        if data.startswith(b"GIF8"):
            raise error

    monkeypatch.setattr(by_chance, "TARGETS", {"image": fail})
    with pytest.raises(Finding) as caught:
        by_chance.run("image", tmp_path, seconds=60, most=A_FEW)
    assert caught.value.path.read_bytes().startswith(b"GIF8")


@pytest.mark.slow
def test_an_input_that_takes_too_long_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never_end(_: bytes) -> None:
        while True:
            pass

    monkeypatch.setattr(by_chance, "TARGETS", {"image": never_end})
    monkeypatch.setattr(by_chance, "SECONDS_EACH", 1)
    with pytest.raises(Finding, match="more than 1 s"):
        by_chance.run("image", tmp_path, seconds=60, most=A_FEW)


def test_a_png_gets_its_checksums_right_and_others_stay() -> None:
    samples = make_samples()
    assert with_right_checksums(samples["png"][:-1] + b"!") == samples["png"]
    assert with_right_checksums(samples["gif"]) == samples["gif"]
