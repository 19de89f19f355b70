"""A sample of the app's table in a SQLite file: mostly ordinary rows, and every odd state at least once.

For the demo and for tests, which learn from the summary what each row is and what a migration should make of it. The
same arguments give the same rows.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from z_interact_assets.core.models import ItemState
from z_interact_assets.demo.curiosities import Curiosity, Expected, Surroundings, Uploader, curiosities
from z_interact_assets.demo.drawing import draw_pictures
from z_interact_assets.demo.prompts import load_prompts
from z_interact_assets.demo.sample_rows import RowMaker
from z_interact_assets.demo.shapes import create_table

DEFAULT_ROWS = 300
DEFAULT_SEED = 7

# One row in this many opens another round of curiosities.
_ROWS_A_ROUND = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSummary:
    """What was made. `expected` tells by row id what each row is, and how a migration without STATIC_DIR should end."""

    path: Path
    expected: Mapping[str, Expected] = field(repr=False)
    uploaded: tuple[str, ...] = ()

    def ids(self, *, kind: str | None = None, state: str | None = None, reason: str | None = None) -> list[str]:
        """The rows of that kind, expected state and reason (of those that are given)."""
        return [
            row_id
            for row_id, found in self.expected.items()
            if kind in {None, found.kind} and state in {None, found.state} and reason in {None, found.reason}
        ]


def make_sample_table(
    path: Path,
    *,
    public_url: str,
    uploader: Uploader | None = None,
    rows: int = DEFAULT_ROWS,
    seed: int = DEFAULT_SEED,
    bucket: str = "z-interact-images",
) -> SampleSummary:
    """Create the SQLite file, in place of one that is there. ValueError if the odd rows alone are more than `rows`.

    Rows that are in R2 already point below `public_url`; their objects go through the uploader first.
    """
    uploaded: list[str] = []
    around = Surroundings(public_url=public_url, bucket=bucket, uploader=_noting(uploader, uploaded))
    made = _rows(Random(seed), around, rows)  # noqa: S311 - the sample must come out the same each time
    _write(path, made)
    return SampleSummary(path=path, expected={row["id"]: expected for expected, row in made}, uploaded=tuple(uploaded))


def _noting(uploader: Uploader | None, keys: list[str]) -> Uploader | None:
    if uploader is None:
        return None

    def upload(key: str, data: bytes, content_type: str) -> None:
        uploader(key, data, content_type)
        keys.append(key)

    return upload


def _rows(rng: Random, around: Surroundings, count: int) -> list[Curiosity]:
    make = RowMaker(rng, draw_pictures(rng), load_prompts(), rows=count)
    odd = [curiosity for _ in range(1 + count // _ROWS_A_ROUND) for curiosity in curiosities(make, around)]
    if count < len(odd):
        raise ValueError(f"a sample needs at least {len(odd)} rows to hold every row state")
    made = odd
    while len(made) < count:
        kind, row = make.ordinary()
        made.append((Expected(kind, ItemState.PUBLISHED), row))
    rng.shuffle(made)
    return made


def _write(path: Path, made: list[Curiosity]) -> None:
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.unlink(missing_ok=True)
    connection = sqlite3.connect(unfinished)
    try:
        columns = create_table(connection, "full")
        marks = ", ".join(f":{name}" for name in columns)
        connection.executemany(f"INSERT INTO images VALUES ({marks})", (row for _, row in made))  # noqa: S608 - ours
        connection.commit()
    finally:
        connection.close()
    unfinished.replace(path)
