"""The rows that go through every crash: one of each kind the app wrote, and what a whole migration makes of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.support.images import base64_of, data_url_of, make_png
from tests.support.sites import PUBLIC_URL
from z_interact_assets.core.models import ItemState
from z_interact_assets.storage.objects import R2Store


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A row's columns, the images in it (the one to be shown first), and the state it ends in."""

    columns: Mapping[str, object]
    images: tuple[bytes, ...]
    ends: ItemState
    # Objects that were in the bucket before us.
    uploads: Mapping[str, bytes] = field(default_factory=dict[str, bytes])


_PNG = [make_png(shade) for shade in range(1, 12)]
_OLD = "images/old/1757400000000-{}.png"


def _wrapped(text: str) -> str:
    return "".join(f"{text[start : start + 20]}\n" for start in range(0, len(text), 20))


SAMPLE: Mapping[str, SampleRow] = {
    "a-data": SampleRow({"image_data": base64_of(_PNG[0])}, (_PNG[0],), ItemState.PUBLISHED),
    "b-url": SampleRow({"image_url": data_url_of(_PNG[1])}, (_PNG[1],), ItemState.PUBLISHED),
    "c-both": SampleRow(
        {"image_data": base64_of(_PNG[2]), "image_url": data_url_of(_PNG[2])}, (_PNG[2],), ItemState.PUBLISHED
    ),
    "d-two": SampleRow(
        {"image_data": base64_of(_PNG[3]), "image_url": data_url_of(_PNG[4])}, (_PNG[3], _PNG[4]), ItemState.PUBLISHED
    ),
    "e-bad": SampleRow({"image_data": f"!{base64_of(_PNG[5])}"}, (), ItemState.QUARANTINED),
    "f-blob": SampleRow({"image_data": _PNG[6], "image_url": "/images/f.jpg"}, (_PNG[6],), ItemState.PUBLISHED),
    "g-wrapped": SampleRow({"image_data": _wrapped(base64_of(_PNG[7]))}, (_PNG[7],), ItemState.PUBLISHED),
    "h-on-r2": SampleRow(
        {"image_url": f"{PUBLIC_URL}/{_OLD.format('h')}"}, (_PNG[8],), ItemState.ALREADY_IN_R2,
        {_OLD.format("h"): _PNG[8]},
    ),
    "i-half": SampleRow(
        {"image_data": base64_of(_PNG[9]), "image_url": f"{PUBLIC_URL}/{_OLD.format('i')}"}, (_PNG[9],),
        ItemState.PUBLISHED, {_OLD.format("i"): _PNG[9]},
    ),
    "j-external": SampleRow({"image_url": "https://provider.example/j.png"}, (), ItemState.EXTERNAL),
    "k-nothing": SampleRow({}, (), ItemState.IMAGELESS),
    "l-url": SampleRow({"image_url": f"{data_url_of(_PNG[10])}\n"}, (_PNG[10],), ItemState.PUBLISHED),
}  # fmt: skip


def upload_what_was_there(store: R2Store) -> None:
    """Fill the bucket with the objects of before us."""
    for row in SAMPLE.values():
        for key, data in row.uploads.items():
            store.upload(key, data)
