"""What a migration would do, found by doing everything but the writing: the full plan and the dry run."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import merge
from itertools import islice
from typing import Any

from z_interact_assets.core.costs import Estimate, Prices, estimate
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.planning import Decision, batch_key
from z_interact_assets.core.ports import ObjectStore
from z_interact_assets.core.records import KnownItem, WorkItem
from z_interact_assets.execution.progress import ProgressListener, ignore_progress
from z_interact_assets.migrate.migration import Engine
from z_interact_assets.migrate.outcomes import Outcome, Totals
from z_interact_assets.migrate.planner import Planner
from z_interact_assets.migrate.scope import Scope
from z_interact_assets.migrate.sinks import DrySink
from z_interact_assets.storage.ledger import Ledger


@dataclass(slots=True)
class Forecast:
    """What the pending images will come to. `text_bytes` is the base64 that will be superfluous; sizes in bytes."""

    totals: Totals = field(default_factory=Totals)
    images: int = 0
    bytes: int = 0
    text_bytes: int = 0
    already_in_r2: int = 0
    duplicates: int = 0
    quarantined: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    batches: set[str] = field(default_factory=set[str])
    _seen: set[int] = field(default_factory=set[int], repr=False)

    def add(self, outcome: Outcome) -> None:
        """Count one image."""
        self.batches.add(outcome.item.batch_key)
        state = outcome.final.state
        if state is ItemState.PUBLISHED:
            self.images += 1
            self.bytes += outcome.uploaded_bytes
            self.text_bytes += outcome.text_bytes
            self._note_duplicate(outcome.sha256)
        elif state is ItemState.ALREADY_IN_R2:
            self.already_in_r2 += 1
        elif state is ItemState.QUARANTINED and outcome.final.reason is not None:
            reason = outcome.final.reason
            self.quarantined.append({"image_id": outcome.item.image_id, "reason": reason.value})

    def estimate(self, prices: Prices) -> Estimate:
        """Return what carrying it out costs and frees."""
        return estimate(
            objects=self.totals.objects_written,
            object_bytes=self.totals.bytes_uploaded,
            text_bytes=self.text_bytes,
            prices=prices,
        )

    def _note_duplicate(self, sha256: str | None) -> None:
        if sha256 is None:
            return
        # 8 bytes of each hash: a million images take some 60 MB less than whole digests would.
        short = int(sha256[:16], 16)
        self.duplicates += short in self._seen
        self._seen.add(short)


class Forecaster:
    """Runs the migration's own worker with a sink that writes nothing."""

    def __init__(
        self, engine: Engine, ledger: Ledger, planner: Planner, *, listen: ProgressListener = ignore_progress
    ) -> None:
        self._engine = engine
        self._ledger = ledger
        self._planner = planner
        self._listen = listen

    def of_plan(self) -> Forecast:
        """Foretell all that is planned, without asking R2: what is on it already is not known."""
        return self._run(self._planned(Scope()), self._pending(Scope()), DrySink(None))

    def of_migration(self, store: ObjectStore, scope: Scope, *, batch_size: int) -> Forecast:
        """Foretell exactly what `migrate` would do now, planning included; R2 is asked by HEAD, nothing is written."""
        store.check()
        again = self._again(scope)
        fresh = sum(1 for _ in self._fresh(scope, batch_size))
        total = self._pending(scope) + len(again) + fresh
        if scope.limit is not None:
            total = min(total, scope.limit)
        sink = DrySink(store, public_url=store.public_url("x")[: -len("/x")])
        return self._run(islice(self._everything(scope, batch_size, again), total), total, sink)

    def _run(self, items: Iterable[WorkItem], total: int, sink: DrySink) -> Forecast:
        forecast = Forecast()
        forecast.totals.planned = total
        groups = self._engine.stream(items, sink, _settle_nothing, total=total, totals=forecast.totals,
                                     listen=self._listen)  # fmt: skip
        for group in groups:
            for outcome in group:
                forecast.add(outcome)
        forecast.totals.batches = len(forecast.batches)
        forecast.quarantined.sort(key=lambda entry: entry["image_id"])
        return forecast

    def _pending(self, scope: Scope) -> int:
        return sum(self._ledger.work.pending(scope.batch_keys, image_ids=scope.image_ids).values())

    def _planned(self, scope: Scope) -> Iterator[WorkItem]:
        keys = list(self._ledger.work.pending(scope.batch_keys, image_ids=scope.image_ids))
        return self._ledger.work.hand_out(keys, image_ids=scope.image_ids, limit=scope.limit, now_ms=0, dry_run=True)

    def _everything(self, scope: Scope, batch_size: int, again: list[WorkItem]) -> Iterator[WorkItem]:
        """Yield what is planned and what planning would add, in the order in which the migration would take it."""
        planned = self._planned(Scope(batch_keys=scope.batch_keys, image_ids=scope.image_ids))
        yield from merge(planned, again, key=_place)
        yield from self._fresh(scope, batch_size)

    def _again(self, scope: Scope) -> list[WorkItem]:
        """Return the images that would be planned again, each in the place it has in its batch."""
        changed = [
            known for _, decision, known in self._planner.unplanned() if decision is Decision.PLAN_AGAIN and known
        ]
        again = {known.item_id: known for known in [*changed, *self._planner.asked_for(scope)]}
        found = [self._work_of(known) for known in again.values()]
        return sorted((item for item in found if _wanted(item, scope)), key=_place)

    def _work_of(self, known: KnownItem) -> WorkItem:
        stored = self._ledger.ask.item(known.image_id)
        return WorkItem(
            item_id=known.item_id, image_id=known.image_id, batch_key=known.batch_key or "", state=ItemState.PLANNED,
            attempts=0, position=known.position or 0, object_key=stored.object_key if stored else None,
            md5=stored.md5 if stored else None, source=stored.source if stored else None,
        )  # fmt: skip

    def _fresh(self, scope: Scope, batch_size: int) -> Iterator[WorkItem]:
        """Yield the images that would come into new batches."""
        number = self._ledger.planning.batch_count()
        heads = (head for head, decision, _ in self._planner.unplanned() if decision is Decision.BATCH)
        for index, head in enumerate(heads):
            key = batch_key(number + 1 + index // batch_size)
            item = WorkItem(item_id=0, image_id=head.id, batch_key=key, state=ItemState.PLANNED, attempts=0)
            if _wanted(item, scope):
                yield item


def _place(item: WorkItem) -> tuple[str, int]:
    return item.batch_key, item.position


def _wanted(item: WorkItem, scope: Scope) -> bool:
    if scope.batch_keys is not None and item.batch_key not in scope.batch_keys:
        return False
    return scope.image_ids is None or item.image_id in scope.image_ids


def _settle_nothing(outcomes: Sequence[Outcome]) -> None:
    """Write nothing; only the payloads are let go."""
    for outcome in outcomes:
        outcome.drop_payload()


def plan_document(
    forecast: Forecast | None,
    *,
    prices: Prices,
    batches: int,
    images: int,
    external: int,
    imageless: int,
    skipped: int,
) -> dict[str, Any]:
    """Return the document of `plan --json`. After a quick plan what only payloads can tell is null."""
    if forecast is None:
        unknown = ("bytes", "quarantined", "duplicates", "already_in_r2", "large_images", "estimate")
        return {
            "batches": batches, "images": images, "external": external, "imageless": imageless, "skipped": skipped,
            **dict.fromkeys(unknown),
        }  # fmt: skip
    cost = forecast.estimate(prices)
    return {
        "batches": len(forecast.batches),
        "images": forecast.images,
        "bytes": forecast.bytes,
        "quarantined": forecast.quarantined,
        "duplicates": forecast.duplicates,
        "external": external,
        "imageless": imageless,
        "already_in_r2": forecast.already_in_r2,
        "skipped": skipped,
        "large_images": forecast.totals.large_images,
        "estimate": {
            "class_a_operations": cost.class_a_operations,
            "monthly_storage_usd": cost.monthly_storage_usd,
            "one_time_usd": cost.one_time_usd,
            "database_bytes_freed": cost.database_bytes_freed,
        },
    }
