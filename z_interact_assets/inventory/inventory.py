"""Inventory: what matching table, ledger and bucket found, as a value that grows. Nothing here asks anybody."""

from collections import Counter
from dataclasses import dataclass, field

from z_interact_assets.core.findings import Problem, ProblemKind
from z_interact_assets.core.stats import BucketCounts

MAX_LISTED_KEYS = 1_000


@dataclass(slots=True)
class Inventory:
    """What a whole listing of `images/` found; sizes in bytes. Counts are whole, lists hold at most MAX_LISTED_KEYS.

    `orphans` are objects that belong to no row: nobody ever recorded them and no row names them, or their row is gone,
    or it has another object now. One that waits to be recorded, its row being still to be done, is none. `shared` are
    objects that two rows name. `problems` are the objects that a row or the ledger needs and that are missing or differ
    from what was recorded, and the rows that point elsewhere; of those, `edited_count` rows were changed by the app so
    that the next plan takes them again.
    """

    objects: int = 0
    bytes: int = 0
    orphan_count: int = 0
    shared_count: int = 0
    edited_count: int = 0
    orphans: list[str] = field(default_factory=list[str])
    shared: list[str] = field(default_factory=list[str])
    problems: list[Problem] = field(default_factory=list[Problem])
    _found: Counter[ProblemKind] = field(default_factory=Counter[ProblemKind])

    @property
    def known(self) -> int:
        """How many objects somebody answers for."""
        return self.objects - self.orphan_count

    @property
    def missing(self) -> list[str]:
        """Keys of objects that should be there."""
        return self._keys(ProblemKind.MISSING)

    @property
    def corrupted(self) -> list[str]:
        """Keys of objects that are not as they were recorded."""
        return self._keys(ProblemKind.CORRUPTED)

    @property
    def misdirected(self) -> list[str]:
        """Ids of images whose row points elsewhere."""
        return [problem.image_id for problem in self.problems if problem.kind is ProblemKind.MISDIRECTED]

    def count(self, kind: ProblemKind) -> int:
        """Return how many problems of a kind there are, listed or not."""
        return self._found[kind]

    def add_orphan(self, key: str) -> None:
        """Count an object that belongs to no row."""
        self.orphan_count += 1
        if len(self.orphans) < MAX_LISTED_KEYS:
            self.orphans.append(key)

    def add_shared(self, key: str) -> None:
        """Count an object that two rows name."""
        self.shared_count += 1
        if len(self.shared) < MAX_LISTED_KEYS:
            self.shared.append(key)

    def add_problem(self, problem: Problem) -> None:
        """Count a problem."""
        self._found[problem.kind] += 1
        if self._found[problem.kind] <= MAX_LISTED_KEYS:
            self.problems.append(problem)

    def counts(self) -> BucketCounts:
        """Return the numbers alone."""
        return BucketCounts(
            objects=self.objects,
            bytes=self.bytes,
            known=self.known,
            orphans=self.orphan_count,
            missing=self.count(ProblemKind.MISSING),
            corrupted=self.count(ProblemKind.CORRUPTED),
            misdirected=self.count(ProblemKind.MISDIRECTED),
            shared=self.shared_count,
        )

    def _keys(self, kind: ProblemKind) -> list[str]:
        return [problem.key for problem in self.problems if problem.kind is kind and problem.key is not None]
