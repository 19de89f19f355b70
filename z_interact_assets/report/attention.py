"""What needs a hand, image by image: why, in plain words, and what to do. The gravest first, the first MOST of them.

It is gathered from the frames while they pass and from the newest inventory's problems, so it costs no second pass.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from z_interact_assets.core.reasons import Reason
from z_interact_assets.core.showing import shortened
from z_interact_assets.report.commands import LONGEST_ID, command_for
from z_interact_assets.report.page import Attention

MOST = 1_000

_BY_HAND = {
    Reason.OBJECT_DIFFERS: "Compare the two and decide by hand: `{status}`",
    Reason.OBJECT_MISSING: "Put the object back, or correct the row; then `{migrate}`",
    Reason.OBJECT_SHARED: "Give one of the two rows an image of its own; then `{migrate}`",
    Reason.TOO_LARGE: "Raise MAX_IMAGE_BYTES, or make the image smaller; then `{migrate}`",
}
_STATUS = "z-interact-assets status --quarantined --json"
_MIGRATE = "z-interact-assets migrate"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """A kind of trouble: which rows of a frame have it, what it is called, why it matters and what helps."""

    problem: str
    sentence: str
    action: str
    is_one: Callable[[pd.DataFrame], Any]


def _state(name: str) -> Callable[[pd.DataFrame], Any]:
    return lambda frame: (frame["state"] == name).fillna(False).astype(bool)  # noqa: FBT003 - pandas' signature


def _row_class(name: str) -> Callable[[pd.DataFrame], Any]:
    return lambda frame: (frame["row_class"] == name).fillna(False).astype(bool)  # noqa: FBT003 - pandas' signature


# The gravest first; a row is told once, for the first of these that it has.
_KINDS = (
    _Kind(
        problem="quarantined", is_one=_state("quarantined"), sentence="The image cannot be proved to be one.",
        action="Mend the row in the app; then `{migrate}`",
    ),
    _Kind(
        problem="failed", is_one=_state("failed"), sentence="The last attempt to move it did not succeed.",
        action="Try again: `{migrate}`",
    ),
    _Kind(
        problem="unrecognised URL", is_one=_row_class("unrecognised"), sentence=Reason.UNRECOGNISED_URL.sentence,
        action="Correct image_url in the app; then `{migrate}`",
    ),
    _Kind(
        problem="changed meanwhile", is_one=_state("conflict"), sentence=Reason.ROW_CHANGED.sentence,
        action="Nothing is lost; move the new image: `z-interact-assets migrate`",
    ),
    _Kind(
        problem="no image", is_one=_row_class("imageless"), sentence=Reason.COMPLETED_WITHOUT_IMAGE.sentence,
        action="Generate it again in the app, or leave it as it is",
    ),
    _Kind(
        problem="file of the app", is_one=_row_class("local"),
        sentence="The image is a file of the app (/images/…), not in R2.",
        action="Set STATIC_DIR to the app's static folder; then `z-interact-assets migrate`",
    ),
    _Kind(
        problem="outside R2", is_one=_row_class("external"),
        sentence="The image is on another server, which may remove it at any time; it is not ours to move.",
        action="Nothing, if that server may be relied on; else have the app store the image itself",
    ),
    _Kind(
        problem="rolled back", is_one=_state("rolled_back"),
        sentence="Somebody gave the row its old text back; it stays so until it is asked for.",
        action="To move it again: `z-interact-assets migrate --rolled-back`",
    ),
)  # fmt: skip

# The inventory's, graver than anything a frame shows.
_LOSSES = {
    "missing": (
        "missing object",
        "The image should be in the bucket and is not there.",
        "Reclaim nothing, and see what was proved when: `{status}`",
    ),
    "corrupted": (
        "damaged object",
        "The bucket holds other bytes than were proved when the image was moved.",
        "Reclaim nothing, and see what was proved when: `{status}`",
    ),
    "misdirected": (
        "points elsewhere",
        "The row does not point at the image that was moved for it.",
        "See what the row should hold: `{status}`",
    ),
}
_COUNTED_AS = {"missing": "missing_objects", "corrupted": "corrupted_objects", "misdirected": "misdirected_images"}


class AttentionList:
    """Grows with every frame. `problems` are the inventory's ("kind", "image_id", "object_key"), known beforehand."""

    def __init__(self, problems: Sequence[Mapping[str, Any]] = ()) -> None:
        self._problems = [problem for problem in problems if problem.get("kind") in _LOSSES]
        self._facts: dict[str, tuple[str | None, str | None]] = {}
        self._wanted = {str(problem["image_id"]) for problem in self._problems}
        self._kept: list[list[Attention]] = [[] for _ in _KINDS]
        self._counts = [0] * len(_KINDS)

    def see(self, frame: pd.DataFrame) -> None:
        """Gather what a frame shows."""
        taken = frame["image_id"].isin(list(self._wanted))
        for row in _records(frame[taken]):
            self._facts[str(row.image_id)] = _facts(row)
        for place, kind in enumerate(_KINDS):
            found = kind.is_one(frame) & ~taken
            taken |= found
            self._counts[place] += int(found.sum())
            room = MOST - len(self._kept[place])
            self._kept[place] += [_row(kind, row) for row in _records(frame[found].head(room))]

    def rows(self) -> list[Attention]:
        """Return the gravest, at most MOST."""
        order = list(_LOSSES)
        losses = sorted(self._problems, key=lambda problem: order.index(problem["kind"]))
        found = [self._loss(problem) for problem in losses[:MOST]]
        for kept in self._kept:
            found += kept[: MOST - len(found)]
        return found

    def total(self, stats: Mapping[str, Any]) -> int:
        """Return how many there are, listed or not; `stats` counts the losses, of which an inventory lists some."""
        counted = sum(stats.get(name) or 0 for name in _COUNTED_AS.values()) if self._problems else 0
        return max(counted, len(self._problems)) + sum(self._counts)

    def _loss(self, problem: Mapping[str, Any]) -> Attention:
        name, sentence, action = _LOSSES[problem["kind"]]
        image_id = str(problem["image_id"])
        persona, created_at = self._facts.get(image_id, (None, None))
        key = problem.get("object_key")
        return Attention(
            image_id=shortened(image_id, LONGEST_ID), persona=persona, created_at=created_at, problem=name,
            sentence=sentence, action=_told(action, image_id), key=shortened(key, LONGEST_ID) if key else None,
        )  # fmt: skip


def _records(frame: Any) -> Iterator[Any]:
    """Yield rows with their columns as attributes."""
    return frame.itertuples(index=False)


def _row(kind: _Kind, row: Any) -> Attention:
    persona, created_at = _facts(row)
    sentence, action = kind.sentence, kind.action
    if pd.notna(row.reason) and row.reason in set(Reason):
        sentence = Reason(row.reason).sentence
        action = _BY_HAND.get(Reason(row.reason), action)
    return Attention(
        image_id=shortened(str(row.image_id), LONGEST_ID), persona=persona, created_at=created_at,
        problem=kind.problem, sentence=sentence, action=_told(action, str(row.image_id)),
        key=shortened(row.object_key, LONGEST_ID) if pd.notna(row.object_key) else None,
    )  # fmt: skip


def _facts(row: Any) -> tuple[str | None, str | None]:
    persona = shortened(str(row.persona_id)) if pd.notna(row.persona_id) else None
    return persona, row.created_at.strftime("%Y-%m-%d") if pd.notna(row.created_at) else None


def _told(action: str, image_id: str) -> str:
    return action.format(
        status=command_for("status", image_id) or _STATUS, migrate=command_for("migrate", image_id) or _MIGRATE
    )
