"""The watch itself: no kind of effect escapes it, and it kills where it is told to."""

import sqlite3

import pytest

from tests.crash.conftest import PlaceFor
from tests.crash.effects import AFTER, BEFORE, NOBODY, Point
from tests.crash.places import Place

pytestmark = pytest.mark.slow

SMUGGLED = [
    ("create", "smuggled.db"),
    ("insert", "smuggled.db"),
    ("commit", "smuggled.db"),
    ("commit", "smuggled.db"),
    ("vacuum", "smuggled.db"),
    ("script", "smuggled.db"),
    ("mkdir", "folder"),
    ("open", "folder/a"),
    ("sync file", "folder/a"),
    ("rename", "folder/a"),
    ("open", "folder/c"),
    ("sync folder", "folder"),
    ("remove", "folder/b"),
    ("PUT", "/z-interact-images/smuggled"),
    ("POST", "/z-interact-images?delete"),
    ("DELETE", "/z-interact-images/smuggled"),
    ("PUT", "/z-interact-images/by-urllib"),
    ("PUT", "by-obstore"),
]


@pytest.fixture
def place(place_for: PlaceFor):
    with place_for("migrate") as made:
        yield made


def test_every_kind_of_effect_is_seen_whoever_has_it(place: Place) -> None:
    seen = [(name.removesuffix(f" {NOBODY}"), facts) for name, facts in place.run("smuggle").finish()]
    found = [(kind, facts.get("file") or facts.get("url") or facts["path"]) for kind, facts in seen]
    folder = f"{place.folder}/"
    assert [(kind, where.removeprefix(folder)) for kind, where in found] == SMUGGLED


def test_reading_and_rolling_back_have_no_effect(place: Place) -> None:
    assert place.run("read and roll back").finish() == []


@pytest.mark.parametrize(("when", "tables"), [(BEFORE, []), (AFTER, ["smuggled"])])
def test_a_kill_is_where_it_was_asked_for(place: Place, when: str, tables: list[str]) -> None:
    place.run("smuggle", deadly=Point(f"create {NOBODY}", when, 1)).die()
    connection = sqlite3.connect(place.folder / "smuggled.db")
    assert [name for (name,) in connection.execute("SELECT name FROM sqlite_master")] == tables
    connection.close()


def test_points_are_counted_over_all_effects_too(place: Place) -> None:
    place.run("smuggle", deadly=Point("", "", 4)).die()
    connection = sqlite3.connect(place.folder / "smuggled.db")
    assert connection.execute("SELECT * FROM smuggled").fetchall() == [(1,)]
    connection.close()
