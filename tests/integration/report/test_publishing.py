"""Published reports, in a real S3 server: under names nobody can guess, kept as long as asked, nothing else touched."""

import re
from contextlib import closing
from pathlib import Path

import pytest
import urllib3

from tests.support.sites import Site
from z_interact_assets.report.catalogue import DESCRIPTIONS, ReportFile
from z_interact_assets.report.publishing import PREFIX, publish_report, retire_published
from z_interact_assets.settings import load_settings
from z_interact_assets.storage.objects import FileHeaders, R2Store
from z_interact_assets.workspace import Workspace

NAME = "2025-11-25T08-30-00Z"
HTML = FileHeaders(content_type="text/html")


@pytest.fixture
def store(r2_site: Site) -> R2Store:
    assert isinstance(r2_site.store, R2Store)
    return r2_site.store


def a_report(folder: Path, name: str = NAME) -> tuple[Path, list[ReportFile]]:
    report = folder / name
    report.mkdir(exist_ok=True)
    files = []
    for file in DESCRIPTIONS:
        (report / file).write_bytes(f"{name} {file}".encode())
        files.append(ReportFile(name=file, bytes=1, sha256="0" * 64))
    return report, files


def keys(store: R2Store) -> list[str]:
    return [entry.key for entry in store.list()]


def test_links_read_each_file_with_its_type_and_the_name_to_save_it_under(store: R2Store, tmp_path: Path) -> None:
    report, files = a_report(tmp_path)
    published = publish_report(store, report, files, keep=1)
    assert published[0].name == "index.html"
    assert {file.name for file in published} == set(DESCRIPTIONS)
    for file in published:
        answer = urllib3.request("GET", store.presigned_get(file.key, 60), retries=False)
        assert (answer.status, answer.data) == (200, f"{NAME} {file.name}".encode())
        assert answer.headers["Cache-Control"] == "private, no-store"
        saved_as = answer.headers.get("Content-Disposition")
        assert saved_as == (None if file.name == "index.html" else f'attachment; filename="{NAME}-{file.name}"')
    types = {file.name.rpartition(".")[2]: store.head(file.key) for file in published}
    assert {kind: found.content_type for kind, found in types.items() if found} == {
        "html": "text/html; charset=utf-8", "md": "text/markdown; charset=utf-8", "json": "application/json",
        "csv": "text/csv; charset=utf-8; header=present", "parquet": "application/vnd.apache.parquet",
    }  # fmt: skip


def test_a_key_holds_128_random_bits_of_its_own(store: R2Store, tmp_path: Path) -> None:
    report, files = a_report(tmp_path)
    found = [publish_report(store, report, files[:1], keep=9)[0].key for _ in range(3)]
    assert len(set(found)) == 3
    assert all(re.fullmatch(rf"{PREFIX}{NAME}-[0-9a-f]{{32}}/[a-z.]+", key) for key in found)


@pytest.mark.slow
def test_the_oldest_published_reports_go_and_nothing_else(store: R2Store, tmp_path: Path) -> None:
    strangers = [
        "images/a.png",
        "private/notes.txt",
        f"{PREFIX}readme.txt",
        f"{PREFIX}2020-01-01T00-00-00Z-0123/index.html",  # not so many random bits
        f"{PREFIX}2020-01-01T00-00-00Z-{'0' * 32}/mine.txt",  # in a folder of ours, but no file of ours
        f"{PREFIX}2020-01-01T00-00-00Z-{'0' * 32}/sub/index.html",
        f"{PREFIX}somebody-{'0' * 32}/index.html",
    ]
    (tmp_path / "x").write_bytes(b"x")
    for key in strangers:
        store.upload_file(key, tmp_path / "x", HTML)
    for day in range(20, 25):
        publish_report(store, *a_report(tmp_path, f"2025-11-{day}T08-30-00Z"), keep=2)
    left = keys(store)
    assert set(strangers) <= set(left)
    reports = {key.split("/")[2][:20] for key in left if key not in strangers}
    assert reports == {"2025-11-23T08-30-00Z", "2025-11-24T08-30-00Z"}
    assert len(left) == len(strangers) + 2 * len(DESCRIPTIONS)


def test_what_was_kept_already_is_not_deleted_again(store: R2Store, tmp_path: Path) -> None:
    publish_report(store, *a_report(tmp_path), keep=1)
    assert retire_published(store, keep=1) == 0


OWN = "reports-are-here"


@pytest.mark.parametrize(("given", "bucket"), [({}, "images-are-here"), ({"REPORT_BUCKET_NAME": OWN}, OWN)])
def test_a_setting_names_a_bucket_of_their_own(tmp_path: Path, given: dict[str, str], bucket: str) -> None:
    settings = load_settings(
        {
            "R2_ACCOUNT_ID": "a" * 32, "R2_ACCESS_KEY_ID": "id", "R2_SECRET_ACCESS_KEY": "secret",
            "R2_PUBLIC_URL": "https://img.example.com", "R2_BUCKET_NAME": "images-are-here",
            **given,
        },
        directory=tmp_path,
    )  # fmt: skip
    with closing(Workspace(settings)) as workspace:
        assert workspace.report_store.bucket == bucket
        assert workspace.store.bucket == "images-are-here"


def test_the_inventory_does_not_count_reports(r2_site: Site, store: R2Store, tmp_path: Path) -> None:
    publish_report(store, *a_report(tmp_path), keep=1)
    inventory = r2_site.inventory()
    assert (inventory.objects, inventory.orphan_count) == (0, 0)
