"""What a validation found, as values; the document of `validate --json`. No I/O."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from z_interact_assets.core.findings import Problem, ProblemKind

Mode = Literal["head", "full", "public"]


class Reconciliation(Protocol):
    """What a report takes from an inventory: matching table, ledger and bucket finds what no single image shows.

    `orphans` and `shared` are keys; `problems` concern images, whether the ledger has them on R2 or not.
    """

    @property
    def orphans(self) -> Sequence[str]:
        """Objects that belong to no row."""
        ...

    @property
    def shared(self) -> Sequence[str]:
        """Objects that two rows name."""
        ...

    @property
    def problems(self) -> Sequence[Problem]:
        """What the listing showed to be missing, corrupted or misdirected."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A moment of a run: images examined of total, and how many of them have a problem."""

    done: int
    total: int
    with_problems: int


ProgressListener = Callable[[Progress], None]


def ignore_progress(_: Progress) -> None:
    """Listen to nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationReport:
    """The result of one validation.

    `checked` images were examined; `valid` of them have no problem and still have their row. `rows_gone` are images
    whose row the app deleted. `problems` are of the images examined, and of others where the inventory found some.
    `orphaned` and `shared` are None if the bucket could not be listed. A run that was stopped, or gave up since nothing
    answered any more, is not `complete`.
    """

    mode: Mode
    checked: int
    valid: int
    problems: tuple[Problem, ...]
    rows_gone: tuple[str, ...]
    orphaned: tuple[str, ...] | None
    shared: tuple[str, ...] | None
    complete: bool = True

    @property
    def is_valid(self) -> bool:
        """Tell whether every claim was proved. What is unknown counts as not proved.

        Orphans and deleted rows make nothing invalid: no image is lost by them, they only cost storage. Nor do shared
        objects: each of their rows shows its image. But deleting one of the rows with its object breaks the other.
        """
        return self.complete and not self.problems and self.was_listed

    @property
    def was_listed(self) -> bool:
        """Tell whether the bucket could be listed and matched."""
        return self.orphaned is not None

    @property
    def found_false(self) -> bool:
        """Tell whether any claim was found false, and not merely unproved."""
        return any(problem.kind is not ProblemKind.UNREACHABLE for problem in self.problems)

    @property
    def missing(self) -> list[str]:
        """Images whose object is not there."""
        return self._ids(ProblemKind.MISSING)

    @property
    def corrupted(self) -> list[str]:
        """Images whose object has other bytes, another size or type than the ledger says."""
        return self._ids(ProblemKind.CORRUPTED)

    @property
    def misdirected(self) -> list[str]:
        """Images whose row points elsewhere."""
        return self._ids(ProblemKind.MISDIRECTED)

    @property
    def unreachable(self) -> list[str]:
        """Images nothing could be found out about."""
        return self._ids(ProblemKind.UNREACHABLE)

    def to_json(self) -> dict[str, Any]:
        """Return the document. `orphaned` and `shared` are null, not empty, where the bucket could not be listed."""
        return {
            "is_valid": self.is_valid,
            "checked": self.checked,
            "valid": self.valid,
            "missing": self.missing,
            "corrupted": self.corrupted,
            "misdirected": self.misdirected,
            "unreachable": self.unreachable,
            "orphaned": None if self.orphaned is None else list(self.orphaned),
            "shared": None if self.shared is None else list(self.shared),
            "rows_gone": list(self.rows_gone),
            "mode": self.mode,
        }

    def _ids(self, kind: ProblemKind) -> list[str]:
        return list(dict.fromkeys(problem.image_id for problem in self.problems if problem.kind is kind))
