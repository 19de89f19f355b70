"""Two images of the app itself: PNG bytes that rows call image/jpeg and files call .jpg, with a provenance chunk."""

import base64
from pathlib import Path

import pytest
import urllib3

from tests.support.sites import Site
from tests.support.tables import AppTable
from z_interact_assets.core.models import ItemState

FILES = Path(__file__).resolve().parents[3].parent / "shared" / "data"
NAMES = ("baby-boomer-1756878485908.jpg", "gen-x-1756881137777.jpg")


@pytest.mark.parametrize("column", ["image_data", "image_url"])
@pytest.mark.parametrize("name", NAMES)
def test_real_image_goes_through_unchanged(r2_site: Site, app: AppTable, name: str, column: str) -> None:
    path = FILES / name
    if not path.is_file():
        pytest.skip("the app's own images lie beside the repository, not in it")
    image = path.read_bytes()
    text = base64.b64encode(image).decode()
    value = text if column == "image_data" else f"data:image/jpeg;base64,{text}"
    app.add("real", image_mime_type="image/jpeg", session_id="s1", **{column: value})

    assert r2_site.report()["migrated"] == 1

    item = r2_site.item("real")
    assert item.state is ItemState.PUBLISHED
    assert (item.content_type, item.width, item.height) == ("image/png", 1024, 1024)
    assert item.object_key is not None
    assert item.object_key.startswith("images/s1/gen-z/")
    assert item.object_key.endswith(".png")
    answer = urllib3.request("GET", r2_site.store.public_url(item.object_key))
    assert answer.data == image
    assert answer.headers["Content-Type"] == "image/png"
    assert b"caBX" in answer.data  # the C2PA provenance chunk
