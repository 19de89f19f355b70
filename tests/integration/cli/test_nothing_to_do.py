"""`migrate` where nothing is to be done: no Dagster, no run, no request; and a run as soon as there is anything."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing

import pytest
from click.testing import CliRunner

from tests.integration.cli.commandline import Site, small_environment
from tests.support.images import base64_of, make_png
from z_interact_assets.cli import main, migrating
from z_interact_assets.cli.dagster_home import open_instance
from z_interact_assets.cli.errors import FINISHED_WITH_FINDINGS, USAGE_OR_SETTINGS
from z_interact_assets.core.models import ItemState
from z_interact_assets.migrate.planner import Planner, Survey
from z_interact_assets.migrate.scope import Scope
from z_interact_assets.storage.ledger import open_ledger
from z_interact_assets.workspace import Workspace

pytestmark = pytest.mark.slow

IMAGES = 12
BAD = "bad"
TIME = re.compile(r"[\d.]+ s")
LOOK = """
import sys
from click.testing import CliRunner
from z_interact_assets.cli import main
ended = CliRunner().invoke(main, ["migrate", *sys.argv[1:]])
assert ended.exit_code == 0, ended.output
print(*sorted(set(sys.modules) & {"dagster", "boto3", "botocore", "pandas", "PIL", "obstore"}))
"""


@pytest.fixture
def done(site: Site) -> Site:
    """A site whose images are migrated; one of them was set aside, one is elsewhere."""
    site.add_images(IMAGES)
    site.app.add(BAD, image_data="%%% not base64 %%%")
    site.app.add("elsewhere", image_url="https://example.com/a.png")
    assert site.run("migrate").code == FINISHED_WITH_FINDINGS
    return site


def runs(site: Site) -> int:
    """How many runs Dagster has recorded."""
    with open_instance(site.ledger_path.parent) as instance:
        return instance.get_runs_count()


def test_nothing_to_do_is_no_run_and_no_request(done: Site) -> None:
    before = runs(done), sum(done.standin.requests.values()), done.app.as_stored()
    for arguments in ((), ("--batch", "b000001"), ("--image-id", "image-003"), ("--limit", "3"), ("--rolled-back",)):
        ended = done.run("migrate", "--json", *arguments)
        assert (ended.code, ended.stderr) == (0, "")
        document = ended.document
        assert (document.pop("errors"), document.pop("dry_run")) == ([], False)
        assert document.pop("duration_seconds") >= 0
        assert set(document.values()) == {0}
    assert (runs(done), sum(done.standin.requests.values()), done.app.as_stored()) == before


def test_nothing_to_do_imports_nothing_of_a_run(done: Site) -> None:
    environment = small_environment(done.folder, {**done.settings, "PYTHONPATH": os.pathsep.join(sys.path)})
    ended = subprocess.run(
        [sys.executable, "-c", LOOK, "--json"], cwd=done.folder, env=environment, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert ended.stdout.split() == []


def test_people_are_told_the_same_with_and_without_a_run(done: Site) -> None:
    done.app.sql("INSERT INTO images (id, persona_id, prompt, created_at) VALUES (NULL, 'p', 'a prompt', 1)")
    without = done.run("migrate")
    assert "1 rows have no text id and cannot be migrated." in without.stderr
    done.app.add("elsewhere too", image_url="https://example.com/b.png")  # planning notes it, so there is a run
    before = runs(done)
    with_run = done.run("migrate")
    assert runs(done) > before
    assert (without.code, without.remarks) == (with_run.code, with_run.remarks)
    assert TIME.sub("", without.stdout) == TIME.sub("", with_run.stdout)


def test_an_empty_table_is_nothing_to_do(site: Site) -> None:
    ended = site.run("migrate", "--json")
    assert (ended.code, ended.document["planned"]) == (0, 0)
    assert sum(site.standin.requests.values()) == 0


@pytest.mark.parametrize("strangers", [("--batch", "b000009"), ("--image-id", "nobody")])
def test_what_is_not_there_is_refused_without_a_run(done: Site, strangers: tuple[str, str]) -> None:
    before = runs(done)
    ended = done.run("migrate", *strangers)
    assert (ended.code, ended.stdout) == (USAGE_OR_SETTINGS, "")
    assert f"there is no {'batch' if 'batch' in strangers[0] else 'image'} {strangers[1]}" in ended.stderr
    assert runs(done) == before


def test_settings_must_be_complete_for_that_too(done: Site) -> None:
    ended = done.run("migrate", R2_PUBLIC_URL="")
    assert ended.code == USAGE_OR_SETTINGS
    assert "R2_PUBLIC_URL" in ended.stderr


def change(site: Site) -> None:
    site.app.set("image-003", image_data=base64_of(make_png(77)), image_url=None)


def add(site: Site) -> None:
    site.app.add("new", image_data=base64_of(make_png(78)))


def plan_again(site: Site) -> None:
    with closing(open_ledger(f"sqlite:///{site.ledger_path}")) as ledger:
        item = ledger.planning.known(["image-004"])["image-004"]
        ledger.planning.plan_again({item.item_id: "a test"}, now_ms=1, run_id=None)


def mend(site: Site) -> None:
    """What the row holds is as long as before, so that only who names it has it tried again."""
    text = site.app.row(BAD)["image_data"]
    site.app.set(BAD, image_data=base64_of(make_png(79))[: len(text)])


def roll_back(site: Site) -> None:
    assert site.run("rollback", "--image-id", "image-005").code == 0


@pytest.mark.parametrize(("prepare", "arguments", "planned"), [
    (change, (), 1),
    (add, (), 1),
    (add, ("--image-id", "new"), 1),
    (add, ("--batch", "b000001"), 0),  # planned, but of another batch
    (plan_again, (), 1),
    (plan_again, ("--batch", "b000001"), 1),
    (mend, ("--image-id", BAD), 1),
    (roll_back, ("--image-id", "image-005"), 1),
    (roll_back, ("--rolled-back",), 1),
], ids=lambda value: getattr(value, "__name__", None))  # fmt: skip
def test_whatever_is_to_be_done_is_a_run(
    done: Site, prepare: Callable[[Site], None], arguments: tuple[str, ...], planned: int
) -> None:
    prepare(done)
    before = runs(done)
    ended = done.run("migrate", "--json", *arguments)
    assert ended.document["planned"] == planned, ended.output
    assert runs(done) > before
    assert {item.state for item in done.items() if item.image_id in ("image-003", "image-004")} == {ItemState.PUBLISHED}


def test_the_table_seen_before_a_run_is_not_counted_again_but_planned_from_anew(
    done: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that comes between the look and the run is planned with those that were seen."""
    add(done)
    look_first, survey, surveys = migrating.look_first, Planner.survey, list[Planner]()

    def look_and_add(workspace: Workspace, scope: Scope) -> tuple[bool, Survey | None]:
        seen = look_first(workspace, scope)
        done.app.add("late", image_data=base64_of(make_png(80)))
        return seen

    monkeypatch.setattr(migrating, "look_first", look_and_add)
    monkeypatch.setattr(Planner, "survey", lambda planner: surveys.append(planner) or survey(planner))
    for name, value in done.settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(done.folder)
    ended = CliRunner().invoke(main, ["migrate", "--json"])
    assert ended.exit_code == 0, ended.output
    assert '"planned": 2' in ended.stdout
    assert len(surveys) == 1
