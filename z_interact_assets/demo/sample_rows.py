"""The ordinary rows of the sample: who, when and what, with an image in image_data or in a data: URL.

A row is a dict of the full shape's columns. The odd ones are made of these in curiosities.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

from z_interact_assets.demo import spellings
from z_interact_assets.demo.drawing import Picture
from z_interact_assets.demo.prompts import Prompts

Row = dict[str, Any]

# The app wrote seconds until that day, milliseconds after; it converted nothing.
_SECONDS_UNTIL = int(datetime(2025, 9, 8, tzinfo=UTC).timestamp())
_FIRST = int(datetime(2025, 8, 18, tzinfo=UTC).timestamp())
_LAST = int(datetime(2025, 11, 14, tzinfo=UTC).timestamp())

_PERSONAS = {
    "baby-boomer": "Baby Boomer",
    "gen-x": "Generation X",
    "millennial": "Millennial",
    "gen-z": "Gen Z",
}
_PROVIDERS = ("openai", "openai", "openai", "fal", "stability", "midjourney", "placeholder")
_STATUSES = ("completed", "completed", "completed", "completed", "locked", "active", "uploaded")
_ROWS_A_SESSION = 12
_REPEATED = 0.06
_MISLABELLED = 0.15
_UNLABELLED = 0.4


@dataclass(frozen=True, slots=True)
class Image:
    """A picture and the media type its row claims, None where it claims none."""

    picture: Picture
    claimed: str | None

    @property
    def data(self) -> bytes:
        """The picture's bytes."""
        return self.picture.data

    def spelt(self, spelling: spellings.Spelling) -> str:
        """The picture as text."""
        return spelling(self.data, self.claimed or self.picture.format.content_type)


class RowMaker:
    """Makes rows, one after another, from one Random."""

    def __init__(self, rng: Random, pictures: list[Picture], prompts: Prompts, *, rows: int) -> None:
        self.rng = rng
        self.pictures = pictures
        self.prompts = prompts
        self._sessions = [str(self.uuid()) for _ in range(max(1, rows // _ROWS_A_SESSION))]
        self._last: Image | None = None

    def uuid(self) -> uuid.UUID:
        """A version 4 UUID."""
        return uuid.UUID(int=self.rng.getrandbits(128), version=4)

    def image(self) -> Image:
        """The next picture, signed so that its bytes are its own; a few come twice."""
        if self._last is not None and self.rng.random() < _REPEATED:
            return self._last
        picture = self.rng.choice(self.pictures).signed(f"z-interact {self.uuid()}")
        self._last = Image(picture, self._claim(picture))
        return self._last

    def bare(self) -> Row:
        """A completed row without an image."""
        rng = self.rng
        persona = rng.choice(list(_PERSONAS))
        created = rng.randrange(_FIRST, _LAST)
        updated = created + rng.randrange(5, 300)
        unit = 1 if created < _SECONDS_UNTIL else 1000
        return {
            "id": str(self.uuid()),
            "session_id": rng.choice(self._sessions) if rng.random() < 0.9 else None,  # noqa: PLR2004 - most have one
            "participant_id": f"participant-{rng.randrange(1, 40):02d}",
            "persona_id": persona,
            "persona_title": _PERSONAS[persona],
            "table_id": f"table-{rng.randrange(1, 13)}",
            "image_url": None,
            "image_data": None,
            "image_mime_type": None,
            "prompt": self.prompts.pick(rng),
            "provider": rng.choice(_PROVIDERS),
            "status": rng.choice(_STATUSES),
            "r2_key": None,
            "migration_status": "pending",
            "migrated_at": None,
            "created_at": created * unit + (rng.randrange(1000) if unit > 1 else 0),
            "updated_at": updated * unit,
        }

    def with_data(self, spelling: spellings.Spelling = spellings.standard, **columns: Any) -> Row:
        """A row with an image in image_data."""
        image = self.image()
        return self.bare() | {"image_data": image.spelt(spelling), "image_mime_type": image.claimed} | columns

    def with_data_url(self, spelling: spellings.Spelling = spellings.data_url, **columns: Any) -> Row:
        """A row whose only image is the data: URL in image_url."""
        return self.bare() | {"image_url": self.image().spelt(spelling)} | columns

    def ordinary(self) -> tuple[str, Row]:
        """One of the states in which most rows are, with its name."""
        chance = self.rng.randrange(10)
        if chance < 5:  # noqa: PLR2004 - half of them: the app's fallback when R2 failed
            return "data_url", self.with_data_url()
        if chance < 8:  # noqa: PLR2004
            return "data", self.with_data()
        local = f"/images/{self.rng.choice(list(_PERSONAS))}-{self.rng.randrange(10**12)}.jpg"
        return "data_and_local_url", self.with_data(image_url=local)

    def _claim(self, picture: Picture) -> str | None:
        chance = self.rng.random()
        if chance < _MISLABELLED:
            return "image/jpeg"
        return None if chance < _UNLABELLED else picture.format.content_type
