"""Carrying an undertaking out: batches by lease, images many at a time, rows by compare-and-swap in short groups.

Images stream across the borders of batches: none waits for a batch to end. For each group: what must be durable first,
then the rows, then each row read again, then the ledger. A crash between any two repeats harmlessly, since every step
is decided anew by what the row holds.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from time import monotonic

from z_interact_assets.core.errors import StorageUnavailableError, TableUnavailableError
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.reasons import Reason
from z_interact_assets.core.records import LeaseHolder, UndoRecord
from z_interact_assets.execution.groups import SWITCH_BYTES, SWITCH_ROWS
from z_interact_assets.execution.leases import Leases
from z_interact_assets.execution.progress import Progress, ProgressListener, ignore_progress
from z_interact_assets.execution.stream import Room, Stream
from z_interact_assets.reverse.steps import Ended, Step, Undertaking
from z_interact_assets.storage.ledger import Ledger
from z_interact_assets.storage.legacy import LegacyTable

_OUTAGE_FAILURES = 16  # so many images in a row without an answer, each after all retries, are an outage
_HELD_PER_TEXT_BYTE = 3  # a text as str and as bytes, and the image it spells


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a run works with. `dry_run`: decide everything, write nothing."""

    table: LegacyTable
    ledger: Ledger
    clock_ms: Callable[[], int]
    run_id: str | None = None
    concurrency: int = 16
    max_in_flight_bytes: int = 128 * 1024 * 1024
    dry_run: bool = False
    stop: threading.Event = field(default_factory=threading.Event)
    listen: ProgressListener = ignore_progress


class _Batches:
    """Which batches have ended: all of their images were handed out, and all of these are settled."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: Counter[str] = Counter()
        self._whole: dict[str, None] = {}

    def begun(self, key: str) -> None:
        """Count an image that is handed out."""
        with self._lock:
            self._open[key] += 1

    def handed_out(self, key: str) -> None:
        """Note that there are no more images in the batch."""
        with self._lock:
            self._whole[key] = None

    def settled(self, key: str) -> None:
        """Count an image that has ended."""
        with self._lock:
            self._open[key] -= 1

    def ended(self) -> list[str]:
        """Return the batches that have ended since the last call, in the order they were handed out."""
        with self._lock:
            ended = [key for key in self._whole if not self._open[key]]
            for key in ended:
                del self._whole[key], self._open[key]
            return ended


class CarryingOut:
    """One run of one undertaking.

    `interrupted` says whether it was stopped with images left, `unanswered` whether R2 left any without an answer.
    """

    def __init__(self, undertaking: Undertaking, means: Means, note: Callable[[Step], None]) -> None:
        """`note` hears of every step that has ended."""
        self._undertaking = undertaking
        self._means = means
        self._note = note
        self._batches = _Batches()
        self._started = monotonic()
        self._total = self._done = self._unanswered = 0
        self.interrupted = False
        self.unanswered = False

    def run(self) -> Iterator[str]:
        """Yield each batch once its images have ended. Raises an outage after what was in flight has ended.

        A dry run takes no leases: it has nothing to protect.
        """
        waiting = self._means.ledger.undo.count(self._undertaking.scope)
        self._total = sum(waiting.values())
        if not waiting:
            return
        if self._means.dry_run:
            yield from self._stream(self._records([list(waiting)]), release=lambda _: None)
            return
        self._means.table.check_writable()
        means = self._means
        with Leases(means.ledger, self._undertaking.operation, run_id=means.run_id, clock_ms=means.clock_ms) as leases:
            claimed = leases.shared_out(list(waiting), waiting=self._tell_of_waiting)
            yield from self._stream(self._records(claimed), release=leases.release)

    def _stream(
        self, records: Iterator[UndoRecord | None], *, release: Callable[[Sequence[str]], None]
    ) -> Iterator[str]:
        means = self._means
        stream = Stream(
            self._prepare, records, room=Room(concurrency=means.concurrency, max_weight=means.max_in_flight_bytes),
            weigh=_weight, stop=self._ends_early,
        )  # fmt: skip
        groups = stream.groups(max_items=SWITCH_ROWS, weigh=lambda step: step.weight, max_weight=SWITCH_BYTES)
        with closing(groups):
            for group in groups:
                self._settle(group)
                for step in group:
                    self._batches.settled(step.record.batch_key)
                yield from self._ended_batches(release)
        yield from self._ended_batches(release)
        if self._unanswered >= self._patience:
            raise StorageUnavailableError(
                "R2 has stopped answering.",
                remedy="What was finished is recorded; run the same command again when it is back.",
            )
        self.interrupted = means.stop.is_set() and self._done < self._total

    def _ended_batches(self, release: Callable[[Sequence[str]], None]) -> Iterator[str]:
        ended = self._batches.ended()
        yield from ended
        if ended:
            release(ended)

    def _records(self, claimed: Iterable[Sequence[str]]) -> Iterator[UndoRecord | None]:
        """Yield the images of the batches as those are had, None where there is no batch at the moment."""
        for keys in claimed:
            left = sorted(keys)
            for record in self._means.ledger.undo.records(self._undertaking.scope, *left):
                while left[0] < record.batch_key:
                    self._batches.handed_out(left.pop(0))
                self._batches.begun(record.batch_key)
                yield record
            for key in left:
                self._batches.handed_out(key)
            yield None

    def _prepare(self, record: UndoRecord) -> Step:
        try:
            return self._undertaking.prepare(record)
        except TableUnavailableError as error:
            return Step(record=record).fail(Reason.TABLE_UNAVAILABLE, str(error), error=error)
        except StorageUnavailableError as error:
            return Step(record=record).fail(Reason.STORAGE_UNAVAILABLE, str(error), error=error)

    def _settle(self, steps: list[Step]) -> None:
        if not self._means.dry_run:
            self._write([step for step in steps if step.ended is None])
            self._record(steps)
        for step in steps:
            if step.ended is None:
                step.ended = Ended.DONE
            silent = isinstance(step.error, StorageUnavailableError)
            self._unanswered = self._unanswered + 1 if silent else 0
            self.unanswered |= silent
            step.change = None
            self._done += 1
            self._note(step)
        self._tell()

    def _write(self, steps: list[Step]) -> None:
        self._undertaking.before_writing(steps)
        changing = [step for step in steps if step.ended is None and step.change is not None]
        try:
            self._means.table.apply([step.change for step in changing if step.change is not None])
            for step in steps:
                if step.ended is None:
                    self._undertaking.confirm(step)
        except TableUnavailableError as error:
            # Whether the rows changed is unknown: the next run reads them and recognises its own work.
            for step in steps:
                if step.ended is None:
                    step.fail(Reason.TABLE_UNAVAILABLE, str(error), error=error)

    def _record(self, steps: Sequence[Step]) -> None:
        self._undertaking.record([step for step in steps if step.ended is Ended.DONE])
        refused = [
            step.outcome(step.record.state, f"{self._undertaking.operation}_refused")
            for step in steps if step.ended is Ended.FAILED
        ]  # fmt: skip
        means = self._means
        means.ledger.undo.record_refused(refused, now_ms=means.clock_ms(), run_id=means.run_id)
        edited = [step.outcome(ItemState.CONFLICT, "conflict") for step in steps if step.edited]
        means.ledger.work.record_outcomes(edited, now_ms=means.clock_ms(), run_id=means.run_id)

    @property
    def _patience(self) -> int:
        return max(_OUTAGE_FAILURES, 2 * self._means.concurrency)

    def _ends_early(self) -> bool:
        return self._means.stop.is_set() or self._unanswered >= self._patience

    def _tell(self) -> None:
        self._means.listen(
            Progress(
                done=self._done, total=self._total, bytes=0, seconds=monotonic() - self._started, in_flight=0,
                window=self._means.concurrency,
            )
        )  # fmt: skip

    def _tell_of_waiting(self, holders: Sequence[LeaseHolder]) -> None:
        self._means.listen(
            Progress(
                done=self._done, total=self._total, bytes=0, seconds=0.0, in_flight=0, window=0,
                waiting_for=", ".join(map(str, holders)) or "another run",
            )
        )  # fmt: skip


def _weight(record: UndoRecord) -> int:
    texts = sum(entry["text_bytes"] for entry in record.originals.values())
    return texts * _HELD_PER_TEXT_BYTE + sum(stored.size for stored in record.objects)
