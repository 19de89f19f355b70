"""Whether anything was lost: asked right after a kill and after the next run, of the files alone."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pybase64

from tests.crash.places import Place
from tests.crash.sample import SAMPLE
from tests.support.sites import PUBLIC_URL
from z_interact_assets.core.base64_text import TextForm, rebuild_text
from z_interact_assets.core.models import PENDING_STATES

_OUR_TIMES = {"updated_at"}  # the present time after a rollback, too: galleries poll it
# What may have happened to an image right before an event ("" for nothing yet). A run may be killed before it told.
_ENDS = {"published", "already_in_r2", "quarantined", "failed", "conflict", "reclaimed", "rolled_back",
         "objects_deleted"}  # fmt: skip
_TRIED = {"", "planned_again", "stored", "failed"}
_MAY_FOLLOW = {
    "planned_again": _ENDS,
    "stored": _TRIED,
    "published": {"stored", "planned_again", "failed"},
    "already_in_r2": {"", "stored", "planned_again", "failed"},
    "quarantined": _TRIED,
    "failed": _TRIED,
    "reclaimed": {"published"},
    "rolled_back": {"published", "already_in_r2", "reclaimed", "stored", "failed"},
    "objects_deleted": {"rolled_back"},
}


def assert_nothing_lost(place: Place) -> None:
    """At any instant every column of every row can be had as the app wrote it, and every object is accounted for.

    What the site itself lost (see `lose_everything`) is not back before its restore ended.
    """
    rows, bucket = place.rows, place.bucket
    records = _undo_records(place)
    assert rows.keys() == place.written.keys() or place.is_backed_up
    for row_id, row in rows.items():
        written, record = place.written[row_id], records.get(row_id)
        for column, value in written.items():
            if not _same(row[column], value):
                assert record is not None, (row_id, column)
                assert column in _OUR_TIMES or _same(record.given_back(column, bucket), value), (row_id, column)
        if row["image_url"] != written["image_url"]:
            base, _, key = row["image_url"].partition("/images/")
            assert (base, bucket[f"images/{key}"]) == (PUBLIC_URL, SAMPLE[row_id].images[0]), row_id
    if records or not place.is_backed_up:
        _assert_no_orphan(place, bucket, records)
    _assert_possible_stories(place)


def assert_each_image_once(place: Place) -> None:
    """The bucket holds one object for each image of the sample, none besides, and the ledger knows each."""
    assert place.images() == Counter(image for row in SAMPLE.values() for image in row.images)
    assert {key for key, *_ in place.ledger("objects", ("object_key",))} == place.bucket.keys()


class _UndoRecord:
    """What the ledger has of one image."""

    def __init__(self, state: str, attempts: int, originals: str | None, before: str | None) -> None:
        self.is_pending = state in PENDING_STATES
        self.attempts = attempts
        self._originals: Mapping[str, Any] = json.loads(originals or "null") or {}
        self._before: Mapping[str, Any] = json.loads(before or "null") or {}

    def given_back(self, column: str, bucket: Mapping[str, bytes]) -> Any:
        """The column's value of before, from ledger and bucket alone."""
        entry = self._originals.get(column)
        if entry is None:
            return _plain(self._before.get(column, _NOT_THERE))
        (image,) = {data for data in bucket.values() if hashlib.sha256(data).hexdigest() == entry["sha256"]}
        text = image if entry["form"].get("raw") else rebuild_text(image, TextForm.from_json(entry["form"]))
        raw = text if isinstance(text, bytes) else text.encode()
        assert (len(raw), hashlib.sha256(raw).hexdigest()) == (entry["text_bytes"], entry["text_sha256"])
        return text


_NOT_THERE = object()


def _undo_records(place: Place) -> dict[str, _UndoRecord]:
    found = place.ledger("items", ("image_id", "state", "attempts", "originals", "before"))
    return {image_id: _UndoRecord(*values) for image_id, *values in found}


def _plain(value: Any) -> Any:
    return pybase64.b64decode(value["bytes"]) if isinstance(value, Mapping) else value


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other


def _assert_no_orphan(place: Place, bucket: Mapping[str, bytes], records: Mapping[str, _UndoRecord]) -> None:
    """An object is the ledger's, or was there before us, or is of an image the next run tries again."""
    known = {key for key, *_ in place.ledger("objects", ("object_key",))}
    known |= {key for row in SAMPLE.values() for key in row.uploads}
    tried = {row_id for row_id, record in records.items() if record.is_pending and record.attempts}
    awaited = {image for row_id in tried for image in SAMPLE[row_id].images}
    assert all(key in known or data in awaited for key, data in bucket.items())


def _assert_possible_stories(place: Place) -> None:
    for image_id, told in place.events().items():
        events = [event for event in told if not event.endswith("_refused")]
        assert all(former in _MAY_FOLLOW[event] for former, event in pairwise(["", *events])), (image_id, told)
