"""One validation: every claim through the window, fresh proofs into the ledger, what is false into the report."""

import threading
from collections.abc import Callable
from contextlib import closing, suppress
from random import Random

from z_interact_assets.core.errors import SettingsError, StorageUnavailableError
from z_interact_assets.core.findings import ProblemKind
from z_interact_assets.core.ports import ObjectStore
from z_interact_assets.core.urls import KnownBases
from z_interact_assets.execution.stream import Room, Stream
from z_interact_assets.storage.ledger import Ledger
from z_interact_assets.storage.legacy import LegacyTable
from z_interact_assets.storage.public import PublicReader
from z_interact_assets.validate.claims import count_subjects, subjects
from z_interact_assets.validate.examiner import Examiner
from z_interact_assets.validate.provers import BucketProver, Prover, PublicProver
from z_interact_assets.validate.report import (
    Mode,
    ProgressListener,
    Reconciliation,
    ValidationReport,
    ignore_progress,
)
from z_interact_assets.validate.tally import Tally

_OUTAGE_FAILURES = 16  # so many images in a row without an answer, each after all retries, are an outage


class Validation:
    """Re-proves what is on R2 according to the ledger. `run` may be called again."""

    def __init__(
        self,
        table: LegacyTable,
        ledger: Ledger,
        store: ObjectStore,
        bases: KnownBases,
        *,
        public: PublicReader | None,
        clock_ms: Callable[[], int],
        cache_control: str | None = None,
        concurrency: int = 16,
        max_in_flight_bytes: int = 128 * 1024 * 1024,
    ) -> None:
        """`public` and `cache_control` (the setting) are for the public mode only.

        `max_in_flight_bytes` bounds what the full mode holds.
        """
        self._table = table
        self._ledger = ledger
        self._store = store
        self._bases = bases
        self._public = public
        self._clock_ms = clock_ms
        self._cache_control = cache_control
        self._concurrency = concurrency
        self._max_in_flight_bytes = max_in_flight_bytes

    def run(
        self,
        mode: Mode,
        *,
        inventory: Reconciliation | None,
        random: Random,
        sample: int | None = None,
        stop: threading.Event | None = None,
        listen: ProgressListener = ignore_progress,
    ) -> ValidationReport:
        """Examine all images on R2, or a uniform sample of them.

        `inventory` was taken before, None if the bucket could not be listed. Raises what concerns every image:
        StorageRefusedError or StorageUnavailableError if the bucket is out of reach from the start, SettingsError for
        the public mode without a public URL.
        """
        if sample is not None and sample < 1:
            raise ValueError("a sample has at least one image")
        examiner = Examiner(self._table, self._bases, self._prover(mode), alternates=mode != "public")
        if mode != "public":
            self._store.check()
        tally = Tally(
            self._ledger, mode, inventory, total=count_subjects(self._ledger, sample=sample), clock_ms=self._clock_ms
        )

        def ends_early() -> bool:
            asked = stop is not None and stop.is_set()
            return asked or tally.silent >= max(_OUTAGE_FAILURES, 2 * self._concurrency)

        groups = Stream(
            examiner.examine,
            subjects(self._ledger, sample=sample, random=random),
            room=Room(concurrency=self._concurrency, max_weight=self._max_in_flight_bytes),
            weigh=lambda subject: subject.largest if mode == "full" else 0,
            stop=ends_early,
        ).groups(max_items=1)
        try:
            with closing(groups):
                for (examination,) in groups:
                    tally.add(examination)
                    listen(tally.progress)
        finally:
            tally.write_proofs()
        if mode != "public" and tally.has(ProblemKind.MISSING):
            self._prove_the_bucket()
        return tally.report(cut_short=ends_early())

    def _prover(self, mode: Mode) -> Prover:
        if mode != "public":
            return BucketProver(self._store, full=mode == "full")
        if self._public is None or not self._bases.public_base:
            raise SettingsError(["R2_PUBLIC_URL is not set: there is no public URL to validate through."])
        return PublicProver(self._public, cache_control=self._cache_control)

    def _prove_the_bucket(self) -> None:
        # A HEAD's 404 has no body: it may be the bucket that went away, and then no object is known to be missing. A
        # store that stopped answering meanwhile takes nothing back.
        with suppress(StorageUnavailableError):
            self._store.check()
