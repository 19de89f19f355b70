"""The report's page, opened from disk in Chromium: drawn, sorted, filtered, dark, on a phone, on paper."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, FloatRect, Page, ViewportSize, expect

from tests.support.browser import Witness
from tests.support.report_data import attention_of, history_of, page_data
from z_interact_assets.report.page import render_page

pytestmark = pytest.mark.slow

ROWS = 30
WIDE: ViewportSize = {"width": 1280, "height": 785}
PHONE: ViewportSize = {"width": 360, "height": 740}
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("report") / "index.html"
    file.write_bytes(render_page(page_data(history=history_of(12), attention=attention_of(ROWS), attention_total=ROWS)))
    return file.as_uri()


@pytest.fixture
def opened(browser: Browser, address: str) -> Iterator[Open]:
    """Opens the page; in the end nothing may have been asked for but the file, and no error said."""
    with ExitStack() as stack:
        seen: list[tuple[Witness, list[str]]] = []

        def open_page(viewport: ViewportSize = WIDE, **options: object) -> Page:
            context = stack.enter_context(browser.new_context(viewport=viewport, locale="en-GB", **options))  # type: ignore[arg-type]
            page = context.new_page()
            page.set_default_timeout(10_000)
            asked: list[str] = []
            page.on("request", lambda request: asked.append(request.url))
            seen.append((Witness(page), asked))
            page.goto(address)
            return page

        yield open_page
        for witness, asked in seen:
            assert witness.errors == []
            assert asked == [address]


def shown(page: Page, column: int) -> list[str]:
    """What a column of the table of images holds, in the order shown."""
    cells = f"#attention-table tbody tr:not([hidden]) > :nth-child({column})"
    return page.locator(cells).all_inner_texts()


def colour(page: Page, selector: str, of: str) -> str:
    return page.locator(selector).first.evaluate("(element, of) => getComputedStyle(element)[of]", of)


def shoot(page: Page, shots: Path, name: str, clip: FloatRect | None = None) -> None:
    """Keep what is shown; in SCREENSHOTS, if that is set. 256 colours: a third of the size."""
    picture = Image.open(BytesIO(page.screenshot(clip=clip, full_page=clip is not None))).convert("RGB").quantize(256)
    picture.save(Path(os.environ.get("SCREENSHOTS", shots)) / f"{name}.png", optimize=True)


def test_charts_are_drawn_and_their_marks_tell_what_they_are(opened: Open, shots: Path):
    page = opened()
    shoot(page, shots, "report")
    for figure in page.locator("figure").all():
        chart = figure.locator(".chart:visible svg")
        expect(chart).to_have_count(1)
        sizes = chart.evaluate(
            """chart => [...chart.querySelectorAll("[role=graphics-symbol]")]
            .map(mark => mark.getBoundingClientRect()).map(box => box.width + box.height)"""
        )
        assert sum(size > 1 for size in sizes) >= 2, figure.get_attribute("id")
    bar = page.locator("#chart-persona [aria-roledescription=bar]").first
    bar.hover()
    expect(page.locator(".tip")).to_have_text(bar.get_attribute("aria-label") or "")
    assert "images" in page.locator(".tip").inner_text()


def test_the_table_is_sorted_by_mouse_and_by_keyboard(opened: Open, shots: Path):
    page = opened()
    page.locator("#attention-table").get_by_role("button", name="Created").click()
    heading = page.get_by_role("columnheader", name="Created")
    expect(heading).to_have_attribute("aria-sort", "ascending")
    expect(page.locator("[role=status].unseen")).to_have_text("Sorted by Created, ascending")
    assert shown(page, 4) == sorted(shown(page, 4))
    page.keyboard.press("Enter")  # the button has the focus
    expect(heading).to_have_attribute("aria-sort", "descending")
    expect(page.locator("[role=status].unseen")).to_have_text("Sorted by Created, descending")
    assert shown(page, 4) == sorted(shown(page, 4), reverse=True)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    expect(page.locator("[role=status].unseen")).to_have_text("Sorted by Persona, ascending")
    assert len(shown(page, 3)) == ROWS
    assert shown(page, 3)[-1] == "\N{EN DASH}"  # those without one are last
    page.locator("#images").scroll_into_view_if_needed()
    start, end = page.locator("#images").bounding_box(), page.locator(".tall").bounding_box()
    assert start
    assert end
    top = start["y"] + page.evaluate("scrollY") - 12
    shoot(
        page,
        shots,
        "report-attention",
        {"x": 40, "y": top, "width": 1200, "height": end["y"] - start["y"] + end["height"] + 24},
    )


def test_numbers_are_sorted_as_numbers(opened: Open):
    page = opened()
    figure = page.locator("#chart-bytes")
    figure.locator("summary").click()
    figure.get_by_role("button", name="Files in R2").click()
    expect(figure.get_by_role("columnheader", name="Files in R2")).to_have_attribute("aria-sort", "ascending")
    expect(figure.locator("tbody tr").first.locator("td").first).to_have_text("0 bytes")
    kept = figure.locator("tbody tr td:nth-child(2)").evaluate_all(
        "cells => cells.map(cell => Number(cell.dataset.sort))"
    )
    assert kept == sorted(kept)
    assert len(set(kept)) > 10


def test_the_table_is_filtered_by_keyboard_and_by_mouse(opened: Open):
    page = opened()
    status = page.locator("#shown")
    expect(status).to_have_text(f"{ROWS} of {ROWS} shown")
    page.get_by_label("Search").focus()
    page.keyboard.type("NURSE failed")
    expect(status).not_to_have_text(f"{ROWS} of {ROWS} shown")
    assert set(shown(page, 1)) == {"failed"}
    assert set(shown(page, 3)) == {"night-shift nurse"}
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # Clear
    expect(status).to_have_text(f"{ROWS} of {ROWS} shown")
    page.get_by_label("Problem").select_option("missing object")
    expect(status).to_have_text(f"{ROWS // 5} of {ROWS} shown")
    page.locator("#attention-table").get_by_role("button", name="Image").click()
    expect(page.get_by_role("columnheader", name="Image", exact=True)).to_have_attribute("aria-sort", "ascending")
    assert set(shown(page, 1)) == {"missing object"}
    page.get_by_label("Search").fill("no such image")
    expect(status).to_have_text(f"0 of {ROWS} shown")


def test_a_command_is_copied(opened: Open):
    page = opened(permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the command z-interact-assets migrate").click()
    expect(page.locator(".command button").last).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "z-interact-assets migrate"


def test_dark_is_dark_by_wish_of_the_system_or_of_the_reader(opened: Open):
    light, dark = opened(color_scheme="light"), opened(color_scheme="dark")
    parts = (("body", "backgroundColor"), ("body", "color"), ("#chart-persona [aria-roledescription=bar]", "fill"))
    of_light = [colour(light, *part) for part in parts]
    of_dark = [colour(dark, *part) for part in parts]
    assert all(one != other for one, other in zip(of_light, of_dark, strict=True))
    light.get_by_role("button", name="Dark colours").click()
    dark.get_by_role("button", name="Light colours").click()
    assert [colour(light, *part) for part in parts] == of_dark
    assert [colour(dark, *part) for part in parts] == of_light
    assert light.evaluate("localStorage.length + sessionStorage.length + document.cookie.length") == 0


def test_a_phone_scrolls_tables_but_not_the_page(opened: Open):
    page = opened(PHONE)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    region = page.get_by_role("region", name="Images that need a hand, with reasons")
    region.focus()
    page.keyboard.press("End")
    assert region.evaluate("region => region === document.activeElement && region.scrollWidth > region.clientWidth")
    expect(page.locator("#chart-history .narrow")).to_be_visible()
    expect(page.locator("#chart-history .wide")).to_be_hidden()


@pytest.mark.parametrize(
    ("scheme", "size"),
    [
        ("light", WIDE),
        ("dark", PHONE),
        pytest.param("light", PHONE, marks=pytest.mark.exhaustive),
        pytest.param("dark", WIDE, marks=pytest.mark.exhaustive),
    ],
    ids=["light, wide", "dark, phone", "light, phone", "dark, wide"],
)
def test_axe_finds_nothing(opened: Open, scheme: str, size: ViewportSize):
    page = opened(size, color_scheme=scheme)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_without_script_everything_can_be_read(opened: Open):
    page = opened(java_script_enabled=False)
    expect(page.locator(".headline")).to_have_text("277 of 300 images are safe in R2.")
    expect(page.locator("#attention-table tbody tr")).to_have_count(ROWS)
    expect(page.locator("form.filter")).to_be_hidden()
    expect(page.locator("button:visible")).to_have_count(0)
    page.locator("#chart-costs summary").click()
    expect(page.locator("#chart-costs table")).to_be_visible()


def test_on_paper_no_table_is_cut_and_everything_is_open(opened: Open):
    page = opened({"width": 700, "height": 990}, color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert colour(page, "body", "backgroundColor") == "rgb(255, 255, 255)"
    table, region = page.locator("#attention-table").bounding_box(), page.locator(".tall").bounding_box()
    assert table
    assert region
    assert region["height"] >= table["height"] > 1_000
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.locator("details:not([open])")).to_have_count(0)
    expect(page.locator(".theme")).to_be_hidden()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.locator("details[open]")).to_have_count(0)


def test_a_script_that_got_in_would_not_run_nor_ask(browser: Browser, address: str):
    with browser.new_context() as context:
        page = context.new_page()
        witness = Witness(page)
        refused: list[str | None] = []
        page.on("requestfailed", lambda request: refused.append(request.failure))
        page.goto(address)
        page.evaluate(
            """() => {
                const script = document.createElement("script");
                script.textContent = "window.ran = true";
                const picture = new Image();
                picture.src = "http://127.0.0.1:9/pixel.png";
                document.body.append(script, picture);
            }"""
        )
        page.wait_for_timeout(200)
        assert page.evaluate("window.ran") is None
        assert refused == ["csp"]
        assert len(witness.errors) == 2
        assert all("Content Security Policy" in error for error in witness.errors)
