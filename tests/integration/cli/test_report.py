"""`report`: where the page is, what it says, links that work; and each way in which it cannot be written or shown."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3
from click.testing import CliRunner

from tests.integration.cli.commandline import Result, Site
from tests.support.traces import contents
from z_interact_assets.cli import main
from z_interact_assets.demo.standin import StandIn
from z_interact_assets.report.catalogue import DESCRIPTIONS
from z_interact_assets.settings import setting_names

pytestmark = pytest.mark.slow

IMAGES = 3
REFUSED = {"R2_SECRET_ACCESS_KEY": "wrong"}  # R2 answers at once; out of reach, it would be asked for some seconds


class Reports:
    """A migrated site and the reports made of it, once for all tests that only look.

    The command runs in this process: what it imports (pandas, the charts) takes longer than all it does.
    """

    def __init__(self, site: Site, patch: pytest.MonkeyPatch) -> None:
        self.site = site
        patch.chdir(site.folder)
        site.add_images(IMAGES)
        site.app.add("bad", image_data="%%% no base64 %%%")
        self.empty = self.run("report", "--json", "--out", "before")
        self.run("migrate")
        self.shown = self.run("report")
        self.published = self.run("report", "--publish", "--out", "of mine", "--json")

    def run(self, *arguments: str, **changes: str) -> Result:
        with pytest.MonkeyPatch.context() as patch:
            for name in setting_names():
                patch.delenv(name, raising=False)
            for name, value in {**self.site.settings, **changes}.items():
                patch.setenv(name, value)
            ended = CliRunner().invoke(main, list(arguments))
        return Result(code=ended.exit_code, stdout=ended.stdout, stderr=ended.stderr)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reports]:
    folder = tmp_path_factory.mktemp("reports")
    with StandIn(folder / "r2") as standin, pytest.MonkeyPatch.context() as patch:
        yield Reports(Site(folder / "site", standin), patch)


def test_people_are_told_where_the_page_is_and_what_it_says_first(reports: Reports) -> None:
    ended = reports.shown
    assert (ended.code, ended.remarks) == (0, [])
    (page,) = [line.strip() for line in ended.stdout.splitlines() if line.endswith("index.html")]
    assert Path(page).is_file()
    assert Path(page).is_relative_to(reports.site.folder / ".dagster_home" / "reports")
    assert "4 rows; health:" in ended.stdout
    assert "1 image is quarantined." in ended.stdout
    assert "http" not in ended.stdout  # no link without being asked


def test_the_document_has_folder_files_links_and_statistics(reports: Reports) -> None:
    document = reports.published.document
    assert reports.published.code == 0
    assert set(document) == {"folder", "files", "published", "stats"}
    folder = Path(document["folder"])
    assert folder.parent == reports.site.folder / "of mine"
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert {file["name"]: file["bytes"] for file in document["files"]} == sizes
    assert {file["name"]: file["rows"] for file in document["files"]}["images.csv"] == IMAGES + 1
    assert [set(file) for file in document["published"]] == [{"name", "key", "url"}] * len(DESCRIPTIONS)
    assert document["stats"] == json.loads((folder / "storage_stats.json").read_text())
    assert (document["stats"]["r2_objects"], document["stats"]["missing_objects"]) == (IMAGES, 0)


def test_published_links_read_the_very_files(reports: Reports) -> None:
    document = reports.published.document
    for file in document["published"]:
        answer = urllib3.request("GET", file["url"], retries=False)
        assert (answer.status, answer.data) == (200, (Path(document["folder"]) / file["name"]).read_bytes())
        assert file["key"].startswith("private/reports/")
        unsigned = urllib3.request("GET", file["url"].partition("?")[0], retries=False)
        assert unsigned.status == 403


def test_no_link_is_kept_anywhere(reports: Reports) -> None:
    signatures = [file["url"].rpartition("Signature=")[2] for file in reports.published.document["published"]]
    kept = [place for place, content in contents(reports.site.folder) if b"X-Amz-Signature" in content
            or any(signature.encode() in content for signature in signatures)]  # fmt: skip
    assert kept == []


def test_without_r2_the_report_is_written_and_says_what_is_unknown(reports: Reports) -> None:
    ended = reports.run("report", "--json", "--out", "unknown", **REFUSED)
    assert ended.code == 0
    assert "Warning: the bucket cannot be asked" in ended.stderr
    document = ended.document
    assert document["published"] is None
    assert document["stats"]["r2_objects"] is None
    assert document["stats"]["health"]["status"] == "unknown"
    assert "unknown" in (Path(document["folder"]) / "summary.md").read_text()


@pytest.mark.exhaustive
def test_what_cannot_be_published_is_written_and_told(reports: Reports) -> None:
    ended = reports.run("report", "--publish", "--json", R2_ENDPOINT_URL="http://127.0.0.1:9")
    assert (ended.code, ended.stdout) == (3, "")
    assert "written, but not published" in ended.stderr
    assert "did not answer" in ended.stderr


def test_a_bucket_for_reports_that_is_not_there_is_named(reports: Reports) -> None:
    ended = reports.run("report", "--publish", REPORT_BUCKET_NAME="somebody-elses")
    assert ended.code == 2
    assert "There is no bucket 'somebody-elses'" in ended.stderr
    assert "REPORT_BUCKET_NAME" in ended.stderr


@pytest.mark.parametrize("where", ["local.db", "local.db/reports"])
def test_a_report_into_a_file_is_refused_with_a_remedy(reports: Reports, where: str) -> None:
    ended = reports.run("report", "--json", "--out", where)
    assert (ended.code, ended.stdout) == (2, "")
    assert "cannot be written" in ended.stderr
    assert "--out" in ended.stderr


def test_a_setting_names_the_folder_and_how_many_stay(reports: Reports) -> None:
    kept = reports.site.folder / "before"
    assert len(list(kept.iterdir())) == 2
    ended = reports.run("report", REPORT_DIR="before", REPORTS_KEPT="1", **REFUSED)
    assert ended.code == 0, ended.output
    (newest,) = [path for path in kept.iterdir() if path.name != "latest"]
    assert (kept / "latest").resolve() == newest
    assert str(newest) not in reports.empty.stdout


def test_before_any_migration_there_is_a_report_of_what_is_known(reports: Reports) -> None:
    assert reports.empty.code == 0, reports.empty.stderr
    document = reports.empty.document
    assert (document["stats"]["total_images"], document["stats"]["base64_images"]) == (IMAGES + 1, IMAGES + 1)
    assert document["files"][0]["name"] == "index.html"
