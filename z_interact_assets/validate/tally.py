"""The sum of a validation: counts, problems, fresh proofs into the ledger in groups. It examines nothing itself."""

from collections.abc import Callable, Iterator

from z_interact_assets.core.findings import ON_R2_STATES, Problem, ProblemKind
from z_interact_assets.storage.ledger import Ledger
from z_interact_assets.validate.claims import Claim, Subject
from z_interact_assets.validate.examiner import Examination
from z_interact_assets.validate.report import Mode, Progress, Reconciliation, ValidationReport

_GROUP_PROOFS = 500
_STRENGTH = {None: 0, "head": 1, "etag": 2, "sha256": 3}


class Tally:
    """Counts examinations, keeps problems, and writes proofs in groups."""

    def __init__(
        self,
        ledger: Ledger,
        mode: Mode,
        inventory: Reconciliation | None,
        *,
        total: int,
        clock_ms: Callable[[], int],
    ) -> None:
        self._ledger = ledger
        self._mode: Mode = mode
        self._inventory = inventory
        self._total = total
        self._clock_ms = clock_ms
        self._done = self._checked = self._valid = self._with_problems = 0
        self._problems: list[tuple[int, Problem]] = []
        self._rows_gone: list[str] = []
        self._proofs: dict[str, list[str]] = {}
        self._suspected = {problem.image_id for problem in inventory.problems} if inventory else set[str]()
        self._asked: set[str] = set()
        self.silent = 0

    @property
    def progress(self) -> Progress:
        """Where the run is."""
        return Progress(done=self._done, total=self._total, with_problems=self._with_problems)

    def add(self, examination: Examination) -> None:
        """Count one image."""
        item = examination.subject.item
        self._done += 1
        if item.image_id in self._suspected:
            self._asked.add(item.image_id)
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

    def has(self, kind: ProblemKind) -> bool:
        """Tell whether there is any problem of the kind."""
        return any(problem.kind is kind for _, problem in self._problems)

    def write_proofs(self) -> None:
        """Write what is not yet written."""
        for proof, keys in self._proofs.items():
            self._ledger.work.record_proofs(keys, proof=proof, now_ms=self._clock_ms())
        self._proofs.clear()

    def report(self, *, cut_short: bool) -> ValidationReport:
        """Return the result, problems in the order of the ledger, what only the inventory knows after them."""
        own = [problem for _, problem in sorted(self._problems, key=lambda entry: entry[0])]
        inventory = self._inventory
        return ValidationReport(
            mode=self._mode,
            checked=self._checked,
            valid=self._valid,
            problems=(*own, *self._of_the_inventory(own)),
            rows_gone=tuple(self._rows_gone),
            orphaned=None if inventory is None else tuple(inventory.orphans),
            shared=None if inventory is None else tuple(inventory.shared),
            complete=not cut_short or self._done >= self._total,
        )

    def _of_the_inventory(self, own: list[Problem]) -> Iterator[Problem]:
        """Yield what the inventory found and this run did not ask about: not drawn, or in no item of the ledger.

        What was asked about is known better by now. But a public URL may be answered by a cache.
        """
        known = {(problem.image_id, problem.kind) for problem in own}
        for problem in self._inventory.problems if self._inventory else ():
            asked_the_bucket = self._mode != "public" and problem.image_id in self._asked
            if not asked_the_bucket and (problem.image_id, problem.kind) not in known:
                yield problem

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
        return now is not None and now.state in ON_R2_STATES and (now.object_key, now.etag) == (
            subject.item.object_key, subject.item.etag
        )  # fmt: skip
