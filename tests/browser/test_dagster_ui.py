"""A person's walk through the Dagster UI after the demo: graph, asset, batch, run, checks, launchpad."""

import os
import re
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.support.browser import Witness

pytestmark = pytest.mark.slow

GROUPS = {
    "legacy": ["legacy_images"],
    "migration": ["migration_batches", "migrated_images", "reclaimed_images"],
    "inventory": ["r2_inventory"],
    "reports": ["storage_stats", "storage_report"],
}
BATCHES = 30  # of the demo


def shoot(page: Page, shots: Path, name: str) -> None:
    """Keep what the page shows; in SCREENSHOTS, if that is set, to be looked at. 256 colours: a third of the size."""
    picture = Image.open(BytesIO(page.screenshot(animations="disabled"))).convert("RGB").quantize(256)
    picture.save(Path(os.environ.get("SCREENSHOTS", shots)) / f"{name}.png", optimize=True)


def test_the_graph_shows_every_group_and_leads_to_the_batches(page: Page, shots: Path, witness: Witness, ui: str):
    page.set_viewport_size({"width": 1900, "height": 780})  # wide enough for the nodes' details
    page.goto("/")
    page.get_by_role("link", name="Lineage").click()
    for group in GROUPS:
        expect(page.get_by_text(group, exact=True).first).to_be_visible()
    page.get_by_text("Hide navigation").click()
    page.get_by_role("button", name="panel_show_right").click()
    page.keyboard.press("Alt+KeyE")  # expand all groups
    page.get_by_role("button", name="zoom_in").click()
    for name in (name for names in GROUPS.values() for name in names):
        expect(page.get_by_text(name, exact=True).first).to_be_visible()
    expect(page.get_by_text(f"{BATCHES} partitions")).to_have_count(2)
    expect(page.get_by_text("100% filled")).to_be_visible()
    shoot(page, shots, "asset-graph")
    page.get_by_text("migrated_images", exact=True).first.click()
    page.get_by_role("link", name="View in Asset Catalog").click()
    expect(page).to_have_url(re.compile("/assets/migrated_images"))
    page.get_by_role("tab", name="Partitions").click()
    expect(page.get_by_text(f"Materialized ({BATCHES})")).to_be_visible()
    expect(page.get_by_text("Failed (0)")).to_be_visible()
    assert witness.errors == []
    assert witness.hosts == {urlsplit(ui).hostname}


def test_a_batch_shows_its_images_and_its_run(page: Page, shots: Path, witness: Witness):
    page.goto("/assets/migrated_images?view=partitions")
    page.locator("span", has_text="b000003").click()
    expect(page.get_by_text("Materialized", exact=True)).to_be_visible()
    row = page.locator("tr", has_text="dagster/row_count")
    expect(row).to_contain_text("10")
    picture = page.locator("td img").first
    picture.scroll_into_view_if_needed()
    page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=picture.element_handle())
    shoot(page, shots, "batch")
    page.locator("a[href^='/runs/']").first.click()
    expect(page.get_by_text("Success", exact=True)).to_be_visible()
    expect(page.get_by_text("Run of migrate_images")).to_be_visible()
    shoot(page, shots, "run")
    assert witness.errors == []


def test_checks_tell_what_was_set_aside_apart_from_a_loss(page: Page, shots: Path, witness: Witness):
    page.goto("/assets/migrated_images?view=checks&checkDetail=every_image_is_migrated")
    set_aside = page.locator("tr", has_text="set_aside").first
    expect(set_aside).to_contain_text("15")
    shown = page.locator("body")
    expect(shown).to_match_aria_snapshot('- img "warning_outline"\n- text: /every_image_is_migrated Failed/')
    for name in ("every_object_is_stored", "every_checksum_matches", "every_row_points_at_its_object"):
        expect(shown).to_match_aria_snapshot(f'- img "check_circle"\n- text: /{name} Succeeded/')
    shoot(page, shots, "checks")
    assert witness.errors == []


def test_what_destroys_opens_in_the_launchpad_as_a_dry_run(page: Page, shots: Path, witness: Witness):
    page.goto("/locations/z_interact_assets/jobs/rollback_migration/playground")
    expect(page.locator(".CodeMirror-code, .cm-content").first).to_contain_text("dry_run: true")
    expect(page.get_by_text("No errors")).to_be_visible()
    shoot(page, shots, "launchpad")
    assert witness.errors == []


def test_the_statistics_are_numbers_that_are_plotted(page: Page, shots: Path, witness: Witness):
    page.goto("/assets/storage_stats")
    # The history's columns are listed by the same names.
    expect(page.locator("tr", has_text="total_images").filter(has_text="300").first).to_be_visible()
    shoot(page, shots, "stats")
    page.get_by_text("Plots", exact=True).click()
    expect(page.locator("canvas").first).to_be_visible()
    assert witness.errors == []


def test_everything_that_runs_by_itself_is_listed_with_its_switch(page: Page, shots: Path, witness: Witness):
    page.goto("/automation")
    for name in ("new_base64_images", "nightly_migration", "nightly_reclaim", "daily_storage_report"):
        expect(page.get_by_text(name, exact=True).first).to_be_visible()
    shoot(page, shots, "automation")
    assert witness.errors == []
