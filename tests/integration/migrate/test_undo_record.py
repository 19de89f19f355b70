"""The ledger knows every text the switch makes superfluous, exactly: object and record give it back, byte for byte."""

import hashlib

import pytest

from tests.support.images import base64_of, data_url_of, make_png
from z_interact_assets.core.base64_text import TextForm, rebuild_text
from z_interact_assets.core.models import ItemState
from z_interact_assets.demo.spellings import SPELLINGS


def rebuilt(site, image_id: str, column: str) -> str | bytes:
    """The text of the column, from the ledger's file and the bucket alone; its recorded hashes must agree."""
    record = site.undo_record(image_id)[0][column]
    item = site.item(image_id)
    keys = [item.object_key, *(other.key for other in site.ledger.ask.alternates([item.item_id]).get(item.item_id, []))]
    (data,) = [
        data for key in keys
        if hashlib.sha256(data := site.store.download(key)).hexdigest() == record["sha256"]
    ]  # fmt: skip
    text = data if record["form"] == {"raw": True} else rebuild_text(data, TextForm.from_json(record["form"]))
    raw = text if isinstance(text, bytes) else text.encode()
    assert (len(raw), hashlib.sha256(raw).hexdigest()) == (record["text_bytes"], record["text_sha256"])
    return text


@pytest.mark.parametrize("column", ["image_data", "image_url"])
def test_every_spelling_comes_back_from_the_bucket_and_the_ledger(r2_site, app, column):
    texts = {}
    for shade, (name, spelling) in enumerate(SPELLINGS.items()):
        text = spelling(make_png(shade), "image/png")
        texts[name] = text if column == "image_data" or text[:5].lower() == "data:" else f"data:;base64,{text}"
        app.add(name, **{column: texts[name]})
    r2_site.migrate()
    for name, text in texts.items():
        assert r2_site.state(name) == (ItemState.PUBLISHED, None)
        assert rebuilt(r2_site, name, column) == text


ODD = {
    "percent-encoded": "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='1' height='1'/%3E",
    "parameters": f"data:image/png;charset=utf-8;name=a b.png;base64,{base64_of(make_png(1))}",
    "space around": f" \n{data_url_of(make_png(2))}\r\n\t",
    "ragged lines": f"data:image/png;base64,{base64_of(make_png(3))[:7]}\n{base64_of(make_png(3))[7:]}",
    "mixed alphabets": "data:image/png;base64," + base64_of(make_png(4)).replace("+", "-", 1),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_texts_come_back_too(site, app, name):
    app.add("a", image_url=ODD[name])
    site.migrate()
    assert site.state("a") == (ItemState.PUBLISHED, None)
    assert rebuilt(site, "a", "image_url") == ODD[name]


@pytest.mark.parametrize("value", [make_png(1), base64_of(make_png(1)).encode()], ids=["raw bytes", "base64 in a BLOB"])
def test_a_blob_comes_back_as_a_blob(site, app, value):
    app.add("a", image_data=value, image_url="/images/a.jpg")
    site.migrate()
    assert site.memory.download(site.item("a").object_key) == make_png(1)
    assert rebuilt(site, "a", "image_data") == value


def test_both_images_of_a_row_can_be_given_back(r2_site, app):
    data, url = base64_of(make_png(1)), data_url_of(make_png(2))
    app.add("two", image_data=data, image_url=url)
    app.add("same", image_data=data, image_url=data_url_of(make_png(1)))
    r2_site.migrate()
    assert (rebuilt(r2_site, "two", "image_data"), rebuilt(r2_site, "two", "image_url")) == (data, url)
    assert rebuilt(r2_site, "same", "image_url") == data_url_of(make_png(1))
    (other,) = r2_site.ledger.ask.alternates([r2_site.item("two").item_id]).popitem()[1]
    assert other.proof == "sha256"  # the switch removed its only copy
    assert len(list(r2_site.store.list())) == 3


def test_the_columns_the_switch_overwrites_are_kept_as_they_were(site, app):
    former = {"image_url": "/images/a.jpg", "r2_key": "r2_key", "migration_status": None, "migrated_at": 12,
              "updated_at": "updated_at"}  # fmt: skip
    app.add("a", image_data=base64_of(make_png(1)), **former)
    site.migrate()
    assert site.undo_record("a")[1] == former


def test_a_data_url_that_is_no_image_beside_good_data_is_kept_as_text(site, app):
    app.add("a", image_data=base64_of(make_png(1)), image_url="data:text/plain;base64,aGVsbG8=")
    site.migrate()
    assert site.state("a") == (ItemState.PUBLISHED, None)
    assert site.undo_record("a")[1]["image_url"] == "data:text/plain;base64,aGVsbG8="
