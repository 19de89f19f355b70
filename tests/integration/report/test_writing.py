"""A whole report of a table with every kind of row: right to the unit, private, valid, and always the same story."""

import csv
import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import frictionless
import pyarrow.parquet as pq
import pytest

from tests.support.images import base64_of, make_png
from tests.support.planted import PRESIGNED, SIGNATURE
from tests.support.sites import NOW_MS, Site
from tests.support.tables import AppTable
from z_interact_assets.core.findings import Problem, ProblemKind
from z_interact_assets.core.stats import BucketCounts
from z_interact_assets.core.times import iso_utc
from z_interact_assets.report import ReportOptions, WrittenReport, write_report
from z_interact_assets.report.catalogue import DESCRIPTIONS
from z_interact_assets.report.folder import MANIFEST
from z_interact_assets.report.reading import previous_stats
from z_interact_assets.stats import Sources, collect_stats

PARTICIPANT = "participant-of-the-study-0123456789"
PROMPT = "planted prompt of a person 0123456789"
HOSTILE_ID = '=HYPERLINK("http://evil.example")\n\0\'; DROP TABLE images'
LONG_ID = "long-" * 1_000
DATA_FILES = ("images.csv", "storage_stats.csv", "history.csv")
KEY = "a key of sixteen characters and more"


@dataclass
class Reported:
    site: Site
    options: ReportOptions
    report: WrittenReport

    @property
    def sources(self) -> Sources:
        return sources_of(self.site)

    @property
    def images(self) -> dict[str, dict[str, Any]]:
        return {row["image_id"]: row for row in pq.read_table(self.report.folder / "images.parquet").to_pylist()}


def sources_of(site: Site) -> Sources:
    return Sources(table=site.table, ledger=site.ledger, bases=site.bases)


def fill(app: AppTable) -> None:
    for number in range(6):
        app.add(
            f"image-{number}", image_data=base64_of(make_png(number)), prompt=PROMPT, session_id="s",
            participant_id=PARTICIPANT if number < 3 else f"{PARTICIPANT}-{number}",
        )  # fmt: skip
    app.add(HOSTILE_ID, image_data="%%% no base64 %%%", persona_id="<script>alert(1)</script>", prompt=PROMPT)
    app.add(LONG_ID, image_data=base64_of(make_png(9)), persona_id="=1+1")
    app.add("elsewhere", image_url=PRESIGNED)
    app.add("nowhere", image_url="not an address")
    app.add("empty", status="completed")
    app.add("later", image_data=base64_of(make_png(10)))


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reported]:
    folder = tmp_path_factory.mktemp("reported")
    app = AppTable(folder / "local.db")
    with closing(Site(folder, app)) as site:
        fill(app)
        app.delete("later")
        site.migrate()
        app.add("later", image_data=base64_of(make_png(10)))
        options = ReportOptions(directory=folder / "reports", pseudonym_key=KEY)
        sources = sources_of(site)
        bucket = BucketCounts(
            objects=7, bytes=700, known=7, orphans=0, missing=1, corrupted=0, misdirected=0, shared=0, as_of=NOW_MS
        )
        lost = Problem(image_id="image-1", kind=ProblemKind.MISSING, key=site.key("image-1"), detail="gone")
        site.ledger.snapshots.add_inventory(asdict(bucket), [lost], now_ms=NOW_MS, run_id=None)
        stats = collect_stats(sources, bucket, now_ms=NOW_MS)
        site.ledger.snapshots.add_stats(stats, now_ms=NOW_MS, run_id=None)
        yield Reported(site, options, write_report(sources, options, now_ms=NOW_MS))


def test_a_report_has_all_its_files_and_latest_leads_to_it(reported: Reported) -> None:
    folder = reported.report.folder
    assert {path.name for path in folder.iterdir()} == set(DESCRIPTIONS)
    assert (folder.parent / "latest").resolve() == folder.resolve()
    assert reported.report.files[0].name == "index.html"
    assert reported.report.page.read_bytes().startswith(b"<!")


def test_page_json_and_tables_are_of_one_pass(reported: Reported) -> None:
    folder = reported.report.folder
    document = json.loads((folder / "storage_stats.json").read_text())
    assert document == json.loads(json.dumps(reported.report.stats))
    assert document["total_images"] == len(reported.images) == len(reported.site.app.rows()) == 12
    classes = [row["row_class"] for row in reported.images.values()]
    assert {name: classes.count(name) for name in ("mixed", "base64", "external", "unrecognised", "imageless")} == {
        "mixed": document["mixed_images"], "base64": document["base64_images"],
        "external": document["external_images"], "unrecognised": document["unrecognised_images"],
        "imageless": document["imageless_images"],
    }  # fmt: skip


def test_totals_are_those_of_the_apps_own_sql(reported: Reported) -> None:
    query = "SELECT count(*), sum(length(CAST(image_data AS BLOB))) FROM images WHERE image_data IS NOT NULL"
    with closing(sqlite3.connect(reported.site.app.path)) as connection:
        with_text, text_bytes = connection.execute(query).fetchone()
    path = reported.report.folder / "storage_stats.parquet"
    (total,) = duckdb.execute(f"SELECT * FROM '{path}' WHERE breakdown = 'total'").fetchall()
    assert total == ("total", "total", None, 12, 7, 2, sum(row["bytes"] or 0 for row in reported.images.values()),
                     text_bytes)  # fmt: skip
    assert with_text == 9
    sums = duckdb.execute(
        f"SELECT breakdown, sum(images), sum(base64_bytes) FROM '{path}' GROUP BY breakdown"
    ).fetchall()
    assert {(images, base64) for _, images, base64 in sums} == {(12, text_bytes)}
    assert len(sums) == 8


def test_the_buckets_numbers_are_those_of_the_newest_snapshot(reported: Reported) -> None:
    stats = reported.report.stats
    assert (stats["r2_objects"], stats["missing_objects"]) == (7, 1)
    assert stats["bucket_as_of"] == iso_utc(NOW_MS, timespec="seconds")


def test_the_frictionless_library_finds_the_package_valid(reported: Reported) -> None:
    checked = frictionless.validate(str(reported.report.folder / MANIFEST))
    assert checked.valid, checked.flatten(["name", "type", "message"])
    assert {task.name for task in checked.tasks} >= {"images_csv", "storage_stats_csv", "history_csv"}


def test_the_package_has_the_hash_and_size_of_every_other_file_and_the_meaning_of_every_column(
    reported: Reported,
) -> None:
    folder = reported.report.folder
    package = json.loads((folder / MANIFEST).read_text())
    resources = {resource["path"]: resource for resource in package["resources"]}
    assert set(resources) == set(DESCRIPTIONS) - {MANIFEST, "index.html"}
    for name, resource in resources.items():
        content = (folder / name).read_bytes()
        assert (resource["bytes"], resource["hash"]) == (len(content), f"sha256:{hashlib.sha256(content).hexdigest()}")
    for name in DATA_FILES:
        with (folder / name).open(encoding="utf-8", newline="") as text:
            header = next(csv.reader(text))
        fields = resources[name]["schema"]["fields"]
        assert [field["name"] for field in fields] == header
        assert all(field["description"] for field in fields)


def test_a_damaged_file_is_found_by_the_package(reported: Reported, tmp_path: Path) -> None:
    for path in reported.report.folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    damaged = (tmp_path / "images.csv").read_bytes().replace(b'"mixed"', b'"mixes"', 1)
    (tmp_path / "images.csv").write_bytes(damaged)
    assert not frictionless.validate(str(tmp_path / MANIFEST)).valid


def all_text(folder: Path) -> bytes:
    """Everything a report says; Parquet is compressed, so its cells."""
    cells = [repr(pq.read_table(path).to_pylist()).encode() for path in folder.glob("*.parquet")]
    return b"\n".join([path.read_bytes() for path in folder.iterdir()] + cells)


def test_no_prompt_no_participant_and_no_signature_is_in_any_file(reported: Reported) -> None:
    said = all_text(reported.report.folder)
    for secret in (PROMPT, PARTICIPANT, SIGNATURE, KEY):
        assert secret.encode() not in said
    assert b"https://bucket.s3.amazonaws.com/x.png" in said  # what the address names stays


def test_a_participant_has_one_pseudonym_in_every_report_of_a_key(reported: Reported, tmp_path: Path) -> None:
    again = write_report(reported.sources, replace(reported.options, directory=tmp_path / "a"), now_ms=NOW_MS)
    other = replace(reported.options, directory=tmp_path / "b", pseudonym_key=None)
    keyless = [write_report(reported.sources, other, now_ms=NOW_MS) for _ in range(2)]
    found = [pseudonyms(report) for report in (reported.report, again, *keyless)]
    assert found[0] == found[1]
    assert len({*map(str, found)}) == 3
    for pseudonym in found:
        assert pseudonym["image-0"] == pseudonym["image-1"] != pseudonym["image-4"] != pseudonym["image-5"]
        assert pseudonym["nowhere"] is None
        assert len(pseudonym["image-0"] or "") == 16


def pseudonyms(report: WrittenReport) -> dict[str, str | None]:
    table = pq.read_table(report.folder / "images.parquet", columns=["image_id", "participant_id"])
    return dict(zip(*table.to_pydict().values(), strict=True))


def test_personal_data_is_told_when_a_setting_says_so_and_the_package_says_it(
    reported: Reported, tmp_path: Path
) -> None:
    options = replace(reported.options, directory=tmp_path, personal_data=True)
    report = write_report(reported.sources, options, now_ms=NOW_MS)
    rows = {row["image_id"]: row for row in pq.read_table(report.folder / "images.parquet").to_pylist()}
    assert (rows["image-0"]["prompt"], rows["image-0"]["participant_id"]) == (PROMPT, PARTICIPANT)
    assert "PERSONAL DATA" in json.loads((report.folder / MANIFEST).read_text())["description"]
    assert frictionless.validate(str(report.folder / MANIFEST)).valid
    assert PROMPT.encode() not in report.page.read_bytes()


def test_what_needs_a_hand_is_listed_gravest_first_with_what_to_do(reported: Reported) -> None:
    told = [(row.image_id[:9], row.problem) for row in reported.report.attention]
    assert told[0] == ("image-1", "missing object")
    assert [problem for _, problem in told] == [
        "missing object", "quarantined", "quarantined", "no image", "outside R2",
    ]  # fmt: skip
    assert reported.report.attention_total == len(told)
    missing, quarantined, *_ = reported.report.attention
    assert (missing.persona, missing.created_at) == ("gen-z", "2025-09-09")
    assert "`z-interact-assets status --image-id image-1`" in missing.action
    assert quarantined.sentence == "The text is not valid base64."
    assert "\n" not in quarantined.image_id
    assert "DROP" not in quarantined.action  # an id that cannot be pasted is in no command


def test_hostile_ids_are_exact_in_parquet_and_harmless_everywhere_else(reported: Reported) -> None:
    folder = reported.report.folder
    assert {HOSTILE_ID, LONG_ID} <= reported.images.keys()
    with (folder / "images.csv").open(encoding="utf-8", newline="") as text:
        ids = [row["image_id"] for row in csv.DictReader(text)]
    assert len(ids) == 12
    assert "'=HYPERLINK(\"http://evil.example\")\\n\\x00'; DROP TABLE images" in ids
    with (folder / "storage_stats.csv").open(encoding="utf-8", newline="") as text:
        values = {row["value"] for row in csv.DictReader(text)}
    assert "'=1+1" in values
    assert b"<script>alert" not in reported.report.page.read_bytes()
    assert "<script>alert" not in (folder / "summary.md").read_text().replace("\\<", "")


def test_the_next_report_says_what_changed_since_this_one(reported: Reported, tmp_path: Path) -> None:
    options = replace(reported.options, directory=tmp_path)
    first = write_report(reported.sources, options, now_ms=NOW_MS)
    assert "This is the first report in its folder." in (first.folder / "summary.md").read_text()
    reported.site.app.add("new", image_url="not an address")
    try:
        second = write_report(reported.sources, options, now_ms=NOW_MS + 1_000)
    finally:
        reported.site.app.delete("new")
    text = (second.folder / "summary.md").read_text()
    assert "| 12 | 13 | +1 | images |" in text
    assert "| 2 | 2 | ±0 | base64 only |" in text


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"total_images"', "\x00"])
def test_a_report_before_this_one_that_cannot_be_read_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "before").mkdir()
    (tmp_path / "before" / "storage_stats.json").write_text(content)
    (tmp_path / "latest").symlink_to("before")
    assert previous_stats(tmp_path) is None


def test_an_empty_table_and_no_snapshot_make_a_whole_report_of_what_is_known(site: Site, tmp_path: Path) -> None:
    report = write_report(sources_of(site), ReportOptions(directory=tmp_path / "reports"), now_ms=NOW_MS)
    assert frictionless.validate(str(report.folder / MANIFEST)).valid
    assert pq.read_table(report.folder / "images.parquet").num_rows == 0
    assert (report.stats["total_images"], report.stats["r2_objects"]) == (0, None)
    bucket = (report.folder / "summary.md").read_text().partition("## Bucket")[2].partition("## Images by")[0]
    assert bucket.count("unknown") == 6
    assert "0" not in bucket


def test_dagsters_headline_is_short_and_whole(reported: Reported) -> None:
    headline = reported.report.headline
    assert len(headline) <= 1_000
    assert "**7 of 12 images are in R2**" in headline
    assert headline.count("```") == 2
