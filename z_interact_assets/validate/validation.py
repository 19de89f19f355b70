"""One validation: every claim through the window, fresh proofs into the ledger, what is false into the report."""

import threading
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from random import Random

from z_interact_assets.core.errors import SettingsError, StorageUnavailableError
from z_interact_assets.core.ports import ObjectStore
from z_interact_assets.core.urls import KnownBases
from z_interact_assets.storage.ledger import Ledger
from z_interact_assets.storage.legacy import LegacyTable
from z_interact_assets.storage.public import PublicReader
from z_interact_assets.validate.claims import ON_R2, Claim, Subject, count_subjects, subjects
from z_interact_assets.validate.examiner import Examination, Examiner
from z_interact_assets.validate.provers import BucketProver, Prover, PublicProver
from z_interact_assets.validate.report import (
    Mode,
    Problem,
    ProblemKind,
    Progress,
    ProgressListener,
    ValidationReport,
    ignore_progress,
)
from z_interact_assets.validate.window import slide

_GROUP_PROOFS = 500
_OUTAGE_FAILURES = 16  # so many images in a row without an answer, each after all retries, are an outage
_STRENGTH = {None: 0, "head": 1, "etag": 2, "sha256": 3}


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
        concurrency: int = 16,
        max_in_flight_bytes: int = 128 * 1024 * 1024,
    ) -> None:
        """`public` is needed by the public mode only; `max_in_flight_bytes` bounds what the full mode holds."""
        self._table = table
        self._ledger = ledger
        self._store = store
        self._bases = bases
        self._public = public
        self._clock_ms = clock_ms
        self._concurrency = concurrency
        self._max_in_flight_bytes = max_in_flight_bytes

    def run(
        self,
        mode: Mode,
        *,
        orphans: Sequence[str] | None,
        random: Random,
        sample: int | None = None,
        stop: threading.Event | None = None,
        listen: ProgressListener = ignore_progress,
    ) -> ValidationReport:
        """Examine all images on R2, or a uniform sample of them.

        `orphans` is what an inventory found, None if the bucket could not be listed. Raises what concerns every image:
        StorageRefusedError or StorageUnavailableError if the bucket is out of reach from the start, SettingsError for
        the public mode without a public URL.
        """
        if sample is not None and sample < 1:
            raise ValueError("a sample has at least one image")
        examiner = Examiner(self._table, self._bases, self._prover(mode), alternates=mode != "public")
        if mode != "public":
            self._store.check()
        tally = _Tally(self._ledger, count_subjects(self._ledger, sample=sample), self._clock_ms)

        def ends_early() -> bool:
            asked = stop is not None and stop.is_set()
            return asked or tally.silent >= max(_OUTAGE_FAILURES, 2 * self._concurrency)

        found = slide(
            examiner.examine,
            subjects(self._ledger, sample=sample, random=random),
            concurrency=self._concurrency,
            weigh=lambda subject: subject.largest if mode == "full" else 0,
            max_weight=self._max_in_flight_bytes,
            stop=ends_early,
        )
        try:
            with closing(found):
                for examination in found:
                    listen(tally.add(examination))
        finally:
            tally.write_proofs()
        if mode != "public" and tally.has(ProblemKind.MISSING):
            self._prove_the_bucket()
        return tally.report(mode, orphans, cut_short=ends_early())

    def _prover(self, mode: Mode) -> Prover:
        if mode != "public":
            return BucketProver(self._store, full=mode == "full")
        if self._public is None or not self._bases.public_base:
            raise SettingsError(["R2_PUBLIC_URL is not set: there is no public URL to validate through."])
        return PublicProver(self._public)

    def _prove_the_bucket(self) -> None:
        # A HEAD's 404 has no body: it may be the bucket that went away, and then no object is known to be missing. A
        # store that stopped answering meanwhile takes nothing back.
        with suppress(StorageUnavailableError):
            self._store.check()


class _Tally:
    """Counts examinations, keeps problems, and writes proofs in groups."""

    def __init__(self, ledger: Ledger, total: int, clock_ms: Callable[[], int]) -> None:
        self._ledger = ledger
        self._total = total
        self._clock_ms = clock_ms
        self._done = self._checked = self._valid = self._with_problems = 0
        self._problems: list[tuple[int, Problem]] = []
        self._rows_gone: list[str] = []
        self._proofs: dict[str, list[str]] = {}
        self.silent = 0

    def add(self, examination: Examination) -> Progress:
        """Count one image; return where the run is."""
        item = examination.subject.item
        self._done += 1
        self.silent = self.silent + 1 if examination.outage else 0
        for claim, proof in examination.proofs:
            self._note(claim, proof)
        if examination.is_valid or self._still_claimed(examination.subject):
            self._checked += 1
            self._valid += examination.is_valid
            self._with_problems += bool(examination.problems)
            self._problems += [(item.item_id, problem) for problem in examination.problems]
            if examination.row_gone:
                self._rows_gone.append(item.image_id)
        return Progress(done=self._done, total=self._total, with_problems=self._with_problems)

    def has(self, kind: ProblemKind) -> bool:
        """Tell whether there is any problem of the kind."""
        return any(problem.kind is kind for _, problem in self._problems)

    def write_proofs(self) -> None:
        """Write what is not yet written."""
        for proof, keys in self._proofs.items():
            self._ledger.work.record_proofs(keys, proof=proof, now_ms=self._clock_ms())
        self._proofs.clear()

    def report(self, mode: Mode, orphans: Sequence[str] | None, *, cut_short: bool) -> ValidationReport:
        """Return the result, problems in the order of the ledger."""
        return ValidationReport(
            mode=mode,
            checked=self._checked,
            valid=self._valid,
            problems=tuple(problem for _, problem in sorted(self._problems, key=lambda entry: entry[0])),
            rows_gone=tuple(self._rows_gone),
            orphaned=None if orphans is None else tuple(orphans),
            complete=not cut_short or self._done >= self._total,
        )

    def _note(self, claim: Claim, proof: str) -> None:
        # An older proof of every byte says more than a fresh HEAD; it keeps its date.
        if _STRENGTH[proof] < _STRENGTH.get(claim.proof, 0):
            return
        self._proofs.setdefault(proof, []).append(claim.key)
        if sum(map(len, self._proofs.values())) >= _GROUP_PROOFS:
            self.write_proofs()

    def _still_claimed(self, subject: Subject) -> bool:
        """Tell whether the ledger still says what was found false: a rollback may run beside us."""
        now = self._ledger.ask.item(subject.item.image_id)
        return now is not None and now.state in ON_R2 and (now.object_key, now.etag) == (
            subject.item.object_key, subject.item.etag
        )  # fmt: skip
