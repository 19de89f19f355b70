"""What is asked for page by page is found by an index in the order it is yielded: a page costs the same at any size.

SQLite plans by rules where nobody has analysed the file, so an empty ledger is planned as one of a million images.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from tests.support.ledgers import put_new_ledger
from z_interact_assets.core.findings import ON_R2_STATES
from z_interact_assets.core.records import UndoScope
from z_interact_assets.reverse import reclaimable
from z_interact_assets.reverse.rollback import STATES
from z_interact_assets.storage.ledger import Ledger, open_ledger

QUESTIONS: dict[str, Callable[[Ledger], Any]] = {
    "all items": lambda ledger: list(ledger.ask.items()),
    "items of some states": lambda ledger: list(ledger.ask.items(ON_R2_STATES)),
    "an item": lambda ledger: ledger.ask.item("a"),
    "second images": lambda ledger: ledger.ask.alternates([1, 2]),
    "placements": lambda ledger: ledger.ask.placements(["a", "b"]),
    "objects": lambda ledger: list(ledger.ask.recorded_objects()),
    "an object": lambda ledger: ledger.ask.recorded_object("images/a"),
    "facts": lambda ledger: ledger.figures.facts(["a", "b"]),
    "undo records of a reclaim": lambda ledger: list(ledger.undo.records(reclaimable(until=1), "b000001", "b000002")),
    "undo records of a rollback": lambda ledger: list(
        ledger.undo.records(UndoScope(states=STATES, with_object=True), "b000001", "b000002")
    ),
    "other owners of objects": lambda ledger: ledger.undo.answered_for_elsewhere({"images/a": 1}),
}


@pytest.fixture
def plans(tmp_path: Path) -> Iterator[Callable[[Callable[[Ledger], Any]], list[str]]]:
    """How SQLite goes about each statement of a question."""
    path = tmp_path / "ledger.db"
    put_new_ledger(path)
    with closing(open_ledger(f"sqlite:///{path}")) as ledger, closing(sqlite3.connect(path)) as connection:
        asked: list[tuple[str, Any]] = []
        event.listen(
            ledger._engine,
            "before_cursor_execute",
            lambda _c, _d, statement, values, *_: asked.append((statement, values)),
        )

        def plans_of(question: Callable[[Ledger], Any]) -> list[str]:
            question(ledger)
            return [
                step[3]
                for statement, values in asked if statement.startswith("SELECT")
                for step in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)
            ]  # fmt: skip

        yield plans_of


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_a_page_is_neither_scanned_for_nor_sorted(plans, question):
    steps = plans(question)
    assert steps
    scanned = [step for step in steps if step.startswith("SCAN") or "TEMP B-TREE" in step]
    assert scanned == []


def test_images_are_looked_up_by_their_hash(tmp_path):
    path = tmp_path / "ledger.db"
    put_new_ledger(path)
    with closing(open_ledger(f"sqlite:///{path}")) as ledger, closing(sqlite3.connect(path)) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {ledger.planning._lookup}", ["[]"]).fetchall()
        assert plan[-1][3].startswith("SEARCH items USING INDEX")
