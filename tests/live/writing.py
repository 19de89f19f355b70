"""What the app writes: one statement at a time, each chosen by a seed. Where it is written, `databases` knows."""

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any

from tests.support.images import base64_of, data_url_of, make_png, with_comment

Columns = dict[str, Any]

PROMPTS = ("a prompt", "zwölf Katzen", "two\nlines", "💃 dancing", "'; DROP TABLE images; --")
STATUSES = ("completed", "locked", "active", "uploaded")
KINDS = {
    "insert": 5, "edit": 6, "replace_same_length": 3, "replace_other_length": 3, "move_to_url": 3, "set_url": 1,
    "delete": 2, "insert_again": 2,
}  # fmt: skip


class Script:
    """An endless play of writes (kind, id, columns; None deletes). Knows what the app has in each of its rows."""

    def __init__(self, seed: int, *, image_bytes: int = 200) -> None:
        self._random = Random(seed)
        self._image_bytes = image_bytes
        self._serial = 0
        self.rows: dict[str, Columns] = {}
        self._deleted: list[str] = []

    def writes(self) -> Iterator[tuple[str, str, Columns | None]]:
        """Yield one write after another; `rows` has it from then on."""
        choices = list(KINDS)
        while True:
            kind = self._random.choices(choices, list(KINDS.values()))[0]
            if kind == "insert" or not self.rows or (kind == "insert_again" and not self._deleted):
                yield "insert", *self._insert(f"{self._serial:05}")
            elif kind == "insert_again":
                yield kind, *self._insert(self._deleted.pop(0))
            else:
                row_id = self._random.choice(list(self.rows))
                if kind == "delete":
                    del self.rows[row_id]
                    self._deleted.append(row_id)
                    yield kind, row_id, None
                else:
                    columns = _CHANGES[kind](self, self.rows[row_id]) | {"updated_at": self._now()}
                    self.rows[row_id] |= columns
                    yield kind, row_id, columns

    def image(self, size: int | None = None) -> bytes:
        """A new image of exactly so many bytes."""
        self._serial += 1
        png = make_png(self._serial)
        room = (size or self._image_bytes + self._random.randrange(self._image_bytes)) - len(with_comment(png, b""))
        return with_comment(png, self._random.randbytes(max(0, room)).hex().encode()[: max(0, room)])

    def _insert(self, row_id: str) -> tuple[str, Columns]:
        forms: list[Callable[[], Columns]] = [
            lambda: {"image_data": base64_of(self.image()), "image_url": None},
            lambda: {"image_data": base64_of(self.image()), "image_url": "/images/x.jpg"},
            lambda: {"image_data": None, "image_url": data_url_of(self.image())},
            lambda: {"image_data": base64_of(self.image()), "image_url": data_url_of(self.image())},
        ]
        row = self._random.choice(forms)() | {
            "id": row_id, "persona_id": f"p{row_id}", "persona_title": "Gen Z", "prompt": self._random.choice(PROMPTS),
            "provider": "openai", "status": "completed", "created_at": self._now(), "updated_at": None,
        }  # fmt: skip
        self.rows[row_id] = dict(row)
        return row_id, row

    def edit(self, _: Mapping[str, Any]) -> Columns:
        """Another prompt, another status."""
        return {"prompt": f"{self._random.choice(PROMPTS)} {self._serial}", "status": self._random.choice(STATUSES)}

    def replace_same_length(self, row: Mapping[str, Any]) -> Columns:
        """Another image whose base64 is as long as the one before."""
        before = row["image_data"] or ""
        size = len(before) // 4 * 3 - before[-2:].count("=") if before else None
        return {"image_data": base64_of(self.image(size))}

    def replace_other_length(self, _: Mapping[str, Any]) -> Columns:
        """Another image, with the address the API gives it."""
        return {"image_data": base64_of(self.image()), "image_url": self._random.choice((None, "/images/x.jpg"))}

    def move_to_url(self, _: Mapping[str, Any]) -> Columns:
        """Another image, as the app keeps it when R2 fails."""
        return {"image_data": None, "image_url": data_url_of(self.image())}

    def set_url(self, _: Mapping[str, Any]) -> Columns:
        """A provider's own URL; the base64 stays what it is."""
        return {"image_url": f"https://provider.example.net/{self._random.randrange(10**9)}.png"}

    def _now(self) -> int:
        self._serial += 1
        return 1_757_400_000_000 + self._serial


_CHANGES: Mapping[str, Callable[[Script, Mapping[str, Any]], Columns]] = {
    "edit": Script.edit,
    "replace_same_length": Script.replace_same_length,
    "replace_other_length": Script.replace_other_length,
    "move_to_url": Script.move_to_url,
    "set_url": Script.set_url,
}
