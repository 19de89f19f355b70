"""Object stores and a ledger's work log that misbehave on purpose, or keep nothing."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from z_interact_assets.core.errors import LedgerUnavailableError
from z_interact_assets.core.models import Digests, ImageMetadata, StoredObject, UploadResult
from z_interact_assets.core.records import OutcomeRecord, StoredRecord
from z_interact_assets.storage.ledger.work import WorkLog
from z_interact_assets.storage.objects import MemoryStore
from z_interact_assets.storage.objects.puts import ObjectWrite


class HookedStore(MemoryStore):
    """A MemoryStore that calls `before_upload(key)` first: the moment between a row's reading and its switch."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.before_upload: Callable[[str], None] | None = None

    def upload(
        self,
        key: str,
        data: bytes | str,
        *,
        content_type: str | None = None,
        cache_control: str | None = None,
        metadata: ImageMetadata | None = None,
        overwrite: bool = False,
        digests: Digests | None = None,
    ) -> UploadResult:
        """Call the hook, then store."""
        if self.before_upload is not None:
            self.before_upload(key)
        return super().upload(
            key, data, content_type=content_type, cache_control=cache_control, metadata=metadata, overwrite=overwrite,
            digests=digests,
        )  # fmt: skip

    def keys(self) -> list[str]:
        """Every key, in order."""
        return [entry.key for entry in self.list()]


class NullStore(MemoryStore):
    """Proves every write and keeps one object a thread, so that it can be read back."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._last = threading.local()

    def head(self, key: str) -> StoredObject | None:
        """Nothing is ever there."""
        return None

    def download(self, key: str) -> bytes:
        """The bytes this thread wrote last: what a full proof asks for."""
        return self._last.data

    def _put(self, write: ObjectWrite) -> str | None:
        self._last.data = write.data
        return write.digests.md5


class BrokenWork:
    """A ledger's `work` whose disk is full at one call; everything else is the real one's."""

    def __init__(self, real: WorkLog, *, fails_at: str) -> None:
        self._real = real
        self._fails_at = fails_at

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def record_stored(self, records: Sequence[StoredRecord], *, now_ms: int, run_id: str | None) -> None:
        """Fail, or do it."""
        self._fail("record_stored")
        self._real.record_stored(records, now_ms=now_ms, run_id=run_id)

    def record_outcomes(self, records: Sequence[OutcomeRecord], *, now_ms: int, run_id: str | None) -> None:
        """Fail, or do it."""
        self._fail("record_outcomes")
        self._real.record_outcomes(records, now_ms=now_ms, run_id=run_id)

    def _fail(self, call: str) -> None:
        if call == self._fails_at:
            raise LedgerUnavailableError("The ledger is not available: database or disk is full.")
