import base64
import hashlib
import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from PIL import Image

from bench.datasets import DataSet, Portion, add_up, make_data_set, picture
from z_interact_assets.core.images import prove_image
from z_interact_assets.core.models import ImageLimits

PORTIONS = (Portion(count=6, size=2_000), Portion(count=2, size=30_000))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    return make_data_set("mix", PORTIONS, tmp_path_factory.mktemp("cache"))


def texts(data: DataSet) -> list[str]:
    with closing(sqlite3.connect(data.table)) as connection:
        return [text for (text,) in connection.execute("SELECT image_data FROM images ORDER BY id")]


def files(data: DataSet) -> Iterator[bytes]:
    return (path.read_bytes() for path in sorted(data.files.iterdir()))


@pytest.mark.parametrize("size", [200, 5_000, 50_000, 1_600_000])
def test_a_picture_is_a_whole_png_of_about_that_size(size: int) -> None:
    made = picture(size, Random(1))
    assert 0.8 * size < len(made) <= size
    with Image.open(io.BytesIO(made)) as image:
        image.load()
    assert prove_image(made, ImageLimits()).format.value == "png"


def test_table_and_files_hold_the_same_images(data: DataSet) -> None:
    assert [base64.b64decode(text) for text in texts(data)] == list(files(data))


def test_small_and_large_are_mixed_evenly(data: DataSet) -> None:
    large = [number for number, content in enumerate(files(data)) if len(content) > 10_000]
    assert large == [2, 6]


def test_its_facts_are_those_of_its_files(data: DataSet) -> None:
    contents = list(files(data))
    assert (data.images, data.bytes) == (8, sum(map(len, contents)))
    assert data.etag_sum == add_up(hashlib.md5(content).digest() for content in reversed(contents))


def test_it_is_made_once(data: DataSet) -> None:
    mark = data.files / "0000000.png"
    before = mark.stat().st_mtime_ns
    again = make_data_set("mix", PORTIONS, data.folder.parent)
    assert again == data
    assert mark.stat().st_mtime_ns == before


def test_one_that_was_interrupted_is_made_anew(tmp_path: Path) -> None:
    made = make_data_set("small", PORTIONS[:1], tmp_path)
    (made.folder / "facts.json").unlink()
    (made.files / "0000000.png").write_bytes(b"half")
    again = make_data_set("small", PORTIONS[:1], tmp_path)
    assert again == made
    assert (again.files / "0000000.png").read_bytes() != b"half"


def test_the_same_arguments_make_the_same_images(tmp_path: Path, data: DataSet) -> None:
    assert make_data_set("mix", PORTIONS, tmp_path, files=False).etag_sum == data.etag_sum
