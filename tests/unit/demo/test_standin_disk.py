"""The stand-in's folder: what is kept, replaced, dropped, and what a crash leaves."""

import pytest

from z_interact_assets.demo.standin_disk import DataFile, KeptObject, ObjectFolder


@pytest.fixture
def folder(tmp_path) -> ObjectFolder:
    opened = ObjectFolder(tmp_path)
    opened.load()
    return opened


def keep(folder: ObjectFolder, key: str, body: bytes, etag: str = "a" * 32) -> KeptObject:
    return folder.keep(key, body, etag=etag, last_modified="2025-09-03T05:48:05+00:00", headers={"Content-Type": "x"})


@pytest.mark.parametrize("key", ["images/a.png", "../../escape", "ä/" + "x" * 1000, "A", "a"])
def test_any_key_is_kept_inside_the_folder(folder, tmp_path, key):
    kept = keep(folder, key, b"body")
    (loaded,) = ObjectFolder(tmp_path).load()
    assert loaded == kept
    assert folder.path_of(kept).parent == tmp_path
    assert folder.path_of(kept).read_bytes() == b"body"


def test_replacing_an_object_leaves_one_data_file(folder, tmp_path):
    keep(folder, "k", b"one", "a" * 32)
    keep(folder, "k", b"other", "b" * 32)
    assert len(list(tmp_path.iterdir())) == 2
    (loaded,) = ObjectFolder(tmp_path).load()
    assert (loaded.etag, folder.path_of(loaded).read_bytes()) == ("b" * 32, b"other")


def test_a_dropped_object_leaves_no_file(folder, tmp_path):
    keep(folder, "k", b"one")
    folder.drop("k")
    folder.drop("never there")
    assert list(tmp_path.iterdir()) == []
    assert folder.keys() == frozenset()


def test_leftovers_of_a_crash_are_removed_and_whole_objects_stay(folder, tmp_path):
    kept, broken = keep(folder, "whole", b"one"), keep(folder, "broken", b"two", "b" * 32)
    folder.path_of(broken).unlink()
    (tmp_path / "half-written.part").write_bytes(b"?")
    (tmp_path / "no-description").write_bytes(b"?")
    reopened = ObjectFolder(tmp_path)
    assert reopened.load() == [kept]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_data_file_is_read_from_where_it_was_sought(tmp_path):
    path = tmp_path / "data"
    path.write_bytes(b"0123456789")
    data = DataFile(path)
    assert (data.read(4), data.read()) == (b"0123", b"456789")
    data.seek(8)
    assert data.read() == b"89"
