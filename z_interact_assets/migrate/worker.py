"""Images: read the row, prepare it, store and prove it. Effects on R2 only; the rest is the settler's."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from functools import partial

from z_interact_assets.core.errors import (
    ObjectDiffersError,
    ObjectNotFoundError,
    StorageRefusedError,
    StorageUnavailableError,
    TableUnavailableError,
)
from z_interact_assets.core.keys import in_row_unit
from z_interact_assets.core.models import ImageFormat, ItemState, StoredObject, UploadResult
from z_interact_assets.core.preparation import PointsAtR2, Preparation, Prepared, PreparedImage, SetAside
from z_interact_assets.core.reasons import Reason
from z_interact_assets.core.records import ObjectRecord, StoredRecord, WorkItem
from z_interact_assets.core.rows import LegacyRow, RowChange, RowHead, head_text, octets
from z_interact_assets.migrate.flow import ByteBudget
from z_interact_assets.migrate.outcomes import Outcome, final
from z_interact_assets.migrate.pipeline import Upload
from z_interact_assets.migrate.sinks import Sink, holds
from z_interact_assets.storage.legacy import LegacyTable
from z_interact_assets.storage.legacy.reader import Rows

# Held for each byte of an image's text. While it is prepared: the text as str and as bytes, and the bytes decoded from
# it (3/4); then only those: they are sent, and spell the text for the compare-and-swap.
_READ, _PREPARED = 2.75, 0.75


class Worker:
    """Does what a row needs of R2. One thread begins, many send."""

    def __init__(
        self, table: LegacyTable, sink: Sink, preparation: Preparation, budget: ByteBudget, clock_ms: Callable[[], int]
    ) -> None:
        self._table = table
        self._sink = sink
        self._preparation = preparation
        self._budget = budget
        self._clock_ms = clock_ms

    def begin(self, items: Sequence[WorkItem]) -> Generator[Outcome | Upload]:
        """Read and prepare rows: yield the end of each that needs nothing of R2, and what is to be sent for the others.

        Sending raises only what concerns every image: wrong credentials, no bucket …
        """
        try:
            with self._table.reader() as rows:
                heads = rows.heads([item.image_id for item in items])
                for item in items:
                    yield self._begin(item, heads.get(item.image_id), rows)
        except TableUnavailableError as error:  # before the first of them: `_begin` answers for its own
            yield from (_failed(item, Reason.TABLE_UNAVAILABLE, error) for item in items)

    def _begin(self, item: WorkItem, head: RowHead | None, rows: Rows) -> Outcome | Upload:
        if head is None:
            return _deleted(item)
        if (refused := self._preparation.too_large(head)) is not None:
            return _aside(item, refused, head)
        taken = self._budget.take(int(self._preparation.payload_bytes(head) * _READ))
        try:
            step = self._prepare(item, rows, taken)
        except TableUnavailableError as error:
            step = _failed(item, Reason.TABLE_UNAVAILABLE, error)
        except BaseException:
            self._budget.give(taken)
            raise
        if isinstance(step, Outcome):
            self._budget.give(taken)
        return step

    def _prepare(self, item: WorkItem, rows: Rows, taken: int) -> Outcome | Upload:
        row = rows.read(item.image_id)
        if row is None:
            return _deleted(item)
        decision = self._preparation.prepare(row)
        if isinstance(decision, SetAside):
            return _aside(item, decision, row.head())
        kept = int(taken * _PREPARED / _READ)
        self._budget.give(taken - kept)
        return Upload(partial(self._send, item, decision, kept), kept)

    def _send(self, item: WorkItem, decision: Prepared | PointsAtR2, taken: int) -> Outcome:
        outcome = self._sent(item, decision)
        outcome.taken = taken
        return outcome

    def _sent(self, item: WorkItem, decision: Prepared | PointsAtR2) -> Outcome:
        try:
            return self._store(item, decision) if isinstance(decision, Prepared) else self._adopt(item, decision)
        except ObjectDiffersError:
            aside = SetAside(state=ItemState.QUARANTINED, reason=Reason.OBJECT_DIFFERS)
        except (StorageUnavailableError, ObjectNotFoundError) as error:
            return _failed(item, Reason.STORAGE_UNAVAILABLE, error)
        except StorageRefusedError as error:
            if error.concerns_every_request:
                raise
            aside = SetAside(state=ItemState.QUARANTINED, reason=Reason.STORAGE_REFUSED, detail=error.code)
        return _aside(item, aside, decision.row.head())

    def _store(self, item: WorkItem, prepared: Prepared) -> Outcome:
        if (claimed := prepared.claimed_key) is not None and (found := self._sink.head(claimed)) is not None:
            if holds(self._sink, found, prepared.primary):
                return self._already_pointing(item, prepared, found)
            if claimed != item.object_key:
                raise ObjectDiffersError("The row points at other bytes than it holds.", key=claimed)
            # Our own switch, and since then the app has put another image beside its URL: it goes the usual way.
        look_first = item.attempts > 0 or item.state is ItemState.STORED
        results = [self._sink.put(image, look_first=look_first, now_ms=self._clock_ms()) for image in prepared.images]
        if prepared.only_copy:
            self._sink.prove(prepared.images[-1])
        stored = StoredRecord(
            item_id=item.item_id,
            source=prepared.source,
            object_key=prepared.primary.key,
            objects=tuple(
                _object(image, result, role=role, proof="sha256" if prepared.only_copy and last else "etag")
                for image, result, role, last in _with_roles(prepared, results)
            ),
            originals=prepared.originals,
            before=prepared.before,
        )
        change = self._switch(prepared)
        created = [result for result in results if result.created]
        return Outcome(
            item=item,
            stored=stored,
            change=change,
            final=final(
                item, ItemState.PUBLISHED, fingerprint=_fingerprint_after(prepared.row, change),
                facts={"url": change.values["image_url"]},
            ),
            created=len(created),
            uploaded_bytes=sum(result.size for result in created),
            text_bytes=sum(text["text_bytes"] for text in prepared.originals.values()),
            sha256=prepared.primary.sha256,
            large=any(len(image.data) > self._preparation.limits.warn_bytes for image in prepared.images),
        )  # fmt: skip

    def _switch(self, prepared: Prepared) -> RowChange:
        row, now_ms = prepared.row, self._clock_ms()
        wanted = {
            "image_url": self._sink.public_url(prepared.primary.key),
            "r2_key": prepared.primary.key,
            "migration_status": "completed",
            "migrated_at": now_ms // 1000,
            "updated_at": in_row_unit(now_ms, row.get("created_at")),
        }
        values = {column: value for column, value in wanted.items() if column in row.values}
        rising = ("updated_at",) if "updated_at" in values else ()  # galleries ask for what is later than they have
        return RowChange(id=row.id, values=values, as_read=_payload(row), rising=rising)

    def _already_pointing(self, item: WorkItem, prepared: Prepared, found: StoredObject) -> Outcome:
        """The row has its base64 and points at the same bytes: an interrupted switch, or the old migrator's work."""
        image = prepared.primary
        change = _back_fill(prepared.row, found.key, self._public_instead(prepared.row, found.key))
        stored = None
        # Where the undo record is in the ledger already, the row's values may be our own new ones: they must not
        # replace what it holds.
        if not (item.object_key == found.key and item.source == prepared.source):
            record = replace(
                _object(image, None, role="primary", proof="etag"), key=found.key, etag=found.etag,
                content_type=found.content_type,
            )  # fmt: skip
            stored = StoredRecord(
                item_id=item.item_id, source=prepared.source, object_key=found.key, objects=(record,), pointed=True,
                originals=prepared.originals, before=prepared.before,
            )  # fmt: skip
        fingerprint = _fingerprint_after(prepared.row, change)
        return Outcome(
            item=item, stored=stored, change=change, final=final(item, ItemState.PUBLISHED, fingerprint=fingerprint),
            sha256=image.sha256,
        )  # fmt: skip

    def _adopt(self, item: WorkItem, pointing: PointsAtR2) -> Outcome:
        """A row without base64 that points at R2: done if the object is there."""
        found = self._sink.head(pointing.key)
        row = pointing.row
        if found is None:
            # A HEAD's 404 has no body: where the bucket went away, nothing is known of its objects.
            self._sink.check()
            return _aside(item, SetAside(state=ItemState.QUARANTINED, reason=Reason.OBJECT_MISSING), row.head())
        known = item.object_key == pointing.key  # the undo record is in the ledger already: an earlier run broke off
        if known and item.source != "r2":
            if found.etag not in ("", item.md5):
                raise ObjectDiffersError("The object changed after it was stored.", key=pointing.key)
            return Outcome(item=item, final=final(item, ItemState.PUBLISHED, fingerprint=row.head().fingerprint))
        change = _back_fill(row, pointing.key, self._public_instead(row, pointing.key))
        stored = StoredRecord(
            item_id=item.item_id, source="r2", object_key=pointing.key, objects=(_adopted(found),), pointed=True,
            before={column: row.get(column) for column in ("image_url", "r2_key", "migration_status")
                    if column in row.values},
        )  # fmt: skip
        return Outcome(
            item=item, stored=None if known else stored, change=change,
            final=final(item, ItemState.ALREADY_IN_R2, fingerprint=_fingerprint_after(row, change)),
        )  # fmt: skip

    def _public_instead(self, row: LegacyRow, key: str) -> str | None:
        """Return the URL to write where the row points at R2's S3 endpoint, which no browser can read."""
        present = row.head().url_head or ""
        return None if self._preparation.bases.is_public(present) else self._sink.public_url(key)


def _payload(row: LegacyRow) -> dict[str, object]:
    return {column: row.get(column) for column in ("image_data", "image_url") if column in row.values}


def _back_fill(row: LegacyRow, key: str, url: str | None) -> RowChange | None:
    """Fill in what the old migrator never wrote; None where the row says all of it already.

    `url` replaces one that is not public, None keeps the one that is there.
    """
    wanted = {"r2_key": key, "migration_status": "completed"} | ({} if url is None else {"image_url": url})
    values = {column: value for column, value in wanted.items()
              if column in row.values and row.get(column) != value}  # fmt: skip
    return RowChange(id=row.id, values=values, as_read=_payload(row)) if values else None


def _fingerprint_after(row: LegacyRow, change: RowChange | None) -> str:
    url = row.get("image_url") if change is None else change.values.get("image_url", row.get("image_url"))
    head = RowHead(
        id=row.id, data_bytes=octets(row.get("image_data")), url_bytes=octets(url),
        url_head=None if url is None else head_text(url),
    )  # fmt: skip
    return head.fingerprint


def _with_roles(prepared: Prepared, results: list[UploadResult]) -> list[tuple[PreparedImage, UploadResult, str, bool]]:
    roles = ("primary", "alternate")
    last = len(results) - 1
    return [
        (image, result, roles[index], index == last)
        for index, (image, result) in enumerate(zip(prepared.images, results, strict=True))
    ]


def _object(image: PreparedImage, result: UploadResult | None, *, role: str, proof: str) -> ObjectRecord:
    return ObjectRecord(
        key=image.key, role=role, size=len(image.data), md5=image.digests.md5, sha256=image.sha256,
        etag=result.etag if result else image.digests.md5, format=image.proof.format, width=image.proof.width,
        height=image.proof.height, content_type=image.proof.format.content_type, proof=proof,
        created=bool(result and result.created),
    )  # fmt: skip


def _adopted(found: StoredObject) -> ObjectRecord:
    return ObjectRecord(
        key=found.key, role="primary", size=found.size, md5=None if "-" in found.etag else found.etag, sha256=None,
        etag=found.etag, format=ImageFormat.from_content_type(found.content_type), width=None, height=None,
        content_type=found.content_type, proof="head", created=False,
    )  # fmt: skip


def _aside(item: WorkItem, aside: SetAside, head: RowHead) -> Outcome:
    return Outcome(item=item, final=final(item, aside.state, aside.reason, aside.detail, fingerprint=head.fingerprint))


def _deleted(item: WorkItem) -> Outcome:
    return Outcome(item=item, final=final(item, ItemState.CONFLICT, Reason.ROW_DELETED))


def _failed(item: WorkItem, reason: Reason, error: Exception) -> Outcome:
    return Outcome(item=item, final=final(item, ItemState.FAILED, reason, str(error)), error=error)
