"""What a batch shows: those in trouble first, a bounded table, a picture only of what is ours."""

from contextlib import closing
from typing import Any

import dagster as dg
import pytest

from tests.support.hostile import TEXTS
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.reasons import Reason
from z_interact_assets.core.records import BatchSummary, LedgerItem
from z_interact_assets.defs.batch_metadata import batch_metadata
from z_interact_assets.storage.objects import MemoryStore

BASE = "https://images.example.com"


def item(number: int, state: ItemState = ItemState.PUBLISHED, **changes: Any) -> LedgerItem:
    values: dict[str, Any] = {
        "item_id": number, "image_id": f"image-{number}", "batch_key": "b000001", "state": state, "reason": None,
        "detail": "", "source": "image_data", "object_key": f"images/a/{1_700_000_000_000 + number}-abc.png",
        "size": 10, "md5": None, "sha256": None, "etag": "e", "content_type": "image/png", "width": 3, "height": 2,
        "proof": "etag",
    }  # fmt: skip
    return LedgerItem(**(values | changes))


def shown(items: list[LedgerItem], base: str = BASE) -> dict[str, dg.MetadataValue]:
    summary = BatchSummary(key="b000001", items=len(items), states={ItemState.PUBLISHED: len(items)}, bytes=1)
    with closing(MemoryStore(public_url=base)) as store:
        return batch_metadata(summary, items, store)


def records(metadata: dict[str, dg.MetadataValue]) -> list[dict[str, Any]]:
    table = metadata["images"]
    assert isinstance(table, dg.TableMetadataValue)
    return [dict(record.data) for record in table.records]


def markdown(metadata: dict[str, dg.MetadataValue]) -> str:
    example = metadata["example"]
    assert isinstance(example, dg.MarkdownMetadataValue)
    return example.md_str or ""


def test_images_in_trouble_come_first_and_the_table_stays_short() -> None:
    broken = item(999, ItemState.QUARANTINED, reason=Reason.NOT_AN_IMAGE, object_key=None)
    metadata = shown([*(item(number) for number in range(1_000)), broken])
    first, second, *rest = records(metadata)
    assert (first["image_id"], first["state"], first["object"]) == ("image-999", "quarantined", "")
    assert first["reason"] == Reason.NOT_AN_IMAGE.sentence
    assert second["object"] == f"{BASE}/images/a/1700000000000-abc.png"
    assert len(rest) == 48
    assert metadata["dagster/row_count"].value == 1_001


def test_one_picture_is_shown_at_its_public_url_short_enough_to_be_shown_at_once() -> None:
    text = markdown(shown([item(number) for number in range(10)]))
    assert text.count(f"![example]({BASE}/images/a/") == 1
    assert len(text) < 1_000


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_a_key_somebody_else_made_is_neither_linked_nor_shown(name: str) -> None:
    found = item(1, ItemState.ALREADY_IN_R2, object_key=f"images/{TEXTS[name]}")
    metadata = shown([found])
    assert not {"example", "example_url"} & metadata.keys()
    assert not records(metadata)[0]["object"].startswith(BASE)


def test_a_public_base_cannot_end_a_link() -> None:
    text = markdown(shown([item(1)], base="https://images.example.com/a(b)|c"))
    assert "https://images.example.com/a%28b%29%7Cc/images/a/" in text
    assert "a(b)" not in text


def test_images_that_are_not_on_r2_have_no_picture() -> None:
    metadata = shown([item(1, ItemState.QUARANTINED), item(2, ItemState.ROLLED_BACK), item(3, ItemState.FAILED)])
    assert not {"example", "example_url"} & metadata.keys()
