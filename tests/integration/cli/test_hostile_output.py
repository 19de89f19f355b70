"""What strangers wrote into ids, columns and keys reaches no terminal as it is, whatever command shows it."""

from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result

from tests.integration.cli.commandline import Site
from tests.integration.cli.every_command import lines, without_arguments
from tests.support.hostile import TEXTS, obeyed_by_a_terminal
from tests.support.images import base64_of, make_png
from tests.support.sites import r2_store
from z_interact_assets.cli import main
from z_interact_assets.demo.standin import StandIn
from z_interact_assets.settings import setting_names

pytestmark = pytest.mark.exhaustive

FORGED = "Error: forged"  # a line of its own, where a line break got through
EVERYTHING = "".join(text for text in TEXTS.values() if len(text) < 1_000 and "\0" not in text)  # as one argument


class Told:
    """What every command said about a table full of hostile texts and a bucket full of hostile keys."""

    def __init__(self, site: Site, patch: pytest.MonkeyPatch) -> None:
        self.site = site
        for name in setting_names():
            patch.delenv(name, raising=False)
        for name, value in site.settings.items():
            patch.setenv(name, value)
        patch.chdir(site.folder)
        self.said: dict[str, Result] = {}

    def run(self, *arguments: str) -> Result:
        ended = CliRunner().invoke(main, list(arguments))
        assert ended.exit_code in {0, 1, 2}, (arguments, ended.output, ended.exception)
        self.said[ascii(arguments)] = ended
        return ended


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("hostile")
    with StandIn(folder / "r2") as standin, pytest.MonkeyPatch.context() as patch:
        site = Site(folder / "site", standin)
        columns = ("session_id", "persona_id", "participant_id", "prompt", "provider", "status")
        site.app.add_many([
            {"id": text, "image_data": base64_of(make_png(number + 1)), **dict.fromkeys(columns, text)}
            for number, text in enumerate(TEXTS.values()) if len(text) < 1_000
        ])  # fmt: skip
        site.app.add(EVERYTHING, image_data=base64_of(make_png(1_000)))
        site.app.add_many([{"id": f"bad {text}", "image_data": text} for text in TEXTS.values()])
        site.app.add_many([{"id": f"lost {text}", "image_url": text} for text in TEXTS.values()])
        with r2_store(standin) as store:
            for text in TEXTS.values():
                # Keys of somebody else's: ours hold letters only.
                store.client.put_object(Bucket=standin.bucket, Key=f"images/{text[:200]}", Body=b"x")
            told = Told(site, patch)
            told.run("plan")
            told.run("migrate", "--json")
            for row_id in list(TEXTS.values())[:-1:3]:
                store.delete(site.app.row(row_id)["r2_key"])
        for line in lines(EVERYTHING, folder / "backup"):
            told.run(*line)
        told.run("status", "--image-id", f"nobody {EVERYTHING}")
        told.run("migrate", "--image-id", f"nobody {EVERYTHING}", "--batch", EVERYTHING)
        yield told


def test_every_command_is_run() -> None:
    assert without_arguments() == set()


def test_no_output_holds_what_a_terminal_obeys(told: Told) -> None:
    obeyed = {name: found for name, ended in told.said.items() if (found := obeyed_by_a_terminal(ended.output))}
    assert obeyed == {}


def test_no_line_of_an_output_is_forged(told: Told) -> None:
    assert [name for name, ended in told.said.items() if FORGED in ended.output.splitlines()] == []


def test_json_is_ascii_and_holds_the_texts_as_they_are(told: Told) -> None:
    documents = [ended.stdout for name, ended in told.said.items() if "'--json'" in name]
    assert all(document.isascii() for document in documents)
    assert any("\\u001b[31mneedle" in document for document in documents)


def test_the_texts_were_shown_at_all(told: Told) -> None:
    shown = "".join(ended.output for name, ended in told.said.items() if "'--json'" not in name)
    assert shown.count("needle") > len(TEXTS)
