"""What else the statistics want to know of a row: whose it is, who made it, when. Never its image.

Such a column may be absent, hold its own name (a faulty rebuild), be of any type and as long as a stranger likes:
values come as short text. On SQLite a column behind the payload is reached by walking the payload's pages (0.3 ms for
2 MB), so pages are cut by the weight of their rows: a reader keeps the app from committing meanwhile.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa

from z_interact_assets.core.keys import created_at_ms
from z_interact_assets.core.rows import RowHead, stored_bytes

TEXTS = ("session_id", "persona_id", "participant_id", "provider")
LONGEST_TEXT = 500  # characters; a session's id is some 40
LONGEST_PROMPT = 20_000
_LONGEST_TIME = 40
_PAGE_BYTES = 16_000_000  # of payload that is walked over in one read: some 3 ms
_LAST_MS = 253_402_300_799_999  # the end of the year 9999: later ones are no times


class Reading(Protocol):
    """Gives a connection in autocommit mode."""

    def __call__(self) -> AbstractContextManager[sa.Connection]:
        """Open it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RowAttributes:
    """One row without its image. None: absent, empty, or the column's own name. `created_at` is in UTC ms."""

    session_id: str | None = None
    persona_id: str | None = None
    participant_id: str | None = None
    provider: str | None = None
    created_at: int | None = None
    prompt: str | None = None


@dataclass(frozen=True, slots=True)
class TableAttributes:
    """The attributes of one table's rows; `columns` are those it has."""

    table: str
    columns: tuple[str, ...]
    connect: Reading

    def of(self, heads: Sequence[RowHead], *, prompts: bool = False) -> dict[str, RowAttributes]:
        """Return the attributes of these rows (a page in order of id), by id; of one that is gone there are none."""
        found: dict[str, RowAttributes] = {}
        wanted = [name for name in (*TEXTS, "created_at", *(["prompt"] if prompts else [])) if name in self.columns]
        if not wanted:
            return found
        for page in _by_weight(heads):
            with self.connect() as connection:
                rows = connection.execute(self._statement(connection, wanted, page)).all()
            for row_id, *values in rows:
                found[row_id] = _attributes(dict(zip(wanted, values, strict=True)))
        return found

    def _statement(
        self, connection: sa.Connection, wanted: Sequence[str], page: Sequence[RowHead]
    ) -> sa.Select[*tuple[Any, ...]]:
        id_ = sa.column("id")
        values = [_short(name, on_sqlite=connection.dialect.name == "sqlite") for name in wanted]
        return sa.select(id_, *values).select_from(sa.table(self.table)).where(id_.in_([head.id for head in page]))


def _by_weight(heads: Sequence[RowHead]) -> Iterator[list[RowHead]]:
    page: list[RowHead] = []
    weight = 0
    for head in heads:
        page.append(head)
        weight += head.text_bytes
        if weight >= _PAGE_BYTES:
            yield page
            page, weight = [], 0
    if page:
        yield page


def _short(name: str, *, on_sqlite: bool) -> sa.ColumnElement[Any]:
    length = {"created_at": _LONGEST_TIME, "prompt": LONGEST_PROMPT}.get(name, LONGEST_TEXT)
    column = sa.column(name)
    if not on_sqlite:  # a number, a time or bytes: its text
        return sa.func.left(sa.cast(column, sa.Text), length)
    if name == "created_at":
        number = sa.func.typeof(column).in_(["integer", "real"])
        return sa.case((number, column), else_=sa.func.substr(column, 1, length))
    return sa.func.substr(column, 1, length)


def _attributes(values: Mapping[str, Any]) -> RowAttributes:
    created = values.get("created_at")
    ms = 0 if created in (None, "created_at") else created_at_ms(created)
    texts = {name: _text(name, values.get(name)) for name in (*TEXTS, "prompt")}
    return RowAttributes(**texts, created_at=ms if 0 < ms <= _LAST_MS else None)


def _text(name: str, value: object) -> str | None:
    if value is None or value in ("", name):
        return None
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("utf-8", "replace") or None
    text = str(value)
    return text if text.isascii() else stored_bytes(text).decode("utf-8", "replace")
