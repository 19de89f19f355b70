"""Planning: every migratable row into exactly one batch. Reads row heads only; writes the ledger only."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from z_interact_assets.core.planning import (
    ASIDE_STATES,
    ASKED_FOR,
    MAX_BATCHES,
    RETRIED_WHEN_NAMED,
    WARN_BATCHES,
    Decision,
    HeadKind,
    Rules,
    TooManyBatchesError,
    advised_batch_size,
    aside_reason,
    batch_count,
    classify_head,
    decide,
)
from z_interact_assets.core.records import KnownItem, NewItem
from z_interact_assets.core.rows import RowHead
from z_interact_assets.core.stats import TableCounts
from z_interact_assets.migrate.scope import Scope
from z_interact_assets.storage.ledger import Ledger
from z_interact_assets.storage.legacy import LegacyTable


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanResult:
    """What one planning pass found and did.

    `kinds` counts all rows of the table by what they are; `new_batches` are the keys just made; `planned` and
    `planned_again` count images; `unaddressable` rows have no id and cannot be migrated.
    """

    rows: int
    kinds: dict[HeadKind, int]
    new_batches: tuple[str, ...]
    planned: int
    planned_again: int
    unaddressable: int
    batches: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What one look at the whole table found: its rows by class and by kind.

    `waiting` is how many of them planning would give to a batch, `changes` how many it would write anything about.
    """

    counts: TableCounts
    kinds: dict[HeadKind, int]
    waiting: int
    changes: int


@dataclass(slots=True)
class _Pass:
    """The counters of one pass over the table."""

    rows: int = 0
    kinds: Counter[HeadKind] = field(default_factory=Counter[HeadKind])
    new: int = 0
    again: int = 0
    keys: list[str] = field(default_factory=list[str])


class Planner:
    """Finds new work and assigns it to batches of at most `batch_size` images."""

    def __init__(
        self, table: LegacyTable, ledger: Ledger, rules: Rules, *, batch_size: int, clock_ms: Callable[[], int]
    ) -> None:
        self._table = table
        self._ledger = ledger
        self._rules = rules
        self._batch_size = batch_size
        self._clock_ms = clock_ms

    def plan(self, *, run_id: str | None = None, seen: Survey | None = None) -> PlanResult:
        """Write the plan into the ledger. TooManyBatchesError before anything is written if batches are too small.

        The table is not looked at again if it was `seen` right before, with nothing to plan.
        """
        if seen is not None and not seen.changes:
            return self._nothing_new(seen)
        self._refuse_too_many_batches()
        done = _Pass()
        waiting: list[str] = []
        for page, known in self._pages():
            waiting += self._enter(done, page, known, run_id)
            whole = len(waiting) - len(waiting) % self._batch_size
            self._add_batches(done, waiting[:whole])
            del waiting[:whole]
        self._add_batches(done, waiting)
        batches = self._ledger.planning.batch_count()
        return PlanResult(
            rows=done.rows,
            kinds=dict(done.kinds),
            new_batches=tuple(done.keys),
            planned=done.new,
            planned_again=done.again,
            unaddressable=self._table.unaddressable(),
            batches=batches,
            warnings=_warnings(batches, done),
        )

    def asked_for(self, scope: Scope) -> list[KnownItem]:
        """Return the images that are to be tried again since somebody asks for them.

        Those that were set aside or rolled back and are named; with `rolled_back` all of the scope that were.
        """
        known = self._ledger.planning.known(scope.image_ids).values() if scope.image_ids else ()
        named = [item for item in known if item.state in RETRIED_WHEN_NAMED and item.batch_key]
        return [*named, *(self._ledger.planning.rolled_back(scope.batch_keys) if scope.rolled_back else ())]

    def try_again(self, scope: Scope, *, run_id: str | None = None) -> None:
        """Plan those images again, in the batches they have."""
        again = {item.item_id: ASKED_FOR for item in self.asked_for(scope)}
        self._ledger.planning.plan_again(again, now_ms=self._clock_ms(), run_id=run_id)

    def survey(self) -> Survey:
        """Count the rows, and what planning would do to them, in one pass; nothing is written."""
        counts, kinds, waiting, changes = TableCounts(), Counter[HeadKind](), 0, 0
        bases = self._rules.bases
        for page, known in self._pages():
            for head in page:
                kind = classify_head(head, bases)
                kinds[kind] += 1
                counts.add(head, bases, kind)
                decision = decide(head, known.get(head.id), self._rules, kind)
                if decision is not Decision.LEAVE:
                    waiting += decision.is_work
                    changes += decision is not Decision.FORGET
        return Survey(counts=counts, kinds=dict(kinds), waiting=waiting, changes=changes)

    def unplanned(self) -> Iterator[tuple[RowHead, Decision, KnownItem | None]]:
        """Yield what `plan` would do to each row it would touch, writing nothing: the dry run."""
        for page, known in self._pages():
            for head in page:
                item = known.get(head.id)
                decision = decide(head, item, self._rules)
                if decision is not Decision.LEAVE:
                    yield head, decision, item

    def _pages(self) -> Iterator[tuple[list[RowHead], dict[str, KnownItem]]]:
        for page in self._table.heads():
            yield page, self._ledger.planning.known([head.id for head in page])

    def _nothing_new(self, seen: Survey) -> PlanResult:
        return PlanResult(
            rows=seen.counts.total, kinds=seen.kinds, new_batches=(), planned=0, planned_again=0,
            unaddressable=self._table.unaddressable(), batches=self._ledger.planning.batch_count(),
        )  # fmt: skip

    def _enter(self, done: _Pass, page: list[RowHead], known: dict[str, KnownItem], run_id: str | None) -> list[str]:
        """Count the page and carry out its decisions but the new batches; return the ids those need."""
        done.rows += len(page)
        again: dict[int, str] = {}
        aside: list[NewItem] = []
        fresh: list[str] = []
        for head in page:
            kind = classify_head(head, self._rules.bases)
            done.kinds[kind] += 1
            item = known.get(head.id)
            decision = decide(head, item, self._rules, kind)
            if decision is Decision.BATCH:
                fresh.append(head.id)
            elif decision is Decision.PLAN_AGAIN and item is not None:
                again[item.item_id] = "the app changed the row" if item.reason is None else item.reason.value
            elif decision is Decision.SET_ASIDE:
                aside.append(_aside(head, kind))
        now = self._clock_ms()
        self._ledger.planning.plan_again(again, now_ms=now, run_id=run_id)
        if aside:
            self._ledger.planning.set_aside(aside, now_ms=now)
        done.again += len(again)
        return fresh

    def _add_batches(self, done: _Pass, image_ids: list[str]) -> None:
        if not image_ids:
            return
        size = self._batch_size
        groups = [image_ids[start : start + size] for start in range(0, len(image_ids), size)]
        done.keys += self._ledger.planning.add_batches(groups, now_ms=self._clock_ms())
        done.new += len(image_ids)

    def _refuse_too_many_batches(self) -> None:
        present = self._ledger.planning.batch_count()
        # The whole table is an upper bound that costs one count; only a table near the limit is looked at twice.
        if present + batch_count(self._table.count(), self._batch_size) <= MAX_BATCHES:
            return
        rows = sum(1 for _, decision, _ in self.unplanned() if decision is Decision.BATCH)
        batches = present + batch_count(rows, self._batch_size)
        if batches > MAX_BATCHES:
            raise TooManyBatchesError(batches, advised_batch_size(rows))


def _aside(head: RowHead, kind: HeadKind) -> NewItem:
    return NewItem(image_id=head.id, state=ASIDE_STATES[kind], reason=aside_reason(kind), fingerprint=head.fingerprint)


def _warnings(batches: int, done: _Pass) -> tuple[str, ...]:
    if batches <= WARN_BATCHES or not done.keys:
        return ()
    advice = f"MIGRATION_BATCH_SIZE={advised_batch_size(done.rows)} would make about 2,000."
    return (f"{batches:,} batches: Dagster's bookkeeping takes about 20 ms each. {advice}",)
