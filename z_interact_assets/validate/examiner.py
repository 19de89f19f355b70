"""One image: does its row point at its object, and is each of its objects what the ledger says? Reads only."""

from dataclasses import dataclass

from z_interact_assets.core.errors import (
    ObjectNotFoundError,
    StorageRefusedError,
    StorageUnavailableError,
    TableUnavailableError,
    UnsafeURLError,
)
from z_interact_assets.core.findings import Problem, ProblemKind, points_at
from z_interact_assets.core.urls import KnownBases
from z_interact_assets.storage.legacy import LegacyTable
from z_interact_assets.validate.claims import Claim, Subject
from z_interact_assets.validate.provers import Fault, Proved, Prover


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What became of one image. `proofs` are fresh proofs (claim, proof); `outage`: something did not answer."""

    subject: Subject
    problems: tuple[Problem, ...] = ()
    proofs: tuple[tuple[Claim, str], ...] = ()
    row_gone: bool = False
    outage: bool = False

    @property
    def is_valid(self) -> bool:
        """Tell whether the row is there and every claim about it holds."""
        return not self.problems and not self.row_gone


class Examiner:
    """Examines images; used by many threads at once. Raises only what concerns every image."""

    def __init__(self, table: LegacyTable, bases: KnownBases, prover: Prover, *, alternates: bool) -> None:
        """`alternates`: examine an image's second object as well, which no row points at."""
        self._table = table
        self._bases = bases
        self._prover = prover
        self._alternates = alternates

    def examine(self, subject: Subject) -> Examination:
        """Return what is wrong with the image, if anything."""
        faults: list[tuple[Claim | None, Fault]] = []
        url: str | None = None
        try:
            head = self._table.head(subject.item.image_id)
        except TableUnavailableError as error:
            faults.append((None, Fault(ProblemKind.UNREACHABLE, error.message, outage=True)))
        else:
            if head is None:  # the app deletes a row's object together with the row: there is no claim left
                return Examination(subject=subject, row_gone=True)
            url = (head.url_head or "").strip()
            if not points_at(url, subject.item.object_key, subject.item.state, self._bases):
                faults.append((None, Fault(ProblemKind.MISDIRECTED, "image_url does not point at the image's object.")))
                url = None
        proofs: list[tuple[Claim, str]] = []
        for claim in subject.claims if self._alternates else subject.claims[:1]:
            answer = self._prove(claim, url)
            if isinstance(answer, Fault):
                faults.append((claim, answer))
            elif answer.proof is not None:
                proofs.append((claim, answer.proof))
        if not subject.claims:
            faults.append((None, Fault(ProblemKind.MISSING, "The ledger names no object for it.")))
        return Examination(
            subject=subject,
            problems=tuple(_problem(subject, claim, fault) for claim, fault in faults),
            proofs=tuple(proofs),
            outage=any(fault.outage for _, fault in faults),
        )

    def _prove(self, claim: Claim, url: str | None) -> Proved | Fault:
        try:
            return self._prover.prove(claim, url or self._url_of(claim))
        except ObjectNotFoundError:
            return Fault(ProblemKind.MISSING, "R2 has no such object.")
        except StorageUnavailableError as error:
            return Fault(ProblemKind.UNREACHABLE, error.message, outage=True)
        except StorageRefusedError as error:
            if error.concerns_every_request:
                raise
            return Fault(ProblemKind.UNREACHABLE, error.message)
        except UnsafeURLError as error:
            return Fault(ProblemKind.UNREACHABLE, error.message)

    def _url_of(self, claim: Claim) -> str:
        return self._bases.public_url(claim.key) if self._bases.public_base else ""


def _problem(subject: Subject, claim: Claim | None, fault: Fault) -> Problem:
    key = claim.key if claim else subject.item.object_key
    return Problem(image_id=subject.item.image_id, kind=fault.kind, key=key, detail=fault.detail)
