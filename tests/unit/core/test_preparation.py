"""One row to what migrating it means: the specification of the row states, without a database or a bucket."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.images import base64_of, data_url_of, make_png
from z_interact_assets.core.base64_text import TextForm, rebuild_text
from z_interact_assets.core.keys import parse_key
from z_interact_assets.core.models import ImageLimits, ItemState
from z_interact_assets.core.preparation import PointsAtR2, Preparation, Prepared, SetAside
from z_interact_assets.core.reasons import Reason
from z_interact_assets.core.rows import LegacyRow, RowHead, SpeltText, spelt
from z_interact_assets.core.urls import KnownBases

BASES = KnownBases("https://img.example.com", bucket="z-interact-images")
PREPARATION = Preparation(BASES, ImageLimits())
ONE, OTHER = make_png(1), make_png(2)
DATA, URL = base64_of(ONE), data_url_of(ONE)
R2_URL = "https://img.example.com/images/p/1-a.png"
SCRIPT = b"<svg xmlns='http://www.w3.org/2000/svg' width='1' height='1'><script/></svg>"
SVG = "<svg xmlns='http://www.w3.org/2000/svg' width='1' height='1'/>"


def row(**columns: Any) -> LegacyRow:
    defaults = {
        "id": "a",
        "persona_id": "gen-z",
        "image_url": None,
        "image_data": None,
        "created_at": 1_757_400_000_000,
    }
    return LegacyRow(id="a", values=defaults | columns)


def prepared(**columns: Any) -> Prepared:
    found = PREPARATION.prepare(row(**columns))
    assert isinstance(found, Prepared), found
    return found


def aside(**columns: Any) -> SetAside:
    found = PREPARATION.prepare(row(**columns))
    assert isinstance(found, SetAside), found
    return found


@pytest.mark.parametrize(
    "url", [None, "", "/images/x.jpg", "https://example.net/x.png", "image_url", "blob:x", "data:,"]
)
def test_image_data_is_migrated_whatever_the_url_says(url):
    found = prepared(image_data=DATA, image_url=url)
    assert (found.source, found.primary.data, found.alternate) == ("image_data", ONE, None)
    assert set(found.originals) == {"image_data"}
    assert found.before["image_url"] == url
    assert not found.only_copy
    assert found.images == (found.primary,)


def test_a_data_url_alone_is_migrated_and_is_the_only_copy():
    found = prepared(image_url=URL)
    assert (found.source, found.primary.data, found.only_copy) == ("image_url", ONE, True)
    assert set(found.originals) == {"image_url"}
    assert "image_url" not in found.before


def test_two_texts_of_one_image_are_both_described_and_stored_once():
    found = prepared(image_data=DATA, image_url=URL)
    assert (found.alternate, found.only_copy) == (None, False)
    assert found.originals["image_data"]["sha256"] == found.originals["image_url"]["sha256"]


def test_two_images_in_a_row_are_both_stored_the_second_fully_proved():
    found = prepared(image_data=DATA, image_url=data_url_of(OTHER))
    assert found.alternate is not None
    assert (found.primary.data, found.alternate.data, found.only_copy) == (ONE, OTHER, True)
    assert found.primary.key != found.alternate.key
    assert found.originals["image_url"]["sha256"] == hashlib.sha256(OTHER).hexdigest()


@pytest.mark.parametrize(
    "url", ["data:image/png;base64,***", "data:image/png;base64,", "data:text/plain;base64,aGVsbG8="]
)
def test_a_data_url_that_is_no_image_is_kept_as_text_beside_good_data(url):
    found = prepared(image_data=DATA, image_url=url)
    assert (found.alternate, set(found.originals), found.before["image_url"]) == (None, {"image_data"}, url)


def test_base64_that_points_at_r2_already_claims_its_object():
    assert prepared(image_data=DATA, image_url=R2_URL).claimed_key == "images/p/1-a.png"
    assert prepared(image_data=DATA, image_url="https://r2.example.org/images/p/1-a.png").claimed_key is None


def test_a_url_on_r2_alone_points_there():
    found = PREPARATION.prepare(row(image_url=R2_URL, migration_status="pending"))
    assert isinstance(found, PointsAtR2)
    assert found.key == "images/p/1-a.png"


def test_the_columns_own_name_is_no_image_but_a_data_url_beside_it_is():
    assert aside(image_data="image_data").reason is Reason.COLUMN_NAME_AS_VALUE
    assert aside(image_data="image_data", image_url="image_url").reason is Reason.COLUMN_NAME_AS_VALUE
    found = prepared(image_data="image_data", image_url=URL)
    assert (found.source, found.primary.data, found.only_copy) == ("image_url", ONE, True)


@pytest.mark.parametrize(("columns", "state", "reason"), [
    ({}, ItemState.IMAGELESS, Reason.COMPLETED_WITHOUT_IMAGE),
    ({"image_url": "image_url"}, ItemState.IMAGELESS, Reason.COMPLETED_WITHOUT_IMAGE),
    ({"image_url": "/images/x.jpg"}, ItemState.LOCAL_ONLY, None),
    ({"image_url": "https://picsum.photos/1", "migration_status": "completed"}, ItemState.EXTERNAL, None),
    ({"image_url": "blob:x"}, ItemState.QUARANTINED, Reason.UNRECOGNISED_URL),
    ({"image_data": ""}, ItemState.QUARANTINED, Reason.EMPTY),
    ({"image_data": " \n\t"}, ItemState.QUARANTINED, Reason.EMPTY),
    ({"image_url": "data:image/png;base64,"}, ItemState.QUARANTINED, Reason.EMPTY),
    ({"image_data": DATA[:-9] + "*"}, ItemState.QUARANTINED, Reason.BAD_BASE64),
    ({"image_data": DATA[:40]}, ItemState.QUARANTINED, Reason.TRUNCATED_IMAGE),
    ({"image_data": base64_of(b"<html></html>")}, ItemState.QUARANTINED, Reason.NOT_AN_IMAGE),
    ({"image_url": data_url_of(b'{"error": 1}')}, ItemState.QUARANTINED, Reason.NOT_AN_IMAGE),
    ({"image_data": base64_of(SCRIPT)}, ItemState.QUARANTINED, Reason.UNSAFE_SVG),
    ({"image_data": DATA, "persona_id": "p" * 1_100}, ItemState.QUARANTINED, Reason.BAD_KEY_PART),
])  # fmt: skip
def test_a_row_without_an_image_is_set_aside_with_its_reason(columns, state, reason):
    found = aside(**columns)
    assert (found.state, found.reason) == (state, reason)


def test_bad_data_is_quarantined_even_beside_a_good_data_url():
    """image_data is what the app shows; guessing would lose it."""
    assert aside(image_data="***", image_url=URL).reason is Reason.BAD_BASE64


@pytest.mark.parametrize("blob", [ONE, DATA.encode(), URL.encode()])
def test_a_blob_holds_the_image_or_its_base64(blob):
    assert prepared(image_data=blob).primary.data == ONE


def test_a_literal_blob_is_described_as_itself():
    found = prepared(image_data=ONE)
    assert found.originals["image_data"]["form"] == {"raw": True}
    assert found.originals["image_data"]["text_sha256"] == hashlib.sha256(ONE).hexdigest()


def test_an_svg_in_a_percent_encoded_data_url_is_an_image():
    assert prepared(image_url=f"data:image/svg+xml,{SVG}").primary.key.endswith(".svg")


def test_the_key_is_a_function_of_the_row_and_its_bytes():
    first, again = prepared(image_data=DATA), prepared(image_url=URL, prompt="another")
    assert first.primary.key == again.primary.key
    key = parse_key(first.primary.key)
    assert key is not None
    assert (key.session, key.persona, key.timestamp_ms) == (None, "gen-z", 1_757_400_000_000)
    others = ({"image_data": base64_of(OTHER)}, {"created_at": 1_757_400_000}, {"session_id": "s"}, {"persona_id": "x"})
    keys = {prepared(**{"image_data": DATA, **columns}).primary.key for columns in others}
    # 1_757_400_000 s is the same moment.
    assert keys - {first.primary.key} == {prepared(**{"image_data": DATA, **columns}).primary.key for columns in
                                          (others[0], others[2], others[3])}  # fmt: skip
    assert len(keys) == 4


def test_metadata_says_what_the_row_and_the_bytes_say():
    found = prepared(
        image_data=DATA, image_url="HTTPS://me:pw@example.net/a?v=2&sig=1#top", session_id="s", participant_id="p",
        prompt="é\n💃", provider="openai", quality="hd", status="status",
    )  # fmt: skip
    metadata = found.primary.metadata
    assert (metadata.persona_id, metadata.session_id, metadata.participant_id) == ("gen-z", "s", "p")
    assert (metadata.prompt, metadata.provider, metadata.quality) == ("é\n💃", "openai", "hd")
    assert (metadata.size, metadata.sha256) == ("3x2", hashlib.sha256(ONE).hexdigest())
    assert metadata.original_url == "HTTPS://example.net/a?v=2&sig=***#top"
    assert (metadata.original_id, metadata.original_format) == ("a", "base64")
    assert metadata.generated_at == "2025-09-09T06:40:00.000+00:00"


def test_a_payload_is_never_put_into_the_metadata_as_a_url():
    assert prepared(image_url=URL).primary.metadata.original_url is None
    assert prepared(image_data=DATA, image_url="/images/x.jpg").primary.metadata.original_url is None


def test_columns_that_are_not_there_are_not_needed_nor_recorded():
    found = PREPARATION.prepare(LegacyRow(id="a", values={"id": "a", "image_url": URL}))
    assert isinstance(found, Prepared)
    assert found.before == {}
    assert found.primary.key.startswith("images/unknown/0-")
    assert found.primary.metadata.generated_at is None


def test_what_the_switch_overwrites_is_recorded_as_json_can_hold_it():
    found = prepared(image_data=DATA, image_url=b"\xff", r2_key="r2_key", migrated_at=1.5, updated_at=None)
    assert found.before == {"image_url": {"bytes": "/w=="}, "r2_key": "r2_key", "migrated_at": 1.5, "updated_at": None}


def test_a_static_folder_makes_local_rows_migratable():
    files = {"/images/x.jpg": ONE, "/images/bad.jpg": b"no image"}
    preparation = Preparation(BASES, ImageLimits(), files.get)
    found = preparation.prepare(row(image_url=" /images/x.jpg\n"))
    assert isinstance(found, Prepared)
    assert (found.source, found.primary.data, found.originals) == ("static", ONE, {})
    assert found.primary.metadata.original_format == "file"
    assert found.before["image_url"] == " /images/x.jpg\n"
    missing = preparation.prepare(row(image_url="/images/y.jpg"))
    assert isinstance(missing, SetAside)
    assert missing.state is ItemState.LOCAL_ONLY
    bad = preparation.prepare(row(image_url="/images/bad.jpg"))
    assert isinstance(bad, SetAside)
    assert bad.reason is Reason.NOT_AN_IMAGE


@pytest.mark.parametrize(("data_bytes", "url_bytes", "refused"), [
    (None, None, False), (1_000, None, False), (2_490, None, False), (2_500, None, True), (None, 2_500, True),
    (10, 2_500, True),
])  # fmt: skip
def test_a_payload_too_long_for_any_image_is_refused_by_its_length(data_bytes, url_bytes, refused):
    preparation = Preparation(BASES, ImageLimits(max_bytes=1_000))
    found = preparation.too_large(RowHead(id="a", data_bytes=data_bytes, url_bytes=url_bytes, url_head=None))
    assert (found is not None) is refused
    if found is not None:
        assert (found.state, found.reason) == (ItemState.QUARANTINED, Reason.TOO_LARGE)


def test_the_length_never_refuses_what_the_limit_allows():
    """Base64 of exactly the limit, wrapped and in a data: URL, is below the line."""
    limit = 30_000
    text = "data:image/png;base64," + "\r\n".join(
        base64_of(b"x" * limit)[n : n + 76] for n in range(0, limit * 4 // 3, 76)
    )
    head = RowHead(id="a", data_bytes=None, url_bytes=len(text), url_head=None)
    assert Preparation(BASES, ImageLimits(max_bytes=limit)).too_large(head) is None


def test_no_image_and_no_undo_record_is_in_a_repr():
    assert DATA[:30] not in repr(prepared(image_data=DATA, image_url=data_url_of(OTHER)))


@pytest.mark.parametrize("columns", [{"image_data": DATA}, {"image_url": URL}, {"image_data": DATA, "image_url": URL}])
def test_an_ordinary_text_is_not_held_once_it_is_decoded(columns):
    values = prepared(**columns).row.values
    assert {name for name, value in values.items() if isinstance(value, SpeltText)} == set(columns)


@st.composite
def texts_of_an_image(draw: st.DrawFn) -> str | bytes:
    """One of the many texts of one of two images: regular, ragged or escaped, as text, as bytes, or the bytes alone."""
    text = base64_of(draw(st.sampled_from([ONE, OTHER])))
    if draw(st.booleans()):
        text = text.rstrip("=").replace("+", "-")
    if draw(st.booleans()):
        width = draw(st.integers(1, 100))
        text = draw(st.sampled_from(["\n", "\r\n"])).join(text[at : at + width] for at in range(0, len(text), width))
    if draw(st.booleans()):
        text = draw(st.sampled_from(["data:image/png;base64,", "DATA:;base64, ", "data:image/jpeg;x=y;base64,"])) + text
        text = draw(st.sampled_from([text, text.replace("A", "%41"), text.replace("/", "%2F")]))
    text += draw(st.sampled_from(["", "\n", " \r\n\t"]))
    return draw(st.sampled_from([text, text.encode(), ONE]))


@given(data=st.none() | texts_of_an_image(), url=st.none() | texts_of_an_image().filter(lambda text: text != ONE))
def test_every_text_is_given_back_from_its_undo_record_and_its_image(data, url):
    found = PREPARATION.prepare(row(image_data=data, image_url=url))
    if not isinstance(found, Prepared):
        return
    recorded = json.loads(json.dumps(dict(found.originals)))
    images = {image.sha256: image.data for image in found.images}
    for column, entry in recorded.items():
        text = {"image_data": data, "image_url": url}[column]
        image = images[entry["sha256"]]
        form = entry["form"]
        rebuilt = image if form.get("raw") else rebuild_text(image, TextForm.from_json(form))
        assert rebuilt == text
        raw = text if isinstance(text, bytes) else str(text).encode()
        assert (entry["text_bytes"], entry["text_sha256"]) == (len(raw), hashlib.sha256(raw).hexdigest())
    # The row spells what it no longer holds, and looks as it did.
    before = row(image_data=data, image_url=url)
    assert {name: spelt(value) for name, value in found.row.values.items()} == before.values
    assert found.row.head() == before.head()
    # What no record spells out was kept as it is, or was not touched.
    assert found.source in recorded
    assert "image_url" in recorded or "image_url" in found.before


values = st.one_of(
    st.none(), st.text(), st.binary(), st.integers(), st.floats(), st.sampled_from([DATA, URL, R2_URL])
)  # fmt: skip
COLUMNS = ("image_data", "image_url", "created_at", "persona_id", "session_id", "prompt", "provider")


@given(columns=st.fixed_dictionaries(dict.fromkeys(COLUMNS, values)))
def test_no_row_makes_it_raise_and_every_key_stays_below_images(columns):
    found = PREPARATION.prepare(row(**columns))
    if isinstance(found, Prepared):
        for image in found.images:
            assert parse_key(image.key) is not None
    elif isinstance(found, SetAside):
        assert DATA[:30] not in found.detail
