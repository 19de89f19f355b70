"""What was backed up comes back byte for byte, whatever it is, whatever was lost, and only once."""

import json
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.integration.backup.shelf import (
    SMALL,
    add_images,
    backup,
    counts,
    restore,
)
from tests.support.sites import Site
from tests.support.tables import AppTable
from z_interact_assets.demo.shapes import SHAPES

ODD_VALUES = {
    "nothing": None, "an empty text": "", "an integer": 5, "a real": 5.5, "a blob": b"\x00\xff", "an empty blob": b"",
    "the largest integer": 2**63 - 1, "a NUL": "a\0b", "an emoji": "💃\u202e", "a number as text": "5",
}  # fmt: skip


def test_any_value_in_any_column_comes_back_in_its_storage_class(site: Site, shelf: Path):
    site.app.add_many(
        [
            {"id": f"{column} is {name}", column: value}
            for column, declared in SHAPES["full"].items()
            for name, value in ODD_VALUES.items()
            if column != "id" and not (value is None and "NOT NULL" in declared)
        ]
    )
    before = site.app.as_stored()
    backup(site, shelf)
    site.app.sql("DELETE FROM images WHERE rowid % 2")
    site.app.sql("UPDATE images SET image_url = 'edited', prompt = 'edited', created_at = 1")
    report = restore(site, shelf, overwrite=True)
    assert report.inserted + report.restored == len(before) > 150
    assert site.app.as_stored() == before
    assert counts(restore(site, shelf)) == {"unchanged": len(before)}


def test_text_that_is_not_utf8_comes_back(site: Site, shelf: Path):
    columns = [column for column, declared in SHAPES["full"].items() if "TEXT" in declared and column != "id"]
    for column in columns:
        site.app.add(column)
        site.app.sql(f"UPDATE images SET {column} = CAST(x'636166e9' AS TEXT) WHERE id = ?", (column,))
    before = site.app.as_stored()
    backup(site, shelf)
    edits = ", ".join(f"{column} = 'edited'" for column in columns)
    site.app.sql(f"UPDATE images SET {edits} WHERE rowid > 4")
    site.app.sql("DELETE FROM images WHERE rowid <= 4")
    assert counts(restore(site, shelf, overwrite=True)) == {"inserted": 4, "restored": len(columns) - 4}
    assert site.app.as_stored() == before


def test_a_table_without_column_types_keeps_every_storage_class(tmp_path: Path, shelf: Path):
    app = AppTable(tmp_path / "local.db")
    app.sql("DROP TABLE images")
    app.sql("CREATE TABLE images (id PRIMARY KEY, image_url, image_data, prompt)")
    for number, value in enumerate(ODD_VALUES.values()):
        app.sql("INSERT INTO images VALUES (?, ?, ?, ?)", (f"row-{number}", value, value, value))
    before = app.as_stored()
    with closing(Site(tmp_path, app)) as site:
        backup(site, shelf)
        app.sql("DELETE FROM images")
        assert counts(restore(site, shelf)) == {"inserted": len(ODD_VALUES)}
    assert app.as_stored() == before


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_the_table_had_comes_back(tmp_path: Path, shelf: Path, shape: str):
    app = AppTable(tmp_path / "local.db", shape)
    app.add_many([{"id": f"row-{number}", "image_url": f"/images/{number}.jpg"} for number in range(5)])
    before = app.as_stored()
    with closing(Site(tmp_path, app)) as site:
        backup(site, shelf)
        app.delete("row-3")
        assert counts(restore(site, shelf)) == {"inserted": 1, "unchanged": 4}
    assert app.as_stored() == before


def test_a_row_without_a_usable_id_is_counted_and_not_in_the_backup(site: Site, shelf: Path):
    add_images(site, 2)
    site.app.sql("UPDATE images SET id = NULL WHERE id = 'image-001'")
    report = backup(site, shelf)
    assert (report.rows, report.unaddressable) == (1, 1)


def test_parts_can_be_read_by_any_tool_and_are_bounded(site: Site, shelf: Path):
    ids = add_images(site, 11)
    report = backup(site, shelf, limits=SMALL)
    parts = sorted(shelf.glob("rows-*.parquet"))
    tables = [pq.read_table(path) for path in parts]
    assert [table.num_rows for table in tables] == [4, 4, 3]
    assert [pq.ParquetFile(path).num_row_groups for path in parts] == [2, 2, 2]
    assert [row_id for table in tables for row_id in table.column("id").to_pylist()] == ids
    assert tables[0].column("image_data").to_pylist()[0] == site.app.row("image-000")["image_data"]
    assert tables[0].column("created_at").to_pylist()[0] == site.app.row("image-000")["created_at"]
    assert report.bytes == sum(path.stat().st_size for path in shelf.glob("*.parquet"))


def test_a_part_is_full_by_bytes_too(site: Site, shelf: Path):
    site.app.add_many([{"id": f"row-{number}", "image_data": "x" * 400_000} for number in range(5)])
    backup(site, shelf, limits=SMALL)
    rows = [pq.ParquetFile(path).metadata.num_rows for path in sorted(shelf.glob("rows-*.parquet"))]
    assert rows == [2, 2, 1]


def test_files_are_for_their_owner_alone(site: Site, shelf: Path):
    add_images(site, 3)
    backup(site, shelf)
    assert {path.stat().st_mode & 0o077 for path in (shelf, *shelf.iterdir())} == {0}


def test_the_manifest_says_what_is_there_and_holds_no_payload(site: Site, shelf: Path):
    add_images(site, 3)
    site.migrate()
    backup(site, shelf)
    text = (shelf / "manifest.json").read_text()
    manifest = json.loads(text)
    assert manifest["table"]["rows"] == 3
    assert manifest["ledger"]["tables"]["items"]["rows"] == 3
    assert manifest["created_at"].startswith("2025-10-09")
    assert site.app.row("image-000")["image_data"][:40] not in text
    assert str(site.app.path) not in text
