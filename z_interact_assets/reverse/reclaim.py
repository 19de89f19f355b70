"""Reclaim: clearing base64 that is in R2 as well, after the soak and a fresh proof of everything that hangs on it.

For each image, in this order: the row is as the migration left it, on a public base; every byte of its objects is read
and has the SHA-256 of the ledger; object and undo record together give the row's text back, to the byte; the proof is
written into the ledger; only then the text is cleared, by compare-and-swap on the very text that was compared; the row
is read again; the ledger is told. Once a run and public base, one image is fetched through its public URL as well.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from z_interact_assets.core.errors import (
    ObjectDiffersError,
    ObjectNotFoundError,
    ReclaimRefusedError,
    StorageUnavailableError,
)
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.ports import ObjectReader, ObjectStore
from z_interact_assets.core.reasons import Reason
from z_interact_assets.core.records import ReclaimRecord, UndoRecord, UndoScope
from z_interact_assets.core.rows import LegacyRow, RowChange
from z_interact_assets.core.showing import shortened
from z_interact_assets.core.undoing import Standing, objects_of_texts, original_texts, standing
from z_interact_assets.core.urls import KnownBases
from z_interact_assets.reverse.carrying_out import CarryingOut, Means
from z_interact_assets.reverse.reading import read_images
from z_interact_assets.reverse.report import ReclaimReport
from z_interact_assets.reverse.steps import Ended, Step

DAY_MS = 24 * 60 * 60 * 1000
_OK = 200


class Reconciliation(Protocol):
    """What a reclaim takes from an inventory of this run: the objects that two rows name."""

    @property
    def shared(self) -> Sequence[str]:
        """Their keys; perhaps not all."""
        ...

    @property
    def shared_count(self) -> int:
        """How many there are."""
        ...


class PublicAnswer(Protocol):
    """What a public URL answered."""

    @property
    def status(self) -> int:
        """HTTP status."""
        ...

    @property
    def sha256(self) -> str:
        """SHA-256 of the body, lower-case hex."""
        ...

    @property
    def may_pass(self) -> bool:
        """Tell whether the same request may be answered otherwise later."""
        ...


class PublicFace(Protocol):
    """Reads public URLs."""

    def get(self, url: str, *, max_bytes: int = ...) -> PublicAnswer:
        """GET; StorageUnavailableError where no whole answer comes."""
        ...


class Reclaim:
    """One reclaim. `report` is whole when `run` has ended, also by an error."""

    def __init__(
        self,
        means: Means,
        store: ObjectStore,
        bases: KnownBases,
        public: PublicFace,
        *,
        after_days: float,
        vacuum: bool = False,
    ) -> None:
        """`after_days` is the soak; `vacuum` shrinks the file of a SQLite table when all is done."""
        self._means = means
        self._vacuum = vacuum
        self._store = store
        self._bases = bases
        self._public = public
        self._after_ms = int(after_days * DAY_MS)
        self.report = ReclaimReport(dry_run=means.dry_run)

    def run(self, reconciled: Reconciliation, batch_keys: tuple[str, ...] | None = None) -> Iterator[str]:
        """Clear what is due, of these batches or of all; yield each batch once its images have ended.

        `reconciled` was found in this run: one that could not be made is not to be replaced by an empty one. Raises
        ReclaimRefusedError if too much is wrong to tell which images are safe, or if the public base does not serve
        them; and the outages of store, table and ledger.
        """
        if reconciled.shared_count > len(reconciled.shared):
            raise ReclaimRefusedError(
                f"{reconciled.shared_count:,} objects are named by two rows each, too many to tell them apart.",
                remedy="`validate` lists them; give the rows objects of their own first.",
            )
        space = self._means.table.space
        if self._vacuum:
            space.check_vacuum()
        self.report.before = space.measure()
        yield from self._clear(batch_keys, frozenset(reconciled.shared))
        if self._vacuum and self.report.complete and not self._means.dry_run:
            space.vacuum()
        self.report.after = space.measure()

    def _clear(self, batch_keys: tuple[str, ...] | None, shared: frozenset[str]) -> Iterator[str]:
        due = reclaimable(batch_keys, until=self._means.clock_ms() - self._after_ms)
        everything = sum(self._means.ledger.undo.count(reclaimable(batch_keys)).values())
        self.report.not_due = everything - sum(self._means.ledger.undo.count(due).values())
        clearing = _Clearing(self._means, self._store, self._bases, self._public, scope=due, shared=shared)
        carrying = CarryingOut(clearing, self._means, self.report.add)
        yield from carrying.run()
        if carrying.unanswered:  # so few that it was no outage to the run: is R2 there?
            self._store.check()
        self.report.complete = not carrying.interrupted


def reclaimable(batch_keys: tuple[str, ...] | None = None, *, until: int | None = None) -> UndoScope:
    """Return the images that have base64 to clear, switched no later than `until` (UTC ms)."""
    return UndoScope(states=(ItemState.PUBLISHED,), batch_keys=batch_keys, source="image_data", published_until=until)


class _Clearing:
    """The undertaking."""

    operation = "reclaim"

    def __init__(
        self,
        means: Means,
        store: ObjectReader,
        bases: KnownBases,
        public: PublicFace,
        *,
        scope: UndoScope,
        shared: frozenset[str],
    ) -> None:
        self._means = means
        self._store = store
        self._bases = bases
        self._public = public
        self._shared = shared
        self._served: set[str] = set()
        self.scope = scope

    def prepare(self, record: UndoRecord) -> Step:
        """Prove row, objects and undo record."""
        step = Step(record=record)
        row = self._means.table.read(record.image_id)
        if row is None:
            return step.skip(Reason.ROW_DELETED)
        url = row.get("image_url")
        if standing(row, record, self._bases) is not Standing.AS_LEFT and not self._pointed_before(row, record):
            # Beside our own URL it is another image. (Beside any other it may be R2_PUBLIC_URL that changed.)
            step.edited = self._names_its_object(row, record)
            return step.fail(Reason.ROW_CHANGED)
        if not isinstance(url, str) or not self._bases.is_configured(url):
            return step.fail(Reason.URL_NOT_PUBLIC)
        if record.object_key in self._shared:
            return step.fail(Reason.OBJECT_SHARED)
        return self._prove(step, row)

    def before_writing(self, steps: Sequence[Step]) -> None:
        """See that the public base serves the images, and note the proofs, durably."""
        for step in steps:
            self._see_served(step)
        keys = [stored.key for step in steps for stored in objects_of_texts(step.record)]
        self._means.ledger.work.record_proofs(keys, proof="sha256", now_ms=self._means.clock_ms())

    def confirm(self, step: Step) -> None:
        """See that the text is gone and the URL is not."""
        head = self._means.table.head(step.record.image_id)
        if head is None:
            step.skip(Reason.ROW_DELETED)
        elif head.data_bytes is None and self._bases.key_of(head.url_head or "") == step.record.object_key:
            step.ended, step.fingerprint = Ended.DONE, head.fingerprint
        else:
            step.fail(Reason.ROW_CHANGED)

    def record(self, steps: Sequence[Step]) -> None:
        """Tell the ledger."""
        outcomes = [(step, step.outcome(ItemState.RECLAIMED, "reclaimed")) for step in steps]
        records = [
            ReclaimRecord(
                item_id=outcome.item_id, state=outcome.state, fingerprint=outcome.fingerprint, event=outcome.event,
                facts=outcome.facts, bytes=step.bytes,
            )
            for step, outcome in outcomes
        ]  # fmt: skip
        means = self._means
        means.ledger.undo.record_reclaimed(records, now_ms=means.clock_ms(), run_id=means.run_id)

    def _pointed_before(self, row: LegacyRow, record: UndoRecord) -> bool:
        """Tell whether the row pointed at its object before us: as it was, and as we left it, are then the same."""
        restored = standing(row, record, self._bases) is Standing.RESTORED
        return restored and self._names_its_object(row, record)

    def _names_its_object(self, row: LegacyRow, record: UndoRecord) -> bool:
        return self._bases.key_of(str(row.get("image_url"))) == record.object_key

    def _prove(self, step: Step, row: LegacyRow) -> Step:
        texts = original_texts(step.record)
        data = texts.get("image_data")
        objects = objects_of_texts(step.record)
        shown = next((stored.sha256 for stored in objects if stored.key == step.record.object_key), None)
        if data is None or data.image_sha256 != shown:  # what the row's URL shows must be what its text spells
            return step.fail(Reason.UNDO_RECORD_UNFIT, "image_data")
        try:
            images = read_images(self._store, objects)
        except ObjectNotFoundError as error:
            return step.fail(Reason.OBJECT_MISSING, str(error))
        except ObjectDiffersError as error:
            return step.fail(Reason.OBJECT_DIFFERS, str(error))
        for column, text in texts.items():
            image = images.get(text.image_sha256)
            if image is None or text.rebuilt(image) is None:
                return step.fail(Reason.UNDO_RECORD_UNFIT, column)
        step.bytes = data.text_bytes
        step.facts = {
            "bytes": data.text_bytes, "text_sha256": data.text_sha256, "sha256": data.image_sha256,
            "key": step.record.object_key,
        }  # fmt: skip
        if row.get("image_data") is not None:
            as_read = {column: row.get(column) for column in ("image_data", "image_url")}
            step.change = RowChange(id=row.id, values={"image_data": None}, as_read=as_read)
        return step

    def _see_served(self, step: Step) -> None:
        """Fetch an image through its public URL, once a base: what no browser can read must not be the only copy."""
        stored = objects_of_texts(step.record)[0]
        url = self._url_of(step)
        if url is None:
            return
        base = url.removesuffix(stored.key)
        if base in self._served:
            return
        try:
            answer = self._public.get(url, max_bytes=stored.size)
        except StorageUnavailableError as error:
            raise StorageUnavailableError(
                f"{error.message} Nothing is cleared while the public URL is not shown to serve the images.",
                remedy=error.remedy,
            ) from None
        if answer.may_pass:
            raise StorageUnavailableError(
                f"The public URL answers {answer.status}. Nothing is cleared until it is shown to serve the images.",
                remedy="Run the same command again later.",
            )
        if answer.status != _OK or answer.sha256 != stored.sha256:
            raise ReclaimRefusedError(
                f"The public URL of {shortened(step.record.image_id)!r} does not serve its bytes ({answer.status}).",
                remedy="Check R2_PUBLIC_URL and the bucket's public access: `doctor`, then `validate --public`.",
            )
        self._served.add(base)

    @staticmethod
    def _url_of(step: Step) -> str | None:
        if step.change is None:
            return None
        url = step.change.as_read["image_url"]
        return url.strip() if isinstance(url, str) else None
