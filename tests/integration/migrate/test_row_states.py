"""Every row state of the sample table, through a real S3 server, ends as the specification says."""

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.support.sites import NOW_MS, Site, r2_store
from tests.support.tables import AppTable
from z_interact_assets.core.base64_text import decode_text
from z_interact_assets.core.keys import parse_key
from z_interact_assets.core.models import ItemState
from z_interact_assets.demo.sample import SampleSummary, make_sample_table
from z_interact_assets.demo.standin import StandIn

ROWS = 110  # little more than one of each odd state
IN_UNITS = {"s": NOW_MS // 1000, "ms": NOW_MS}


@dataclass
class Migrated:
    site: Site
    sample: SampleSummary
    standin: StandIn
    folder: Path
    before: Mapping[str, Mapping[str, Any]]
    stored_before: Mapping[str, bytes]
    report: Mapping[str, Any]
    foretold: Mapping[str, Any]

    def published(self) -> list[str]:
        return self.sample.ids(state=ItemState.PUBLISHED)


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Migrated]:
    folder = tmp_path_factory.mktemp("sample")
    with StandIn(folder / "standin") as standin:
        store = r2_store(standin)

        def upload(key: str, data: bytes, content_type: str) -> None:
            store.upload(key, data, content_type=content_type)

        sample = make_sample_table(
            folder / "local.db",
            public_url=standin.public_url,
            uploader=upload,
            rows=ROWS,
        )
        app = AppTable(sample.path)
        with closing(Site(folder, app, store)) as site:
            before, stored_before = app.rows(), app.as_stored()
            foretold = site.foretold()
            report = site.report()
            yield Migrated(
                site=site, sample=sample, standin=standin, folder=folder, before=before, stored_before=stored_before,
                report=report, foretold=foretold,
            )  # fmt: skip


def image_of(row: Mapping[str, Any]) -> bytes:
    return decode_text(row["image_data"] or row["image_url"]).data


def test_every_row_ends_in_the_state_it_is_expected_to(migrated):
    ended = migrated.site.ended()
    assert {row_id: ended.get(row_id, (None, None)) for row_id in migrated.sample.expected} == {
        row_id: (expected.state, expected.reason) for row_id, expected in migrated.sample.expected.items()
    }


def test_the_dry_run_foretold_the_real_runs_report(migrated):
    assert {**migrated.foretold, "dry_run": False} == migrated.report
    assert migrated.report["migrated"] == len(migrated.published())
    assert migrated.report["quarantined"] == len(migrated.report["errors"])


def test_rows_that_were_not_migrated_are_untouched_in_every_column(migrated):
    after = migrated.site.app.as_stored()
    assert after.keys() == migrated.stored_before.keys()
    # Of a row in R2 already, what the old migrator never wrote is filled in, and an URL nobody can read is replaced.
    filled_in = [*migrated.sample.ids(kind="in_r2_but_pending"), *migrated.sample.ids(kind="in_r2_at_s3_endpoint")]
    may_change = {*migrated.published(), *filled_in}
    others = after.keys() - may_change
    assert len(others) >= 25
    for row_id in others:
        assert after[row_id] == migrated.stored_before[row_id], migrated.sample.expected[row_id]


def test_a_switch_changes_five_columns_and_keeps_the_base64_for_the_soak(migrated):
    rows = migrated.site.app.rows()
    for row_id in migrated.published():
        before, after, item = migrated.before[row_id], rows[row_id], migrated.site.item(row_id)
        seconds = before["created_at"] < 10**11
        updated_at = before["updated_at"] if isinstance(before["updated_at"], int) else 0
        assert after == before | {
            "image_url": f"{migrated.standin.public_url}/{item.object_key}",
            "r2_key": item.object_key,
            "migration_status": "completed",
            "migrated_at": NOW_MS // 1000,
            "updated_at": max(IN_UNITS["s" if seconds else "ms"], updated_at),
        }


def test_objects_hold_the_images_own_bytes_under_their_own_type(migrated):
    for row_id in migrated.published():
        item, expected = migrated.site.item(row_id), image_of(migrated.before[row_id])
        found = migrated.site.store.head(item.object_key)
        data = migrated.site.store.download(item.object_key)
        assert hashlib.sha256(data).hexdigest() == hashlib.sha256(expected).hexdigest() == item.sha256
        key = parse_key(item.object_key)
        assert key is not None
        assert found.content_type == key.format.content_type
        assert found.cache_control == "public, max-age=31536000"
        assert found.metadata.sha256 == item.sha256


def test_png_bytes_labelled_jpeg_are_stored_as_png(migrated):
    (row_id,) = migrated.sample.ids(kind="png_labelled_jpeg")
    assert migrated.before[row_id]["image_mime_type"] == "image/jpeg"
    item = migrated.site.item(row_id)
    assert (item.content_type, item.object_key[-4:]) == ("image/png", ".png")


def test_metadata_is_readable_back_with_emoji_accents_and_line_breaks(migrated):
    for row_id in migrated.published():
        row, found = migrated.before[row_id], migrated.site.store.head(migrated.site.item(row_id).object_key)
        metadata = found.metadata
        assert metadata.original_id == row_id
        assert metadata.provider == row["provider"]
        if len(row["persona_id"]) < 100:
            assert (metadata.persona_id, metadata.session_id) == (row["persona_id"], row["session_id"])
        # A prompt that is the column's own name is what a faulty rebuild left.
        if not metadata.prompt_truncated and row["prompt"] != "prompt":
            assert metadata.prompt == row["prompt"]


def test_a_prompt_of_9000_characters_is_cut_with_a_mark(migrated):
    (row_id,) = migrated.sample.ids(kind="long_prompt")
    prompt = migrated.before[row_id]["prompt"]
    metadata = migrated.site.store.head(migrated.site.item(row_id).object_key).metadata
    assert len(prompt) == 9_000
    assert metadata.prompt_truncated
    assert len(metadata.prompt.encode()) > 6_000
    assert prompt.startswith(metadata.prompt)
    assert migrated.site.app.row(row_id)["prompt"] == prompt


def test_no_key_leaves_the_images_folder(migrated):
    listed = [entry.key for entry in migrated.site.store.list()]
    assert len(migrated.sample.ids(kind="hostile_ids")) >= 5
    for key in listed:
        assert key.startswith("images/")
        assert not {"", ".", ".."} & set(key.split("/"))
        assert parse_key(key) is not None


def test_each_public_url_serves_its_image(migrated):
    rows = migrated.site.app.rows()
    with urllib3.PoolManager(retries=False) as pool:
        for row_id in migrated.published():
            answer = pool.request("GET", rows[row_id]["image_url"])
            assert answer.status == 200
            assert answer.data == image_of(migrated.before[row_id])
            assert answer.headers["Content-Type"] == migrated.site.item(row_id).content_type


def test_two_images_of_one_row_are_both_stored_and_the_ledger_says_so(migrated):
    (row_id,) = migrated.sample.ids(kind="both_columns_different_images")
    item, row = migrated.site.item(row_id), migrated.before[row_id]
    (other,) = migrated.site.ledger.ask.alternates([item.item_id])[item.item_id]
    assert other.key != item.object_key
    assert migrated.site.store.download(item.object_key) == decode_text(row["image_data"]).data
    assert migrated.site.store.download(other.key) == decode_text(row["image_url"]).data


def test_every_image_whose_text_the_switch_removed_was_read_back_before(migrated):
    for row_id in migrated.published():
        row, item = migrated.before[row_id], migrated.site.item(row_id)
        if row["image_data"] is None:
            assert item.proof == "sha256"


def test_a_second_run_sends_no_put_and_plans_nothing(migrated):
    before = migrated.standin.requests
    stored = migrated.site.app.as_stored()
    planned = migrated.site.plan()
    assert (planned.planned, planned.planned_again, planned.new_batches) == (0, 0, ())
    migration, _ = migrated.site.migrate()
    assert migration.totals.planned == 0
    assert migrated.standin.requests == before
    assert migrated.site.app.as_stored() == stored


def test_a_run_after_the_ledger_was_lost_makes_no_object_and_changes_no_row(migrated, tmp_path):
    """Last here: the rows' new owner is another ledger."""
    path = tmp_path / "local.db"
    shutil.copy(migrated.sample.path, path)
    keys = [entry.key for entry in migrated.site.store.list()]
    stored, puts = migrated.site.app.as_stored(), migrated.standin.requests["PUT", "object"]
    with closing(Site(tmp_path, AppTable(path), r2_store(migrated.standin))) as again:
        report = again.report()
        assert report["objects_written"] == 0
        assert report["already_stored"] == len(migrated.published()) + len(migrated.sample.ids(state="already_in_r2"))
        assert again.app.as_stored() == stored
        for row_id in migrated.published():
            assert again.item(row_id).object_key == migrated.site.item(row_id).object_key
    assert [entry.key for entry in migrated.site.store.list()] == keys
    assert migrated.standin.requests["PUT", "object"] == puts
