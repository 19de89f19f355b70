"""Sums over the per-image frame that are no breakdown: classes, text and images in it, what may be cleared, growth."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from z_interact_assets.core.costs import Pace
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.stats import ROW_CLASSES, TableCounts
from z_interact_assets.storage.ledger.figures import DAY_MS

WINDOW_DAYS = 28
Frame = Any  # pandas' own annotations let a cell be anything, and nothing be done with it


@dataclass(slots=True, kw_only=True)
class Sums:
    """What the frames added up to; sizes in bytes. `now_ms` and `soak_ms` say what is due and what is new.

    `decoded` is the base64 of the table as images; `waiting` the images that are base64 alone, `r2_only_text` the
    base64 that images without any would take. A row's text is reclaimable once it is switched and its object proved.
    """

    now_ms: int
    soak_ms: int
    classes: Counter[str] = field(default_factory=Counter[str])
    base64_states: Counter[str] = field(default_factory=Counter[str])
    base64_bytes: int = 0
    decoded_bytes: int = 0
    decoded_is_estimate: bool = False
    waiting_bytes: int = 0
    r2_only_text_bytes: int = 0
    reclaimable_bytes: int = 0
    reclaimable_now: int = 0
    reclaimable_now_bytes: int = 0
    dated: int = 0
    new_images: int = 0
    new_bytes: int = 0
    new_text_bytes: int = 0

    def add(self, frame: Frame) -> None:
        """Add a frame."""
        self.classes.update(frame["row_class"].value_counts().to_dict())
        alone = frame["row_class"] == "base64"
        self.base64_states.update(frame.loc[alone, "state"].value_counts().to_dict())
        self.base64_bytes += int(frame["base64_bytes"].sum())
        self._add_decoded(frame, alone)
        self._add_reclaimable(frame)
        self._add_growth(frame)

    def table(self) -> TableCounts:
        """Return the rows by class."""
        classes = {name: int(self.classes[name]) for name in ROW_CLASSES}
        return TableCounts(total=sum(self.classes.values()), base64_bytes=self.base64_bytes, **classes)

    def pace(self) -> Pace | None:
        """Return the growth a day; None where no row says when it was made."""
        if self.classes and not self.dated:
            return None
        images, size, text = (total / WINDOW_DAYS for total in (self.new_images, self.new_bytes, self.new_text_bytes))
        return Pace(images=images, bytes=size, database_bytes=text)

    def _add_decoded(self, frame: Frame, alone: Frame) -> None:
        estimated = frame["estimated_bytes"]
        proved = frame["bytes"].where(frame["row_class"] == "mixed")
        self.decoded_bytes += int(proved.where(estimated.notna()).fillna(estimated).sum())
        self.decoded_is_estimate |= bool((estimated.notna() & proved.isna()).any())
        self.waiting_bytes += int(estimated[alone].sum())
        self.r2_only_text_bytes += int(_text_bytes(frame["bytes"][frame["row_class"] == "r2"]).sum())

    def _add_reclaimable(self, frame: Frame) -> None:
        switched = (frame["row_class"] == "mixed") & (frame["state"] == ItemState.PUBLISHED) & frame["proof"].notna()
        text = frame["base64_bytes"][switched]
        self.reclaimable_bytes += int(text.sum())
        due = _ms(frame["published_at"][switched]) <= self.now_ms - self.soak_ms
        self.reclaimable_now += int(due.sum())
        self.reclaimable_now_bytes += int(text[due.fillna(value=False)].sum())

    def _add_growth(self, frame: Frame) -> None:
        created = _ms(frame["created_at"])
        self.dated += int(created.notna().sum())
        new = (created > self.now_ms - WINDOW_DAYS * DAY_MS) & (created <= self.now_ms)
        with_image = frame["row_class"].isin(["r2", "mixed", "base64"])
        size = frame["bytes"].fillna(frame["estimated_bytes"])[new.fillna(value=False) & with_image].fillna(0)
        self.new_images += len(size)
        self.new_bytes += int(size.sum())
        self.new_text_bytes += int(_text_bytes(size).sum())


def _text_bytes(size: Frame) -> Frame:
    """As core.costs.base64_length, for a column."""
    return (size + 2) // 3 * 4


def _ms(times: Frame) -> Frame:
    return times.astype("int64[pyarrow]").astype("Int64")
