import json

import click
import pytest
from click.testing import CliRunner

from z_interact_assets.cli.errors import exit_code_of, print_error, reported
from z_interact_assets.cli.migrating import BRIDGED_GAP, added_up
from z_interact_assets.cli.options import plain, print_json
from z_interact_assets.cli.progress import shown_progress
from z_interact_assets.core.errors import (
    LedgerUnavailableError,
    SettingsError,
    StorageRefusedError,
    StorageUnavailableError,
    TableUnusableError,
    ZInteractError,
)
from z_interact_assets.core.ranges import batch_ranges
from z_interact_assets.execution.progress import Progress
from z_interact_assets.migrate.outcomes import Totals

KEYS = [f"b{number:06}" for number in range(1, 101)]


@pytest.mark.parametrize("character", ["\x1b", "\n", "\r", "\x7f", "\x9b", "\u202e", "\u2066", "\u200b", "\udcff"])
def test_what_a_terminal_obeys_is_replaced(character: str) -> None:
    assert plain(f"a{character}b") == "a\N{REPLACEMENT CHARACTER}b"


def test_text_in_any_script_stays() -> None:
    assert plain("Zoë 漢字 مرحبا 🦊") == "Zoë 漢字 مرحبا 🦊"


def test_json_is_ascii_and_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    document = {"id": "a\x1b[31m\u202e\x9b🦊"}
    print_json(document)
    shown = capsys.readouterr().out
    assert shown.isascii()
    assert json.loads(shown) == document


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsError(["X is not set"]), 2),
        (TableUnusableError("no table"), 2),
        (StorageRefusedError("denied"), 2),
        (StorageUnavailableError("silent"), 3),
        (LedgerUnavailableError("full"), 3),
    ],
)
def test_an_error_ends_with_its_code(error: ZInteractError, code: int) -> None:
    @click.command()
    @click.pass_context
    def failing(ctx: click.Context) -> None:
        with reported(ctx):
            raise error

    assert exit_code_of(error) == code
    ended = CliRunner().invoke(failing)
    assert ended.exit_code == code
    assert ended.stdout == ""


def test_ctrl_c_ends_with_130() -> None:
    @click.command()
    @click.pass_context
    def interrupted(ctx: click.Context) -> None:
        with reported(ctx):
            raise KeyboardInterrupt

    assert CliRunner().invoke(interrupted).exit_code == 130


def test_an_error_is_a_line_and_its_remedy_another(capsys: pytest.CaptureFixture[str]) -> None:
    print_error(TableUnusableError("No\x1b table.", remedy="Make one."))
    assert capsys.readouterr().err == "Error: No\N{REPLACEMENT CHARACTER} table.\n  Make one.\n"


def test_wrong_settings_are_listed_one_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_error(SettingsError(["A is not set", "B is no number"]))
    assert capsys.readouterr().err == "Settings:\n  - A is not set\n  - B is no number\n"


def test_small_gaps_between_pending_batches_are_bridged() -> None:
    pending = {KEYS[0]: 1, KEYS[BRIDGED_GAP + 1]: 1, KEYS[99]: 1}
    assert batch_ranges(pending, gap=BRIDGED_GAP) == [
        (KEYS[0], KEYS[BRIDGED_GAP + 1]),
        (KEYS[99], KEYS[99]),
    ]


def test_batches_that_were_asked_for_are_run_without_their_neighbours() -> None:
    pending = {KEYS[0]: 1, KEYS[1]: 1, KEYS[3]: 1}
    assert batch_ranges(pending, gap=0) == [(KEYS[0], KEYS[1]), (KEYS[3], KEYS[3])]


def test_nothing_pending_makes_no_run() -> None:
    assert batch_ranges({}, gap=BRIDGED_GAP) == []


def test_totals_of_runs_add_up() -> None:
    parts = [Totals(planned=2, migrated=1, errors=[{"image_id": "a"}]), Totals(planned=3, errors=[{"image_id": "b"}])]
    whole = added_up(parts)
    assert (whole.planned, whole.migrated, [entry["image_id"] for entry in whole.errors]) == (5, 1, ["a", "b"])


def test_progress_in_a_pipe_is_a_plain_line_every_few_seconds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("z_interact_assets.cli.progress.monotonic", lambda: now[0])
    progress = Progress(done=1, total=9, bytes=0, seconds=1, in_flight=2, window=5)
    with shown_progress("Migrating") as listen:
        for seconds in (1, 4.9, 5, 6, 9.9, 10):
            now[0] = seconds
            listen(progress)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == [f"Migrating: {progress}"] * 2
