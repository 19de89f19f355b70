"""STATIC_DIR gives out the files below it, and no others."""

from pathlib import Path

import pytest

from z_interact_assets.migrate.static_files import StaticFolder


@pytest.fixture
def folder(tmp_path) -> Path:
    static = tmp_path / "static"
    (static / "images" / "sub").mkdir(parents=True)
    (static / "images" / "a.jpg").write_bytes(b"image")
    (static / "images" / "sub" / "b.jpg").write_bytes(b"below")
    (static / "images" / "large.jpg").write_bytes(b"x" * 11)
    (tmp_path / "secret.txt").write_bytes(b"secret")
    (static / "images" / "link.jpg").symlink_to(tmp_path / "secret.txt")
    (static / "images" / "inner.jpg").symlink_to(static / "images" / "a.jpg")
    return static


@pytest.mark.parametrize("path", ["/images/a.jpg", "images/a.jpg", "/images/inner.jpg", "/images/sub/../a.jpg"])
def test_a_file_below_the_folder_is_read(folder, path):
    assert StaticFolder(folder, max_bytes=10).read(path) == b"image"


def test_a_folder_that_is_images_itself_will_do(folder):
    static = StaticFolder(folder / "images", max_bytes=10)
    assert static.read("/images/a.jpg") == b"image"
    assert static.read("/images/sub/b.jpg") == b"below"


@pytest.mark.parametrize("path", [
    "/images/nowhere.jpg", "/images/../../secret.txt", "/../secret.txt", "/images/link.jpg", "/images", "/", "",
    "//etc/passwd", "/etc/passwd", "/images/large.jpg", "/images/a\0.jpg", "/images/" + "a" * 5_000,
    "/images/a.jpg?x=1",
])  # fmt: skip
def test_anything_else_is_not_there(folder, path):
    assert StaticFolder(folder, max_bytes=10).read(path) is None


def test_a_folder_that_is_not_there_has_no_files(tmp_path):
    assert StaticFolder(tmp_path / "nowhere", max_bytes=10).read("/images/a.jpg") is None
