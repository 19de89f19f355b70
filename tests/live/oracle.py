"""Whether an edit or an image was lost: the app's journal against its table, the bucket and the ledger."""

import base64
from collections.abc import Mapping
from typing import Any

from tests.live.process import Journal, Written
from tests.support.sites import Site
from z_interact_assets.core.models import PENDING_STATES, ItemState
from z_interact_assets.core.planning import ASIDE_STATES

# What our switch writes. Everything else is as the app wrote it last, always.
OURS = {"image_url", "image_data", "r2_key", "migration_status", "migrated_at", "updated_at"}


def image_of(text: str | None) -> bytes | None:
    """The image a column's text spells, if it is base64."""
    if not text or (text.startswith(("/", "http"))):
        return None
    return base64.b64decode(text.partition(",")[2] if text.startswith("data:") else text)


class Oracle:
    """Asks about every row the app ever wrote."""

    def __init__(self, journal: Journal, rows: Mapping[str, Mapping[str, Any]], site: Site) -> None:
        self._journal = journal
        self._rows = rows
        self._site = site
        self._base = site.store.public_url("x").removesuffix("x")
        self._keys = [entry.key for entry in site.store.list()]

    def assert_nothing_lost(self) -> None:
        """Every row's last edit is there, every image it was last written with is in it or in its objects."""
        assert self._rows.keys() == {name for name, written in self._journal.rows.items() if written.columns}
        for name, row in self._rows.items():
            self._assert_edits(name, row, self._journal.rows[name].columns or {})
            self._assert_images(name, row, self._journal.rows[name])

    def assert_settled(self) -> None:
        """Nothing is left to do, and whatever was found changed was planned again, unless its row is gone."""
        for name, (state, _) in self._site.ended().items():
            assert state not in PENDING_STATES, name
            if state is ItemState.CONFLICT:
                assert name not in self._rows, name
            events = self._site.events(name)
            for number, event in enumerate(events):
                if event == "conflict" and name in self._rows and state not in ASIDE_STATES.values():
                    assert "planned_again" in events[number:], (name, events)

    def _assert_edits(self, name: str, row: Mapping[str, Any], written: Mapping[str, Any]) -> None:
        for column in written.keys() - OURS:
            assert row[column] == written[column], (name, column)
        assert (row["updated_at"] or 0) >= (written["updated_at"] or 0), name

    def _assert_images(self, name: str, row: Mapping[str, Any], written: Written) -> None:
        last = written.columns or {}
        data, url = str(row["image_data"] or ""), str(row["image_url"] or "")
        pointed = self._pointed(name, url)
        if data != (last["image_data"] or ""):  # reclaimed; the app may have written another URL since
            assert not data, name
            assert image_of(last["image_data"]) in (self._stored(name) if pointed is None else {pointed}), name
        if pointed is None:
            assert row["image_url"] == last["image_url"], name
            return
        assert pointed in {image_of(text) for text in written.since_url}, name
        in_url = image_of(last["image_url"])
        if in_url not in {None, pointed}:
            assert in_url in self._stored(name), name
        if not last["image_data"]:
            assert pointed == in_url, name

    def _pointed(self, name: str, url: str) -> bytes | None:
        if not url.startswith(self._base):
            return None
        key = url.removeprefix(self._base)
        assert key in self._keys, f"{name} points at nothing"
        return self._site.store.download(key)

    def _stored(self, name: str) -> set[bytes]:
        return {self._site.store.download(key) for key in self._keys if f"/p{name}/" in key}

    def raced(self) -> dict[str, int]:
        """Counts for a report: how often the ledger met an edit, by what it said."""
        names = ("conflict", "planned_again", "published", "rolled_back", "reclaimed", "rollback_refused",
                 "reclaim_refused", "quarantined")  # fmt: skip
        events = [event for item in self._site.ledger.ask.items() for event in self._site.events(item.image_id)]
        return {name: events.count(name) for name in names}
