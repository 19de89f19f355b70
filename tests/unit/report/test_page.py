"""The page of a report: what it says, whatever the numbers are."""

import base64
import hashlib
import re
import subprocess
import sys
from datetime import timedelta
from itertools import pairwise

import pytest

from tests.support.parsed import Element, parsed
from tests.support.report_data import NOW, attention_of, finding, group, history_of, page_data, stats_of
from z_interact_assets.core.health import Situation, health
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.stats import BucketCounts, TableCounts
from z_interact_assets.report.page import Attention, PageData, render_page
from z_interact_assets.report.page.state import deductions

pytestmark = pytest.mark.slow  # vl_convert takes a second to start, and a page of charts another one

MILLION = {"r2": 700_000, "mixed": 200_000, "base64": 98_765, "imageless": 10, "external": 1_225}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202egnp.exe\x1b[31m"
OLD_KEYS = (
    "total_images", "r2_images", "base64_images", "mixed_images", "imageless_images", "external_images", "local_images",
    "unfinished_images", "unrecognised_images", "quarantined_images", "r2_objects", "r2_bytes", "base64_bytes",
    "orphan_objects", "missing_objects", "health", "generated_at",
)  # fmt: skip


def page_of(data: PageData) -> Element:
    return parsed(render_page(data))


@pytest.fixture(scope="module")
def usual() -> Element:
    """The page of 300 images."""
    return page_of(page_data())


def headline(page: Element) -> str:
    return page.one(class_="headline").text


def key_figures(page: Element) -> dict[str, str]:
    found = page.one("dl", class_="figures")
    return {pair.one("dt").text: pair.one(class_="value").text for pair in found.all("div")}


def test_it_says_the_state_then_what_changed_then_what_needs_a_hand(usual: Element):
    page = usual
    assert headline(page) == "277 of 300 images are safe in R2."
    verdict = page.one(class_="verdict").text
    assert (
        "12 still need to be moved: so far they are only base64 (stored as text inside the app's database)" in verdict
    )
    assert "8 cannot be moved as they are" in verdict
    assert [title.attributes["id"] for title in page.all("h2")] == [
        "state",
        "changes",
        "attention",
        "charts",
        "files",
        "words",
    ]
    assert key_figures(page)["Images in all"] == "300"
    assert key_figures(page)["Size of the files in R2"] == "13.3 MB"
    shares = [int(item.one("span", class_="number").text) for item in page.one("ul", class_="legend").all("li")]
    assert sum(shares[:-1]) == shares[-1] == 300
    changed = {row[0]: row[1:] for row in _table(page, "table-changes").rows()}
    assert changed["Images in R2"] == ["265", "277", "+12", "better"]
    assert changed["Base64 only"] == ["31", "20", "\N{MINUS SIGN}11", "better"]
    commands = [box.text for box in page.one("ol", class_="findings").all("pre")]
    assert commands == ["z-interact-assets status --quarantined", "z-interact-assets migrate"]
    assert ["bad_base64", "The text is not valid base64.", "5"] in _table(page, "table-quarantine").rows()
    assert "Made 25 Nov 2026, 06:30 UTC · files in R2 listed 25 Nov 2026, 06:00 UTC" in page.one("header").text


def test_every_chart_has_a_drawing_a_text_alternative_and_a_table(usual: Element):
    figures = list(usual.all("figure"))
    assert len(figures) == 9
    for figure in figures:
        assert list(figure.all("svg")), figure.attributes
        assert len(figure.one(role="img").attributes["aria-label"] or "") > 40
        assert figure.one("table").rows()


def test_tables_and_headings_are_in_order(usual: Element):
    page = usual
    for table in page.all("table"):
        assert table.one("caption").text
        assert all(head.attributes.get("scope") in {"col", "row"} for head in table.all("th"))
    levels = [int(element.tag[1]) for element in page.all() if re.fullmatch("h[1-6]", element.tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [element.attributes["id"] for element in page.all() if element.attributes.get("id")]
    assert len(ids) == len(set(ids))


def test_nothing_in_it_can_ask_the_network_and_its_policy_names_its_own_style_and_script(usual: Element):
    page = usual
    policy = page.one("meta", **{"http-equiv": "Content-Security-Policy"}).attributes["content"] or ""
    for tag in ("style", "script"):
        source = "".join(str(child) for child in page.one(tag).children)
        assert f"sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}" in policy
    assert "default-src 'none'" in policy
    assert not [element for element in page.all() if element.attributes.get("src") or element.attributes.get("style")]
    assert all((link.attributes["href"] or "").startswith("#") for link in page.all("a"))


def test_no_image_at_all():
    page = page_of(page_data(stats_of({}), history=[], attention=[], attention_total=0, files=[], previous=None))
    assert headline(page) == "There are no images yet."
    assert key_figures(page)["In R2"] == "0"
    assert "This is the first report in its folder" in page.text
    assert "Nothing was found that needs a hand" in page.text
    assert "No single image needs a hand" in page.text
    assert "There are no images yet." in page.one("figure", id="chart-persona").text


def test_one_image():
    before = stats_of({}, at=NOW - timedelta(hours=3))
    page = page_of(page_data(stats_of({"r2": 1}), history=[], attention=[], attention_total=0, previous=before))
    assert headline(page) == "The only image is safe in R2."
    assert "Nothing needs to be done." in page.one(class_="verdict").text
    assert "In the 3 hours since then, images: 1 more in all, 1 more in R2." in page.text
    assert headline(page_of(page_data(stats_of({"base64": 1})))) == "0 of 1 image is safe in R2."


def test_a_million_images():
    history = history_of(400, end=MILLION)
    written = render_page(
        page_data(stats_of(MILLION), history=history, attention=attention_of(1000), attention_total=54_321)
    )
    page = parsed(written)
    assert headline(page) == "900,000 of 1,000,000 images are safe in R2."
    assert "98,757 still need to be moved" in page.text
    assert key_figures(page)["Size of the database"] == "19.1 GB"
    assert "The first 1,000 of 54,321; all of them are in images.csv." in page.text
    assert len(_table(page, "table-attention").rows()) == 1000
    assert len(_table(page, "table-history").rows()) == 401
    assert len(written) < 2_000_000


def test_where_r2_could_not_be_reached_it_says_so_and_no_zero_stands_for_unknown():
    page = page_of(page_data(stats_of(listed=False), bucket_error="The endpoint did not answer."))
    assert headline(page) == "R2 could not be checked: 277 of 300 images should be there."
    assert "The endpoint did not answer." in page.one(class_="verdict").text
    assert "R2 could not be listed" in page.one("header").text
    assert page.one(class_="score").one(class_="value").text == "unknown"
    assert key_figures(page)["Size of the files in R2"] == "unknown"
    changed = {row[0]: row[1:] for row in _table(page, "table-changes").rows()}
    assert changed["Files missing from R2"] == ["0", "unknown", "unknown", "not known in both"]
    assert _table(page, "table-bytes").rows()[0][1] == "unknown"
    assert _table(page, "table-costs").rows()[0][:2] == ["Room in R2", "unknown"]


def test_a_document_and_a_history_of_an_older_version():
    old = {key: value for key, value in stats_of().items() if key in OLD_KEYS}
    history = [
        {"generated_at": None},
        {"total_images": 3},
        {"generated_at": 1_700_000_000_000, "r2_images": 5},
        *history_of(3),
    ]
    page = page_of(page_data(old, previous=old, history=history))
    assert headline(page) == "277 of 300 images are safe in R2."
    assert key_figures(page)["Cost a month"] == "unknown"
    assert key_figures(page)["Size of the database"] == "unknown"
    for name in ("persona", "database", "throughput", "costs"):
        assert "Unknown" in page.one("figure", id=f"chart-{name}").text
    assert ["14 Nov 2023, 22:13 UTC", "5", "unknown", "unknown"] in _table(page, "table-history").rows()
    assert headline(page_of(page_data({}, previous={}, history=[{}]))) == "The state is unknown."


def test_texts_of_strangers_stay_texts():
    stats = stats_of(findings=[finding("missing", "loss", 1, HOSTILE, HOSTILE, HOSTILE)], quarantine={HOSTILE: 1})
    stats["breakdowns"]["persona"] = [
        group(HOSTILE, images=200, r2_images=180), group("x" * 5_000, images=60, r2_images=60),
        group("x" * 4_999, images=20, r2_images=20), group("half a pair: \ud800", images=20),
    ]  # fmt: skip
    row = Attention(
        image_id="i" * 5_000,
        persona=HOSTILE,
        created_at=HOSTILE,
        problem=HOSTILE,
        sentence=HOSTILE,
        action=HOSTILE,
        key=HOSTILE,
    )
    data = page_data(stats, title=HOSTILE, version=HOSTILE, attention=[row], attention_total=1, bucket_error=HOSTILE)
    written = render_page(data)
    page = parsed(written)
    assert not set("\u202e\x1b") & set(written.decode())
    assert len(list(page.all("script"))) == 1
    assert not list(page.all("img"))
    assert not [element for element in page.all() if any(name.startswith("on") for name in element.attributes)]
    assert "<script>alert(1)</script>" in page.one("title").text
    assert len(_table(page, "table-attention").rows()[0][1]) < 450
    assert (
        len(list(page.one("figure", id="chart-persona").one("svg").all("path", **{"aria-roledescription": "bar"}))) >= 8
    )
    assert "i" * 201 not in page.text
    assert "x" * 81 not in page.text


def test_what_lowers_the_score_adds_up_to_it():
    stats = stats_of(orphan_objects=3, missing_objects=2)
    stats["findings"] += [
        finding("missing", "loss", 2, "2 missing", "x"), finding("orphans", "waste", 3, "3 orphans", "x"),
        finding("database_filling_up", "work", 1, "full", "x"),
    ]  # fmt: skip
    situation = Situation(
        table=TableCounts(total=300, r2=230, mixed=47, base64=20, imageless=1, external=2),
        bucket=BucketCounts(objects=277, bytes=1, known=274, orphans=3, missing=2),
        states={ItemState.QUARANTINED: stats["quarantined_images"]}, database_bytes=95, database_limit=100,
    )  # fmt: skip
    assert int(100 - sum(one.points for one in deductions(stats))) == health(situation).score


def test_importing_the_page_does_not_import_what_draws():
    code = "import sys, z_interact_assets.report.page; print({'altair', 'vl_convert', 'jinja2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def _table(page: Element, caption_id: str) -> Element:
    return next(table for table in page.all("table") if table.one("caption").attributes.get("id") == caption_id)
