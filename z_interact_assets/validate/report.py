"""What a validation found, as values; the document of `validate --json`. No I/O."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

Mode = Literal["head", "full", "public"]


class ProblemKind(StrEnum):
    """What was found false, or could not be found out."""

    MISSING = "missing"
    CORRUPTED = "corrupted"
    MISDIRECTED = "misdirected"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One false or unproved claim about an image. `key` is the object's, None where the ledger names none."""

    image_id: str
    kind: ProblemKind
    key: str | None
    detail: str


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
    whose row the app deleted. `orphaned` is None if the bucket could not be listed. A run that was stopped, or gave up
    since nothing answered any more, is not `complete`.
    """

    mode: Mode
    checked: int
    valid: int
    problems: tuple[Problem, ...]
    rows_gone: tuple[str, ...]
    orphaned: tuple[str, ...] | None
    complete: bool = True

    @property
    def is_valid(self) -> bool:
        """Tell whether every claim was proved. What is unknown counts as not proved.

        Orphans and deleted rows make nothing invalid: no image is lost by them, they only cost storage.
        """
        return self.complete and not self.problems and self.orphaned is not None

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
        """Return the document. `orphaned` is null, not empty, where the bucket could not be listed."""
        return {
            "is_valid": self.is_valid,
            "checked": self.checked,
            "valid": self.valid,
            "missing": self.missing,
            "corrupted": self.corrupted,
            "misdirected": self.misdirected,
            "unreachable": self.unreachable,
            "orphaned": None if self.orphaned is None else list(self.orphaned),
            "rows_gone": list(self.rows_gone),
            "mode": self.mode,
        }

    def _ids(self, kind: ProblemKind) -> list[str]:
        return list(dict.fromkeys(problem.image_id for problem in self.problems if problem.kind is kind))
