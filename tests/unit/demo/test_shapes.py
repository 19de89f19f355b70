"""The table shapes, as SQLite understands them."""

import sqlite3
from collections.abc import Iterator

import pytest

from z_interact_assets.demo.shapes import SHAPES, create_table


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(":memory:")
    yield opened
    opened.close()


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_can_be_created_and_has_its_columns(connection, shape):
    columns = create_table(connection, shape)
    assert [row[1] for row in connection.execute("PRAGMA table_info(images)")] == list(columns) == list(SHAPES[shape])


@pytest.mark.parametrize(
    ("shape", "absent"),
    [
        ("full", set[str]()),
        ("no_r2_columns", {"r2_key", "migration_status", "migrated_at"}),
        ("no_image_data", {"image_data", "image_mime_type"}),
    ],
)
def test_narrow_shapes_lack_what_they_are_named_for(shape, absent):
    assert SHAPES["full"].keys() - SHAPES[shape].keys() == absent


def test_the_smallest_shape_has_six_columns():
    assert list(SHAPES["six_columns"]) == ["id", "persona_id", "table_id", "image_url", "prompt", "created_at"]


def test_the_first_shape_wants_an_image_url(connection):
    create_table(connection, "first")
    with pytest.raises(sqlite3.IntegrityError, match="image_url"):
        connection.execute(
            "INSERT INTO images (id, persona_id, persona_title, prompt, created_at) VALUES ('1', 'p', 't', 'x', 1)"
        )


def test_a_shape_there_never_was_is_an_error(connection):
    with pytest.raises(KeyError):
        create_table(connection, "seven_columns")
