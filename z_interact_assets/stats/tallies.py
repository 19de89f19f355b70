"""Breakdowns: images and bytes by persona, session, type, month and so on, summed frame by frame.

The sums of a frame are pandas'; those of all frames are in SQLite's unnamed database, which is in memory while it is
small and on disk when it grows: sessions may be as many as images.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Self

from z_interact_assets.core.snapshots import BREAKDOWNS, MEASURES

MOST_GROUPS = 50
LONGEST_VALUE = 200  # characters
SIZES = ("under 10 kB", "10-100 kB", "100 kB-1 MB", "1-10 MB", "over 10 MB")
_SIZE_LIMITS = (-1, 9_999, 99_999, 999_999, 9_999_999, float("inf"))
Frame = Any  # pandas' own annotations let a cell be anything, and nothing be done with it

_ADD = f"""
INSERT INTO tally VALUES (?, ?, {", ".join("?" * len(MEASURES))}) ON CONFLICT DO UPDATE SET
{", ".join(f"{name} = {name} + excluded.{name}" for name in MEASURES)}
"""  # noqa: S608 - our own names
_COLUMNS = ", ".join(MEASURES)
_SUMS = ", ".join(f"coalesce(sum({name}), 0)" for name in MEASURES)


class Tallies:
    """All breakdowns. For one thread; a context manager that closes itself."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect("", isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute("PRAGMA cache_size = -16000")
        measures = ", ".join(f"{name} INTEGER" for name in MEASURES)
        # Where nothing is known the value is a blob: no text can be one.
        self._connection.execute(
            f"CREATE TABLE tally (breakdown TEXT, value, {measures}, PRIMARY KEY (breakdown, value)) WITHOUT ROWID"
        )
        self._connection.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(sqlite3.Error):
            self._connection.close()

    def add(self, frame: Frame) -> None:
        """Add a frame to all breakdowns."""
        measures = _measures(frame)
        for breakdown, values in _groupings(frame):
            sums = measures.groupby(values, observed=True, dropna=False).sum()
            known = sums.index.notna()
            rows = zip(sums.index, known, *(sums[name].tolist() for name in MEASURES), strict=True)
            self._connection.executemany(
                _ADD, ((breakdown, value if told else _NONE, *numbers) for value, told, *numbers in rows)
            )

    def to_json(self) -> dict[str, list[dict[str, Any]]]:
        """Return each breakdown's groups: at most MOST_GROUPS, then one of all others."""
        return {breakdown: self._groups(breakdown) for breakdown in BREAKDOWNS}

    def _groups(self, breakdown: str) -> list[dict[str, Any]]:
        statement = f"SELECT value, {_COLUMNS} FROM tally WHERE breakdown = ? ORDER BY {_ORDERS[breakdown]} LIMIT ?"  # noqa: S608
        found = self._connection.execute(statement, (breakdown, MOST_GROUPS)).fetchall()
        groups = [_group("none" if row[0] == _NONE else "value", row[0], row[1:]) for row in found]
        if breakdown == "month":
            groups.sort(key=lambda group: (group["group"] == "none", group["value"] or ""))
        elif breakdown == "size":
            groups.sort(key=lambda group: SIZES.index(group["value"]) if group["value"] else len(SIZES))
        everything = self._connection.execute(f"SELECT {_SUMS} FROM tally WHERE breakdown = ?", (breakdown,)).fetchone()  # noqa: S608
        rest = [total - sum(group[name] for group in groups) for name, total in zip(MEASURES, everything, strict=True)]
        return [*groups, _group("rest", None, rest)] if rest[0] else groups


_NONE = b""
_LARGEST_FIRST = "images DESC, value"
_ORDERS = dict.fromkeys(BREAKDOWNS, _LARGEST_FIRST) | {"month": "value DESC"}  # the newest months; no month first


def _group(kind: str, value: Any, numbers: Any) -> dict[str, Any]:
    return {"group": kind, "value": value if kind == "value" else None, **dict(zip(MEASURES, numbers, strict=True))}


def _measures(frame: Frame) -> Frame:
    import pandas as pd  # noqa: PLC0415 - half a second of import that no other command needs

    return pd.DataFrame(
        {
            "images": 1,
            "r2_images": frame["row_class"].isin(["r2", "mixed"]).astype("int64"),
            "base64_images": (frame["row_class"] == "base64").astype("int64"),
            "bytes": frame["bytes"].fillna(0).astype("int64"),
            "base64_bytes": frame["base64_bytes"].astype("int64"),
        },
        index=frame.index,
    )


def _groupings(frame: Frame) -> Iterator[tuple[str, Frame]]:
    """Yield each breakdown with the group of every row."""
    import pandas as pd  # noqa: PLC0415

    for breakdown in ("persona", "session", "provider"):
        name = breakdown if breakdown == "provider" else f"{breakdown}_id"
        yield breakdown, frame[name].astype("string[pyarrow]").str.slice(0, LONGEST_VALUE)
    yield "type", frame["format"].astype("string[pyarrow]")
    yield "month", frame["created_at"].dt.strftime("%Y-%m").astype("string[pyarrow]")
    size = frame["bytes"].fillna(frame["estimated_bytes"]).astype("Float64")
    classes: Frame = pd.cut(size, _SIZE_LIMITS, labels=list(SIZES))
    yield "size", classes.astype("string[pyarrow]")
    width, height = (frame[name].astype("string[pyarrow]") for name in ("width", "height"))
    yield "dimensions", width + "x" + height
