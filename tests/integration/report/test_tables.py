"""Tables of a report: Parquet to the bit, CSV that no spreadsheet takes for a formula and no reader stumbles over."""

import csv
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from z_interact_assets.report.columns import TableColumn
from z_interact_assets.report.tables import ROWS_A_GROUP, table_files
from z_interact_assets.report.texts import safe_text

COLUMNS = (
    TableColumn(name="id", type="string", description="An id"),
    TableColumn(name="count", type="int64", description="A count"),
    TableColumn(name="rate", type="double", description="A rate"),
    TableColumn(name="at", type="timestamp[ms, UTC]", description="A time"),
)
HOSTILE = [
    "a\nb", "a\r\nb", "a\0b", "\0", "x" * 5_000, 'quote " and , comma', "\udcff half", "\ud83d", "back\\slash",
    "\u2028", "\x85next", "\x1b[31mred", "\u202eright to left", "", " ", "ünï 🐈", "</script>", "NULL", "nan", "1e5",
    "007",
]  # fmt: skip


def frame_of(ids: list[Any], **columns: Any) -> pd.DataFrame:
    size = len(ids)
    given = {"count": [1] * size, "rate": [0.5] * size, "at": [0] * size, **columns}
    return pd.DataFrame({
        "id": pd.Series(ids, dtype=object),
        "count": pd.array(given["count"], dtype="Int64"),
        "rate": pd.array(given["rate"], dtype="Float64"),
        "at": pd.Series(pd.array(given["at"], dtype="Int64")).astype(pd.ArrowDtype(pa.timestamp("ms", "UTC"))),
    })  # fmt: skip


def write(folder: Path, *frames: pd.DataFrame) -> list[list[str]]:
    """Write frames; the rows of the CSV file as Python reads them, without the header."""
    with table_files(folder, "t", COLUMNS) as files:
        for frame in frames:
            files.write(frame)
    assert files.rows == sum(map(len, frames))
    with (folder / "t.csv").open(encoding="utf-8", newline="") as text:
        header, *rows = csv.reader(text, strict=True)
    assert header == [column.name for column in COLUMNS]
    return rows


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\rx", "\nx", " =1", '"=1"', "'=1", "''=1", "\u00a0=1", "\ufeff=1",
     "=cmd|' /C calc'!A0", "\uff1d1", "\uff20x", "\0=1", "\x0b-1", "`=1`"],
)  # fmt: skip
def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert safe_text(text).startswith("'")


@pytest.mark.parametrize("text", ["a=1", "1-2", "a@b.example", "https://x.example/=1", "7", "", "a\tb", "ünï", "(1)"])
def test_any_other_text_stays_as_it_is_but_for_control_characters(text: str) -> None:
    assert safe_text(text) == text.replace("\t", "\\t")


def test_numbers_are_never_touched(tmp_path: Path) -> None:
    rows = write(tmp_path, frame_of(["a", "b"], count=[-5, None], rate=[-0.25, None]))
    assert [row[1:3] for row in rows] == [["-5", "-0.25"], ["", ""]]


def test_hostile_texts_are_a_line_each_and_exact_in_parquet(tmp_path: Path) -> None:
    rows = write(tmp_path, frame_of(HOSTILE))
    content = (tmp_path / "t.csv").read_bytes()
    assert content.count(b"\n") == content.count(b"\r\n") == len(HOSTILE) + 1
    assert len(rows) == len(HOSTILE)
    assert all(cell.isprintable() or cell == "\u202eright to left" for row in rows for cell in row)
    assert [row[0] for row in rows[:4]] == ["a\\nb", "a\\r\\nb", "a\\x00b", "\\x00"]
    exact = [text.encode("utf-8", "backslashreplace").decode() for text in HOSTILE]
    assert pq.read_table(tmp_path / "t.parquet")["id"].to_pylist() == exact


def test_other_readers_see_the_same_rows(tmp_path: Path) -> None:
    write(tmp_path, frame_of([text for text in HOSTILE if text]))
    read = pd.read_csv(tmp_path / "t.csv", keep_default_na=False, dtype={"id": str})
    query = f"SELECT count(*), max(length(id)) FROM read_csv('{tmp_path / 't.csv'}', header = true)"
    (by_duckdb,) = duckdb.execute(query).fetchall()
    assert (len(read), read["id"].str.len().max()) == by_duckdb == (len(HOSTILE) - 1, 5_000)


def test_times_are_iso_8601_in_utc(tmp_path: Path) -> None:
    rows = write(tmp_path, frame_of(["a", "b"], at=[1_764_059_400_123, None]))
    assert [row[3] for row in rows] == ["2025-11-25T08:30:00.123Z", ""]


def test_parquet_says_what_its_columns_mean(tmp_path: Path) -> None:
    write(tmp_path, frame_of(["a"]))
    found = {field.name: (field.type, field.metadata) for field in pq.read_schema(tmp_path / "t.parquet")}
    assert found == {
        column.name: (column.arrow_type, {b"description": column.description.encode()}) for column in COLUMNS
    }


def test_no_rows_are_a_table_all_the_same(tmp_path: Path) -> None:
    assert write(tmp_path) == []
    assert pq.read_table(tmp_path / "t.parquet").num_rows == 0


@pytest.mark.slow
def test_frames_become_row_groups_and_rows_keep_their_order(tmp_path: Path) -> None:
    size = ROWS_A_GROUP // 2
    frames = [frame_of([f"{start + n:07}" for n in range(size)]) for start in range(0, 5 * size, size)]
    rows = write(tmp_path, *frames)
    parquet = pq.ParquetFile(tmp_path / "t.parquet")
    groups = [parquet.metadata.row_group(number) for number in range(parquet.num_row_groups)]
    assert [group.num_rows for group in groups] == [ROWS_A_GROUP, ROWS_A_GROUP, size]
    assert groups[0].column(0).compression == "ZSTD"
    assert [row[0] for row in rows] == [f"{n:07}" for n in range(5 * size)] == parquet.read()["id"].to_pylist()
