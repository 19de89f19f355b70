"""Each kind of edit at each moment at which the app can slip in between two steps of a migration."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.images import base64_of, data_url_of, make_png
from tests.support.sites import PUBLIC_URL, Site
from tests.support.tables import AppTable
from z_interact_assets.core.models import PENDING_STATES, ItemState
from z_interact_assets.storage.legacy.reader import RowReader

# Where the app slips in: just before this call of ours.
BEFORE_SWITCH = {
    "head and read": ("rows", "read"),
    "read and upload": ("memory", "upload"),
    "upload and record": ("work", "record_stored"),
    "record and switch": ("table", "apply"),
}
AFTER_SWITCH = {"switch and outcome": ("work", "record_outcomes")}
NEW = make_png(77)
EDITS: dict[str, dict[str, Any] | None] = {
    "same length": {"image_data": base64_of(make_png(78))},
    "another image": {"image_data": base64_of(NEW), "image_url": None},
    "the image moves to the url": {"image_data": None, "image_url": data_url_of(NEW)},
    "another url": {"image_url": "/images/b.jpg"},
    "a provider's url": {"image_url": "https://provider.example.net/b.png"},
    "no image": {"image_data": None, "image_url": None},
    "prompt": {"prompt": "new", "status": "locked", "updated_at": 9_999_999_999_999},
    "deletion": None,
}

IMAGE_EDITS = ("same length", "another image", "the image moves to the url", "another url", "no image")


def slip_in(site: Site, moment: tuple[str, str], edit: Callable[[], None]) -> None:
    """Call `edit` once, right before that call."""
    owner: Any = {"rows": RowReader, "table": site.table, "memory": site.memory, "work": site.ledger.work}[moment[0]]
    real = getattr(owner, moment[1])

    def call(*arguments: Any, **options: Any) -> Any:
        setattr(owner, moment[1], real)
        edit()
        return real(*arguments, **options)

    setattr(owner, moment[1], call)


@pytest.fixture
def app(tmp_path) -> AppTable:
    made = AppTable(tmp_path / "local.db")
    made.add("a", image_data=base64_of(make_png(1)), image_url="/images/a.jpg")
    return made


def edit_by(app: AppTable, columns: dict[str, Any] | None) -> Callable[[], None]:
    return (lambda: app.delete("a")) if columns is None else (lambda: app.set("a", **columns))


def holds(site: Site, app: AppTable, row_id: str) -> bytes | None:
    """The image a visitor would get."""
    url = app.row(row_id)["image_url"] or ""
    return site.memory.download(url.removeprefix(f"{PUBLIC_URL}/")) if url.startswith(PUBLIC_URL) else None


@pytest.mark.slow
@pytest.mark.parametrize("name", EDITS)
@pytest.mark.parametrize("moment", [*BEFORE_SWITCH, *AFTER_SWITCH])
def test_an_edit_at_any_moment_is_there_afterwards(make_site, app, moment, name):
    site, columns = make_site(concurrency=1), EDITS[name]
    slip_in(site, (BEFORE_SWITCH | AFTER_SWITCH)[moment], edit_by(app, columns))
    site.migrate()
    seen = app.rows().get("a")
    if columns is None:
        assert seen is None
    elif moment in AFTER_SWITCH:
        assert seen is not None
        assert {column: seen[column] for column in columns} == columns
    site.migrate()
    site.migrate()
    assert site.state("a")[0] not in PENDING_STATES
    if columns is None:
        assert app.rows() == {}
        assert site.state("a")[0] is ItemState.CONFLICT or "published" in site.events("a")
        return
    row = app.row("a")
    ours = holds(site, app, "a")
    for column in columns.keys() - {"image_url"}:
        assert row[column] == columns[column] or (column == "image_data" and ours)
    texts = {"image_data": base64_of(make_png(1)), "image_url": "/images/a.jpg"} | columns
    if texts["image_data"] is not None:
        assert row["image_data"] == texts["image_data"]
    elif texts["image_url"]:
        assert ours == NEW
    else:
        assert (row["image_url"], row["image_data"]) == (None, None)


@pytest.mark.parametrize("name", IMAGE_EDITS)
@pytest.mark.parametrize("moment", list(BEFORE_SWITCH)[1:])
def test_an_edit_of_the_image_before_its_switch_is_a_conflict(make_site, app, moment, name):
    site = make_site(concurrency=1)
    slip_in(site, BEFORE_SWITCH[moment], edit_by(app, EDITS[name]))
    site.migrate()
    before = {"image_data": base64_of(make_png(1)), "image_url": "/images/a.jpg"}
    row = app.row("a")
    assert {column: row[column] for column in before} == before | (EDITS[name] or {})
    assert site.state("a")[0] is ItemState.CONFLICT
    site.migrate()
    assert site.events("a").count("planned_again") == (name != "no image")


def test_a_switch_never_sets_the_rows_time_back(make_site, app):
    """A gallery asks for what is later than the latest it has."""
    site = make_site(concurrency=1)
    slip_in(site, ("table", "apply"), edit_by(app, EDITS["prompt"]))
    site.migrate()
    row = app.row("a")
    assert row["image_url"].startswith(PUBLIC_URL)
    assert (row["prompt"], row["updated_at"]) == ("new", 9_999_999_999_999)


def test_a_row_switched_by_another_run_and_then_edited_is_a_conflict(make_site, app):
    """Its URL is the one we would have written, the image beside it is not the one we read."""
    site = make_site(concurrency=1)

    def switch_and_edit() -> None:
        apply = site.table.apply

        def late(changes: Any, **options: Any) -> list[bool]:
            assert apply(changes, **options) == [True]  # the other run's: the same switch
            app.set("a", **(EDITS["same length"] or {}))
            return apply(changes, **options)

        site.table.apply = late

    slip_in(site, ("work", "record_stored"), switch_and_edit)
    site.migrate()
    assert site.state("a")[0] is ItemState.CONFLICT
