"""The sample table: the same each time, every row state in it, and expectations that hold."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from z_interact_assets.core.base64_text import decode_text
from z_interact_assets.core.models import ImageLimits, ItemState
from z_interact_assets.core.planning import HeadKind, classify_head
from z_interact_assets.core.preparation import PointsAtR2, Preparation, Prepared, SetAside
from z_interact_assets.core.reasons import Reason
from z_interact_assets.core.rows import LegacyRow
from z_interact_assets.core.urls import KnownBases
from z_interact_assets.demo.sample import SampleSummary, make_sample_table

PUBLIC_URL = "http://127.0.0.1:9000/public/z-interact-images"
BASES = KnownBases(PUBLIC_URL, bucket="z-interact-images")

# The states a migration meets that no sample can hold: they come about while it runs.
LATER_REASONS = {
    Reason.NOT_AS_WRITTEN,
    Reason.OBJECT_SHARED,
    Reason.UNDO_RECORD_UNFIT,
    Reason.URL_NOT_PUBLIC,
    Reason.OBJECT_DIFFERS,
    Reason.ROW_CHANGED,
    Reason.ROW_DELETED,
    Reason.STORAGE_REFUSED,
    Reason.STORAGE_UNAVAILABLE,
    Reason.TABLE_UNAVAILABLE,
    Reason.TOO_LARGE,
    Reason.TOO_MANY_PIXELS,
}


def rows_of(path: Path) -> list[LegacyRow]:
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    rows = [LegacyRow(id=row["id"], values=dict(row)) for row in connection.execute("SELECT * FROM images")]
    connection.close()
    return rows


@pytest.fixture(scope="module")
def objects() -> dict[str, tuple[bytes, str]]:
    return {}


@pytest.fixture(scope="module")
def sample(tmp_path_factory, objects) -> SampleSummary:
    def upload(key: str, data: bytes, content_type: str) -> None:
        objects[key] = (data, content_type)

    path = tmp_path_factory.mktemp("sample") / "local.db"
    return make_sample_table(path, public_url=PUBLIC_URL, uploader=upload)


@pytest.fixture(scope="module")
def rows(sample) -> list[LegacyRow]:
    return rows_of(sample.path)


def test_the_same_seed_gives_the_same_rows_and_another_seed_others(sample, rows, tmp_path):
    again = make_sample_table(tmp_path / "again.db", public_url=PUBLIC_URL, uploader=lambda *_: None)
    other = make_sample_table(tmp_path / "other.db", public_url=PUBLIC_URL, uploader=lambda *_: None, seed=8)
    assert [row.values for row in rows_of(again.path)] == [row.values for row in rows]
    assert again.expected == sample.expected
    assert other.expected.keys().isdisjoint(sample.expected)


def test_three_hundred_rows_are_mostly_migratable_and_below_30_mb(sample, rows):
    assert len(rows) == len(sample.expected) == 300
    assert len(sample.ids(state="published")) >= 0.85 * 300
    assert sample.path.stat().st_size < 30_000_000
    assert list(sample.path.parent.iterdir()) == [sample.path]


def test_every_state_and_every_reason_a_row_can_have_is_in_it(sample):
    states = {found.state for found in sample.expected.values()}
    reasons = {found.reason for found in sample.expected.values()} - {None}
    assert states == {
        None, ItemState.PUBLISHED, ItemState.QUARANTINED, ItemState.EXTERNAL, ItemState.IMAGELESS,
        ItemState.LOCAL_ONLY, ItemState.ALREADY_IN_R2,
    }  # fmt: skip
    assert reasons == set(Reason) - LATER_REASONS


def test_preparing_the_rows_agrees_with_what_is_expected(sample, rows, objects):
    prepare = Preparation(BASES, ImageLimits()).prepare
    for row in rows:
        expected, prepared = sample.expected[row.id], prepare(row)
        if isinstance(prepared, Prepared):
            found = (ItemState.PUBLISHED, None)
        elif isinstance(prepared, PointsAtR2):
            there = prepared.key in objects
            found = (ItemState.ALREADY_IN_R2, None) if there else (ItemState.QUARANTINED, Reason.OBJECT_MISSING)
        else:
            assert isinstance(prepared, SetAside)
            kind = classify_head(replace(row.head(), status=row.text("status")), BASES)
            found = (None, None) if kind is HeadKind.UNFINISHED else (prepared.state, prepared.reason)
        assert (expected.state, expected.reason) == found, expected.kind


def test_the_odd_spellings_are_really_odd_and_decode(sample, rows):
    by_id = {row.id: row for row in rows}

    def text(kind: str) -> str:
        (row_id,) = sample.ids(kind=kind)
        return by_id[row_id].values["image_data"]

    assert "\r\n" in text("wrapped_in_image_data")
    assert text("trailing_newline_in_image_data").endswith("\n")
    assert text("upper_case_data_url_in_image_data").startswith("DATA:")
    assert {"-", "_"} <= set(text("urlsafe_in_image_data"))
    for kind in ("unpadded_in_image_data", "urlsafe_unpadded_in_image_data"):
        assert not text(kind).endswith("=")
        assert decode_text(text(kind)).data


def test_rows_hold_seconds_before_the_change_and_milliseconds_after(rows):
    created = [row.values["created_at"] for row in rows]
    seconds = [value for value in created if value < 10**11]
    assert 0 < len(seconds) < len(created)
    assert max(seconds) < 1_757_289_600 <= min(value for value in created if value > 10**11) / 1000


def test_prompts_are_of_many_scripts_and_one_is_of_9000_characters(rows):
    prompts = [row.values["prompt"] for row in rows]
    assert max(map(len, prompts)) == 9_000
    for sample_of_script in ("ü", "ł", "θ", "ж", "ج", "ש", "ह", "ก", "阳", "夏", "할", "💃", "\n"):
        assert any(sample_of_script in prompt for prompt in prompts), sample_of_script


def test_objects_of_rows_in_r2_are_uploaded_with_their_type(sample, objects):
    assert set(sample.uploaded) == set(objects)
    assert len(objects) == len(sample.ids(state="already_in_r2"))
    assert all(content_type.startswith("image/") and data for data, content_type in objects.values())


def test_without_an_uploader_no_object_is_expected_to_be_there(tmp_path):
    sample = make_sample_table(tmp_path / "local.db", public_url=PUBLIC_URL)
    assert sample.ids(state="already_in_r2") == []
    assert len(sample.ids(reason="object_missing")) == 5


def test_a_failed_upload_leaves_the_former_file_alone(tmp_path):
    path = tmp_path / "local.db"
    path.write_bytes(b"former")

    def fail(*_: object) -> None:
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        make_sample_table(path, public_url=PUBLIC_URL, uploader=fail)
    assert path.read_bytes() == b"former"


def test_too_few_rows_for_all_states_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="needs at least"):
        make_sample_table(tmp_path / "local.db", public_url=PUBLIC_URL, rows=10)
