"""`--json`: one document with the keys of the contract on stdout, nothing else; a story told once, each step read."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType
from typing import Any

import pytest
from click.testing import CliRunner

from tests.integration.cli.commandline import Result, Site
from tests.support.images import base64_of, data_url_of, make_png
from z_interact_assets.cli import main
from z_interact_assets.demo.standin import StandIn

pytestmark = pytest.mark.slow  # a dozen processes; test_demo runs the same commands in one

IMAGES = 12
HOSTILE_ID = "evil\x1b[31m\n\u202ered\x9b2J"

INT, TEXT, YES, MAYBE = int, str, bool, (int, NoneType)
PLAN = {
    "batches": INT, "images": INT, "bytes": INT, "quarantined": list, "duplicates": INT, "external": INT,
    "imageless": INT, "already_in_r2": INT, "estimate": dict,
}  # fmt: skip
ONLY_READING_TELLS = ("bytes", "quarantined", "duplicates", "already_in_r2", "estimate")
QUICK_PLAN = {**PLAN, **dict.fromkeys(ONLY_READING_TELLS, NoneType)}
MIGRATION = {
    "planned": INT, "migrated": INT, "already_stored": INT, "quarantined": INT, "conflicts": INT, "failed": INT,
    "skipped": INT, "bytes_uploaded": INT, "objects_written": INT, "batches": INT, "duration_seconds": float,
    "dry_run": YES, "errors": list,
}  # fmt: skip
VALIDATION = {
    "is_valid": YES, "checked": INT, "valid": INT, "missing": list, "corrupted": list, "orphaned": list,
    "unreachable": list, "mode": TEXT,
}  # fmt: skip
STATS = {
    "total_images": INT, "r2_images": INT, "base64_images": INT, "mixed_images": INT, "imageless_images": INT,
    "external_images": INT, "quarantined_images": INT, "r2_objects": INT, "r2_bytes": INT, "base64_bytes": INT,
    "orphan_objects": INT, "missing_objects": INT, "health": dict, "generated_at": TEXT,
}  # fmt: skip
STATUS = {
    "batches": INT, "batches_pending": INT, "next_batch": (str, NoneType), "states": dict,
    "quarantined_by_reason": dict,
}  # fmt: skip
# Beyond the contract; the help of each command names them.
MORE_PLAN = {"skipped": INT, "large_images": MAYBE}
MORE_MIGRATION = {"large_images": INT}
MORE_VALIDATION = {"misdirected": list, "rows_gone": list, "shared": list}
MORE_STATS = {
    "local_images": INT, "unfinished_images": INT, "unrecognised_images": INT, "bucket_as_of": (str, NoneType),
    "known_objects": MAYBE, "corrupted_objects": MAYBE, "misdirected_images": MAYBE, "shared_objects": MAYBE,
    "findings": list, "states": dict, "quarantine": dict, "failures": dict, "breakdowns": dict, "throughput": list,
    "duplicates": dict, "database": dict, "growth": dict, "costs": dict,
}  # fmt: skip

SHAPES: Mapping[str, Mapping[str, Any]] = {
    "plan --quick": {**QUICK_PLAN, **MORE_PLAN},
    "plan": {**PLAN, **MORE_PLAN},
    "migrate --dry-run": {**MIGRATION, **MORE_MIGRATION},
    "migrate": {**MIGRATION, **MORE_MIGRATION},
    "migrate again": {**MIGRATION, **MORE_MIGRATION},
    "validate": {**VALIDATION, **MORE_VALIDATION},
    "stats": {**STATS, **MORE_STATS},
    "status": STATUS,
    "status --quarantined": {**STATUS, "quarantined": list},
    "doctor": {"healthy": YES, "findings": list},
}


class Story:
    """What each command said, and how many objects had been written by then."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.told: dict[str, Result] = {}
        self.puts: dict[str, int] = {}

    def tell(self, name: str) -> None:
        self.told[name] = self.site.run(*name.removesuffix(" again").split(), "--json")
        self.puts[name] = self.site.puts

    def __getitem__(self, name: str) -> dict[str, Any]:
        return self.told[name].document


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Twelve images, a bad row with a hostile id, an external one, one that is a data: URL; every command in turn."""
    folder = tmp_path_factory.mktemp("documents")
    with StandIn(folder / "r2") as standin:
        site = Site(folder / "site", standin)
        site.add_images(IMAGES - 1)
        site.app.add("only-copy", image_url=data_url_of(make_png(1)))
        site.app.add(HOSTILE_ID, image_data="%%% not base64 %%%")
        site.app.add("elsewhere", image_url="https://example.com/a.png")
        site.app.add("empty", status="completed")
        story = Story(site)
        for name in SHAPES:
            story.tell(name)
        story.told["status for people"] = site.run("status", "--quarantined")
        story.told["one image for people"] = site.run("status", "--image-id", HOSTILE_ID)
        yield story


@pytest.mark.parametrize("name", SHAPES)
def test_stdout_is_one_document_with_exactly_the_documented_keys(story: Story, name: str) -> None:
    assert set(story[name]) == set(SHAPES[name])


@pytest.mark.parametrize("name", SHAPES)
def test_each_value_has_its_type(story: Story, name: str) -> None:
    wrong = {key: value for key, value in story[name].items() if not isinstance(value, SHAPES[name][key])}
    assert not wrong


@pytest.mark.parametrize(
    ("command", "more"),
    [("plan", MORE_PLAN), ("migrate", MORE_MIGRATION), ("validate", MORE_VALIDATION), ("stats", MORE_STATS)],
)
def test_keys_beyond_the_contract_are_in_the_help(command: str, more: Mapping[str, Any]) -> None:
    help_text = CliRunner().invoke(main, [command, "--help"]).output
    assert [key for key in more if f"`{key}`" not in help_text] == []


def test_nested_parts_have_the_documented_keys(story: Story) -> None:
    assert set(story["plan"]["estimate"]) == {
        "class_a_operations", "monthly_storage_usd", "one_time_usd", "database_bytes_freed",
    }  # fmt: skip
    assert set(story["stats"]["health"]) == {"status", "score", "issues", "recommendations"}
    assert [set(entry) for entry in story["plan"]["quarantined"]] == [{"image_id", "reason"}]
    assert [set(entry) for entry in story["migrate"]["errors"]] == [{"image_id", "reason", "message"}]


def test_plan_counts_what_there_is(story: Story) -> None:
    plan = story["plan"]
    assert (plan["images"], plan["batches"], plan["external"], plan["imageless"]) == (IMAGES, 2, 1, 1)
    assert plan["quarantined"] == [{"image_id": HOSTILE_ID, "reason": "bad_base64"}]
    assert plan["estimate"]["class_a_operations"] == IMAGES


def test_a_dry_run_says_what_the_run_then_does(story: Story) -> None:
    foretold, done = ({**story[name]} for name in ("migrate --dry-run", "migrate"))
    for document, dry in ((foretold, True), (done, False)):
        assert document.pop("dry_run") is dry
        assert document.pop("duration_seconds") >= 0
    assert foretold == done
    assert (done["migrated"], done["quarantined"], done["objects_written"]) == (IMAGES, 1, IMAGES)


def test_nothing_is_written_before_the_migration(story: Story) -> None:
    assert [story.puts[name] for name in ("plan --quick", "plan", "migrate --dry-run")] == [0, 0, 0]


def test_newly_quarantined_rows_end_with_1_once(story: Story) -> None:
    assert story.told["migrate"].code == 1
    assert story.told["migrate again"].code == 0


def test_a_second_migration_does_nothing_at_all(story: Story) -> None:
    again = story["migrate again"]
    counts = [again[name] for name, kind in MIGRATION.items() if kind is INT]
    assert not any(counts)
    assert again["errors"] == []
    assert story.puts["migrate again"] == story.puts["migrate"] == IMAGES


@pytest.mark.parametrize("name", [name for name in SHAPES if name != "migrate"])
def test_commands_that_find_all_in_order_end_with_0(story: Story, name: str) -> None:
    assert story.told[name].code == 0, story.told[name].stderr


@pytest.mark.parametrize("name", SHAPES)
def test_nothing_is_said_on_stderr_when_all_goes_well(story: Story, name: str) -> None:
    assert story.told[name].remarks == []


def test_every_claim_is_proved(story: Story) -> None:
    validation = story["validate"]
    assert validation["is_valid"]
    assert (validation["checked"], validation["valid"], validation["mode"]) == (IMAGES, IMAGES, "head")


def test_stats_add_up(story: Story) -> None:
    stats = story["stats"]
    assert (stats["total_images"], stats["mixed_images"], stats["r2_images"]) == (IMAGES + 3, IMAGES - 1, 1)
    assert (stats["r2_objects"], stats["orphan_objects"], stats["missing_objects"]) == (IMAGES, 0, 0)


def test_json_is_ascii_whatever_an_id_holds(story: Story) -> None:
    assert all(result.stdout.isascii() for name, result in story.told.items() if name in SHAPES)
    assert story["status --quarantined"]["quarantined"][0]["image_id"] == HOSTILE_ID


@pytest.mark.parametrize("name", ["status for people", "one image for people"])
def test_no_control_character_of_an_id_reaches_a_terminal(story: Story, name: str) -> None:
    shown = story.told[name].stdout
    assert "evil" in shown
    assert all(line.isprintable() for line in shown.splitlines())


def test_an_error_about_a_hostile_id_is_printable(story: Story) -> None:
    refused = story.site.run("status", "--image-id", HOSTILE_ID + "?")
    assert refused.code == 2
    assert all(line.isprintable() for line in refused.stderr.splitlines())


def test_hostile_ids_are_printable_in_a_migration_for_people(site: Site) -> None:
    site.app.add(HOSTILE_ID, image_data=base64_of(b"no image at all"))
    ended = site.run("migrate")
    assert ended.code == 1
    assert "evil" in ended.stdout
    assert all(line.isprintable() for line in ended.stdout.splitlines())


def test_a_dry_run_leaves_nothing_behind(site: Site) -> None:
    site.add_images(2)
    before = sorted(path.name for path in site.folder.iterdir())
    assert site.run("migrate", "--dry-run").code == 0
    assert sorted(path.name for path in site.folder.iterdir()) == before
    assert Path(site.app.path).read_bytes()[:15] == b"SQLite format 3"


def test_a_dry_run_knows_the_batches_and_images_planning_would_add(site: Site) -> None:
    site.add_images(12)
    assert site.run("migrate", "--dry-run", "--batch", "b000002", "--json").document["planned"] == 2
    assert site.run("migrate", "--dry-run", "--image-id", "image-003", "--json").document["planned"] == 1
    for stranger in (("--batch", "b000003"), ("--image-id", "image-012")):
        refused = site.run("migrate", "--dry-run", *stranger)
        assert (refused.code, refused.stdout) == (2, "")
        assert stranger[1] in refused.stderr
