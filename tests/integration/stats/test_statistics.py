"""The document and the frames, of the demo's table with every odd state in it: true, and about hostile rows too."""

import sqlite3
from contextlib import closing
from types import SimpleNamespace

import pandas as pd
import pyarrow as pa
import pytest

from tests.support.images import base64_of, data_url_of, make_png
from tests.support.sites import NOW_MS, PUBLIC_URL, Site
from tests.support.stores import HookedStore
from tests.support.tables import AppTable
from z_interact_assets.core.planning import HeadKind
from z_interact_assets.core.reasons import Reason
from z_interact_assets.core.stats import ROW_CLASSES
from z_interact_assets.demo.sample import make_sample_table
from z_interact_assets.demo.shapes import SHAPES
from z_interact_assets.reverse import Chosen
from z_interact_assets.reverse.reclaim import DAY_MS
from z_interact_assets.stats import (
    IMAGE_COLUMNS,
    Sources,
    Terms,
    arrow_schema,
    bucket_of,
    collect_stats,
    image_columns,
    image_frames,
    summary,
)
from z_interact_assets.stats import frames as frames_module

MEASURES = ("images", "r2_images", "base64_images", "bytes", "base64_bytes")


def sources(site: Site, **terms) -> Sources:
    return Sources(table=site.table, ledger=site.ledger, bases=site.bases, terms=Terms(**terms))


def collect(site: Site, *, days: float = 0, bucket=True, **terms):
    """The document so many days after NOW_MS, and all rows in one frame."""
    frames: list[pd.DataFrame] = []
    counts = site.inventory().counts() if bucket else None
    now_ms = NOW_MS + int(days * DAY_MS)
    document = collect_stats(sources(site, **terms), counts, now_ms=now_ms, each_frame=frames.append)
    return document, pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """The demo's 300 rows, migrated; one image is rolled back, two are reclaimed."""
    folder = tmp_path_factory.mktemp("sample")
    store = HookedStore(public_url=PUBLIC_URL)
    made = make_sample_table(
        folder / "local.db", public_url=PUBLIC_URL, uploader=lambda key, data, _: (store.upload(key, data), None)[1]
    )
    with closing(Site(folder, AppTable(made.path), store)) as site:
        site.migrate()
        chosen = made.ids(kind="image_data", state="published") or made.ids(state="published")
        site.rollback(Chosen(image_ids=(chosen[0],)))
        document, frame = collect(site, days=8)
        yield SimpleNamespace(site=site, document=document, frame=frame, rows=site.app.rows(), made=made)


def test_rows_by_class_are_those_of_the_planner_and_add_up(sample):
    document = sample.document
    assert sum(document[f"{name}_images"] for name in ROW_CLASSES) == document["total_images"] == len(sample.rows)
    kinds = sample.site.plan().kinds
    assert document["base64_images"] + document["mixed_images"] == kinds[HeadKind.EMBEDDED] + kinds[HeadKind.DATA_URL]
    assert document["r2_images"] == kinds[HeadKind.ON_R2]
    assert sample.frame["row_class"].value_counts().to_dict() == {
        name: document[f"{name}_images"] for name in ROW_CLASSES if document[f"{name}_images"]
    }


def test_base64_is_the_text_in_the_table(sample):
    text = sum(
        len(str(row["image_data"]).encode()) if row["image_data"] is not None and row["image_data"] != ""
        else len(row["image_url"]) if str(row["image_url"] or "").strip()[:5].lower() == "data:" else 0
        for row in sample.rows.values()
    )  # fmt: skip
    assert sample.document["base64_bytes"] == sample.document["database"]["base64_bytes"] == text
    assert int(sample.frame["base64_bytes"].sum()) == text


def test_states_and_reasons_are_the_ledgers(sample):
    document, ended = sample.document, sample.site.ended()
    states = pd.Series([state.value for state, _ in ended.values()]).value_counts().to_dict()
    assert document["states"] == states
    assert sum(document["quarantine"].values()) == states["quarantined"] == document["quarantined_images"]
    assert all(Reason(reason) for reason in document["quarantine"])
    known = sample.frame.dropna(subset=["state"]).set_index("image_id")["state"].to_dict()
    assert known == {image_id: state.value for image_id, (state, _) in ended.items()}


@pytest.mark.parametrize("breakdown", ["persona", "session", "provider", "type", "month", "size", "dimensions"])
def test_each_breakdown_adds_up_to_the_total(sample, breakdown):
    groups = sample.document["breakdowns"][breakdown]
    sums = {name: sum(group[name] for group in groups) for name in MEASURES}
    document, frame = sample.document, sample.frame
    assert sums == {
        "images": document["total_images"],
        "r2_images": document["r2_images"] + document["mixed_images"],
        "base64_images": document["base64_images"],
        "bytes": int(frame["bytes"].sum()),
        "base64_bytes": document["base64_bytes"],
    }
    assert len({(group["group"], group["value"]) for group in groups}) == len(groups) <= 51


def test_personas_and_months_are_those_of_the_rows(sample):
    personas = pd.Series([row["persona_id"] for row in sample.rows.values()]).str.slice(0, 200).value_counts().to_dict()
    assert {group["value"]: group["images"] for group in sample.document["breakdowns"]["persona"]} == personas
    created = pd.Series([row["created_at"] for row in sample.rows.values()]).map(pd.to_numeric, na_action="ignore")
    created = created.where(created >= 1e11, created * 1_000)
    months = pd.to_datetime(created, unit="ms").dt.strftime("%Y-%m").value_counts().to_dict()
    groups = sample.document["breakdowns"]["month"]
    assert {group["value"]: group["images"] for group in groups} == months
    assert [group["value"] for group in groups] == sorted(months)


def test_types_are_proved_by_the_bytes_and_not_taken_from_the_table(sample):
    types = sample.frame["format"].astype(object).where(sample.frame["format"].notna(), None).value_counts(dropna=False)
    groups = sample.document["breakdowns"]["type"]
    assert {group["value"]: group["images"] for group in groups} == types.to_dict()
    assert {"png", "jpg", "webp"} <= {group["value"] for group in groups}


def test_what_may_be_cleared_is_what_a_reclaim_clears(sample):
    early = collect(sample.site, days=6.9)[0]["database"]
    assert (early["reclaimable_bytes"], early["reclaimable_now_bytes"]) == (
        sample.document["database"]["reclaimable_bytes"],
        0,
    )
    mixed = [row for row in sample.rows.values() if str(row["image_url"]).startswith(PUBLIC_URL) and row["image_data"]]
    assert sample.document["database"]["reclaimable_now_bytes"] == sum(len(row["image_data"]) for row in mixed)
    assert sample.document["mixed_images"] == len(mixed)


def test_the_databases_size_is_that_of_its_file(sample):
    database = sample.document["database"]
    with closing(sqlite3.connect(sample.site.app.path)) as connection:
        pages, free, size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
    assert (database["bytes"], database["free_bytes"]) == (pages * size, free * size)
    assert database["limit_bytes"] == 10_000_000_000


def test_todays_publications_are_the_days_throughput(sample):
    (day,) = sample.document["throughput"]
    published = [item for item in sample.site.ledger.ask.items() if "published" in sample.site.events(item.image_id)]
    assert day["day"] == "2025-10-09"
    assert day["images"] == len(published)
    assert day["bytes"] == sum(item.size or 0 for item in published)
    assert (day["quarantined"], day["failed"]) == (sample.document["quarantined_images"], 0)


def test_a_rolled_back_image_is_told_and_not_counted_as_waiting(sample):
    found = {finding["code"]: finding["count"] for finding in sample.document["findings"]}
    quarantined = int(((sample.frame["row_class"] == "base64") & (sample.frame["state"] == "quarantined")).sum())
    assert found["rolled_back"] == 1
    assert found.get("still_base64", 0) == sample.document["base64_images"] - quarantined - 1


def test_a_frame_has_the_documented_columns_and_fits_its_arrow_schema(sample):
    assert list(sample.frame.columns) == [column.name for column in IMAGE_COLUMNS]
    (frame,) = image_frames(sources(sample.site))
    assert [frame[column.name].dtype.name for column in IMAGE_COLUMNS] == [
        "category" if column.categorical else pd.api.types.pandas_dtype(column.dtype).name for column in IMAGE_COLUMNS
    ]
    table = pa.Table.from_pandas(frame, schema=arrow_schema(), preserve_index=False)
    assert table.num_rows == len(sample.rows)
    assert table.schema.field("created_at").type == pa.timestamp("ms", tz="UTC")
    assert table.column("image_id").to_pylist() == sorted(sample.rows)


def test_prompts_are_read_only_if_they_are_asked_for(sample):
    (frame,) = image_frames(sources(sample.site), prompts=True)
    assert list(frame.columns) == [column.name for column in image_columns(prompts=True)]
    prompts = frame.set_index("image_id")["prompt"].to_dict()
    said = {row_id: row["prompt"] for row_id, row in sample.rows.items() if row["prompt"] not in {None, "", "prompt"}}
    assert {row_id: prompt for row_id, prompt in prompts.items() if not pd.isna(prompt)} == said
    assert "prompt" not in sample.frame


def test_no_payload_and_no_access_is_in_a_frame(sample):
    urls = sample.frame["url"].dropna()
    assert urls.str.startswith(("https://", "http://")).all()
    assert not urls.str.contains("(?:sig|Signature|token)=(?!\\*\\*\\*)", regex=True).any()
    assert sample.frame["url"].notna().sum() >= sample.document["r2_images"]


def test_the_bucket_comes_back_out_of_a_document(sample):
    counts = sample.site.inventory().counts()
    assert bucket_of(sample.document) == counts
    assert bucket_of(sample.document | {"r2_objects": None}) is None
    old = {name: value for name, value in sample.document.items() if name not in {"known_objects", "shared_objects"}}
    of_old = bucket_of(old)
    assert of_old is not None
    assert (of_old.known, of_old.shared) == (counts.known, None)


def test_the_summary_is_short_and_has_no_text_of_a_row(sample):
    text = summary(sample.document)
    assert len(text) < 1_000
    assert "xxxx" not in text
    assert "z-interact-assets status --quarantined" in text


def test_without_a_listing_the_buckets_numbers_are_unknown(sample):
    document, _ = collect(sample.site, bucket=False)
    unknown = ("r2_objects", "r2_bytes", "known_objects", "orphan_objects", "missing_objects", "bucket_as_of")
    assert {document[name] for name in unknown} == {None}
    assert document["health"]["score"] is None
    assert document["costs"]["now"]["r2_storage"] is None
    assert document["total_images"] == len(sample.rows)
    assert "unknown" in summary(document)


def test_an_empty_table_is_healthy_and_has_empty_breakdowns(site):
    document, _ = collect(site)
    assert (document["total_images"], document["health"]["score"]) == (0, 100)
    assert document["breakdowns"] == {name: [] for name in document["breakdowns"]}
    assert (document["growth"]["images_per_day"], document["growth"]["full_in_days"]) == (0.0, None)
    assert summary(document)


def test_strange_values_are_shortened_cleaned_or_nothing(site):
    rows = [
        {"id": "own names", "persona_id": "persona_id", "session_id": "session_id", "created_at": "created_at"},
        {"id": "long", "persona_id": "x" * 1_000_000, "session_id": "s" * 300, "created_at": 9e18},
        {"id": "bytes", "persona_id": b"\xff\x00gen", "session_id": 7, "created_at": "2025-09-10T00:00:00Z"},
        {"id": "empty", "persona_id": "", "session_id": None, "provider": "\x00", "created_at": -5},
        {"id": "seconds", "persona_id": "\N{PILE OF POO}", "created_at": 1_756_878_485},
    ]
    site.app.add_many(rows)
    document, frame = collect(site)
    by_id = frame.set_index("image_id")
    persona = {row_id: value if isinstance(value, str) else None for row_id, value in by_id["persona_id"].items()}
    assert persona == {
        "bytes": "\N{REPLACEMENT CHARACTER}\0gen", "empty": None, "long": "x" * 500, "own names": None,
        "seconds": "\N{PILE OF POO}",
    }  # fmt: skip
    assert by_id["created_at"].dropna().dt.strftime("%F").to_dict() == {"bytes": "2025-09-10", "seconds": "2025-09-03"}
    values = {group["value"] for group in document["breakdowns"]["persona"]}
    assert values == {None, "x" * 200, "\N{PILE OF POO}", "\N{REPLACEMENT CHARACTER}\0gen"}
    sessions = {(group["group"], group["value"]): group["images"] for group in document["breakdowns"]["session"]}
    assert sessions == {("none", None): 3, ("value", "s" * 200): 1, ("value", "7"): 1}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_the_table_is_counted(tmp_path, shape):
    app = AppTable(tmp_path / "shaped.db", shape)
    app.add("a", image_url=data_url_of(make_png(1)))
    app.add("b", image_url="https://picsum.photos/1")
    with closing(Site(tmp_path, app)) as site:
        site.migrate()
        document, frame = collect(site)
    assert (document["total_images"], document["external_images"]) == (2, 1)
    assert list(frame.columns) == [column.name for column in IMAGE_COLUMNS]
    assert document["breakdowns"]["type"][0]["value"] in {"png", None}


def test_more_than_fifty_groups_are_put_together_and_months_stay_in_order(site):
    month_ms = 31 * DAY_MS
    site.app.add_many(
        [
            {"id": f"{n:03}", "session_id": f"s{n:03}" if n > 2 else "busy", "image_data": "AAAA",
             "created_at": NOW_MS - n * month_ms}
            for n in range(60)
        ]
    )  # fmt: skip
    breakdowns = collect(site)[0]["breakdowns"]
    assert breakdowns["session"][0] == {
        "group": "value", "value": "busy", "images": 3, "r2_images": 0, "base64_images": 3, "bytes": 0,
        "base64_bytes": 12,
    }  # fmt: skip
    rest = breakdowns["session"][-1]
    assert (len(breakdowns["session"]), rest["group"], rest["value"], rest["images"]) == (51, "rest", None, 8)
    months = [group["value"] for group in breakdowns["month"][:-1]]
    assert months == sorted(months)
    assert (months[-1], breakdowns["month"][-1]["group"], breakdowns["month"][-1]["images"]) == ("2025-10", "rest", 10)


def test_rows_that_come_and_go_between_the_questions_are_joined_by_id(site, monkeypatch):
    """The app deletes a row after its head was read, and writes another: neither shifts what belongs to the rest."""
    site.app.add_many([{"id": f"{n}", "persona_id": f"p{n}", "image_data": base64_of(make_png(n))} for n in range(6)])
    heads = site.table.heads

    def heads_of_a_busy_table(**options):
        for page in heads(**options):
            site.app.delete("2")
            site.app.add("1a", persona_id="new", image_data="AAAA")
            yield page

    busy = SimpleNamespace(heads=heads_of_a_busy_table, attributes=site.table.attributes)
    made = Sources(table=busy, ledger=site.ledger, bases=site.bases)  # pyright: ignore[reportArgumentType]
    (frame,) = image_frames(made)
    persona = frame.set_index("image_id")["persona_id"].astype(object)
    assert {row_id: value for row_id, value in persona.items() if isinstance(value, str)} == {
        f"{n}": f"p{n}" for n in range(6) if n != 2
    }
    assert list(persona.index) == list("012345")


def test_frames_are_cut_by_rows_and_by_the_length_of_what_is_in_them(site, monkeypatch):
    monkeypatch.setattr(frames_module, "FRAME_ROWS", 1_000)
    site.app.add_many([{"id": f"{n:05}", "prompt": "p" * 100} for n in range(2_100)])
    assert [len(frame) for frame in image_frames(sources(site))] == [1_000, 1_000, 100]
    monkeypatch.setattr(frames_module, "_FRAME_TEXT", 40_000)
    assert [len(frame) for frame in image_frames(sources(site), prompts=True)] == [500] * 4 + [100]


def test_growth_is_that_of_the_last_four_weeks_and_says_when_the_database_is_full(site):
    text = base64_of(make_png(1))
    size = len(text) * 3 // 4
    ages = {"new": 1, "edge": 27.99, "old": 28.01, "future": -1}
    site.app.add_many(
        [{"id": name, "image_data": text, "created_at": NOW_MS - int(days * DAY_MS)} for name, days in ages.items()]
    )
    site.app.add("elsewhere", image_url="https://picsum.photos/1", created_at=NOW_MS)
    document, _ = collect(site, limit_bytes=1_000_000)
    growth, database = document["growth"], document["database"]
    assert growth["images_per_day"] == round(2 / 28, 2)
    assert growth["bytes_per_day"] == round(2 * size / 28)
    assert growth["database_bytes_per_day"] == round(2 * ((size + 2) // 3 * 4) / 28)
    used = database["bytes"] - database["free_bytes"]
    days = int((1_000_000 - used) / (2 * ((size + 2) // 3 * 4) / 28))
    assert growth["full_in_days"] == (days if days <= 36_525 else None)
    assert collect(site, limit_bytes=used)[0]["growth"]["full_in_days"] == 0
    assert collect(site, limit_bytes=None)[0]["growth"]["full_on"] is None
    full = collect(site, limit_bytes=used + 1_000)[0]
    assert "database_filling_up" in {finding["code"] for finding in full["findings"]}
