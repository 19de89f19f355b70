"""Proving one object: by HEAD, by its bytes, or through the public URL. Rows and the ledger are unknown here."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from z_interact_assets.core.findings import ProblemKind
from z_interact_assets.core.images import digest
from z_interact_assets.core.models import ImageLimits, StoredObject
from z_interact_assets.core.ports import ObjectReader
from z_interact_assets.storage.public import PublicAnswer, PublicReader
from z_interact_assets.validate.claims import Claim

_NOT_THERE = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
_UNCACHED = frozenset({"no-store", "no-cache", "private", "max-age=0"})


@dataclass(frozen=True, slots=True)
class Proved:
    """The claim holds. `proof` is how the bucket proved it, as the ledger writes it; None if nothing new is known."""

    proof: str | None


@dataclass(frozen=True, slots=True)
class Fault:
    """The claim does not hold, or nobody can tell; `outage` says that something did not answer."""

    kind: ProblemKind
    detail: str
    outage: bool = False


class Prover(Protocol):
    """Proves claims; used by many threads at once. Trouble is raised, as the stores raise it."""

    def prove(self, claim: Claim, url: str) -> Proved | Fault:
        """Prove one claim; `url` is where the object is publicly read."""
        ...


class BucketProver:
    """Asks the bucket itself by one request: HEAD, in `full` mode GET. No object of another size is read."""

    def __init__(self, store: ObjectReader, *, full: bool) -> None:
        self._store = store
        self._full = full

    def prove(self, claim: Claim, url: str) -> Proved | Fault:  # noqa: ARG002 - the public prover's
        """Compare size, type and ETag, or the SHA-256 of the bytes, with the ledger's."""
        if self._full and (claim.sha256 or claim.md5):
            return self._read(claim)
        found = self._store.head(claim.key)
        if found is None:
            return Fault(ProblemKind.MISSING, "R2 has no such object.")
        if (fault := _other_size_or_type(found, claim)) is not None:
            return fault
        if claim.etag is None or found.etag in (claim.etag, claim.md5):
            return Proved("etag" if claim.sha256 else "head")
        # A multipart ETag is no MD5: the same bytes uploaded in other parts have another one. Only reading can tell.
        if "-" in f"{found.etag}{claim.etag}" and (claim.sha256 or claim.md5):
            return self._read(claim)
        return Fault(ProblemKind.CORRUPTED, "The ETag is not the one in the ledger.")

    def _read(self, claim: Claim) -> Proved | Fault:
        found, data = self._store.read(claim.key, size=claim.size)
        if (fault := _other_size_or_type(found, claim)) is not None:
            return fault
        sums = digest(data or b"")
        if (sums.sha256 == claim.sha256) if claim.sha256 else (sums.md5 == claim.md5):
            return Proved("sha256" if claim.sha256 else "etag")
        return Fault(ProblemKind.CORRUPTED, "The bytes are not those in the ledger.")


class PublicProver:
    """Asks as a browser does. It proves nothing to the ledger: a cache may answer for an object that is gone."""

    def __init__(self, reader: PublicReader, *, cache_control: str | None = None) -> None:
        """`cache_control` is the setting: an answer that says the same is right, whatever it says."""
        self._reader = reader
        self._cache_control = cache_control

    def prove(self, claim: Claim, url: str) -> Proved | Fault:
        """GET the URL; compare status, bytes and type, and ask that caches may keep it."""
        cap = ImageLimits().max_bytes if claim.size is None else claim.size
        answer = self._reader.get(url, max_bytes=cap)
        if answer.status in _NOT_THERE:
            return Fault(ProblemKind.MISSING, f"The public URL answers {answer.status}.")
        if answer.status != HTTPStatus.OK:
            # A refusal, a redirect or an error page says nothing about the image's bytes.
            detail = f"The public URL answers {answer.status}."
            return Fault(ProblemKind.UNREACHABLE, detail, outage=answer.may_pass)
        if not _same_bytes(answer, claim):
            return Fault(ProblemKind.CORRUPTED, "The public URL serves other bytes.")
        if claim.content_type and not _same_type(answer.content_type, claim.content_type):
            return Fault(ProblemKind.CORRUPTED, f"The public URL says {answer.content_type or 'no Content-Type'}.")
        if not self._may_be_cached(answer.cache_control):
            said = "no Cache-Control" if not answer.cache_control else "a Cache-Control that forbids caching"
            return Fault(ProblemKind.CORRUPTED, f"The public URL sends {said}.")
        return Proved(None)

    def _may_be_cached(self, found: str | None) -> bool:
        """Tell whether the header is the setting's, or lets caches keep the image for some time.

        Not compared word by word: an object keeps the header of the day it was stored, one that was in R2 before us has
        its own, and Cloudflare may be told to send another. What hurts is a header under which nothing is ever cached.
        """
        if not found:
            return False
        directives = _directives(found)
        return directives == _directives(self._cache_control or "") or not directives & _UNCACHED


def _other_size_or_type(found: StoredObject, claim: Claim) -> Fault | None:
    if claim.size is not None and found.size != claim.size:
        return Fault(ProblemKind.CORRUPTED, f"It has {found.size} bytes instead of {claim.size}.")
    if claim.content_type and not _same_type(found.content_type, claim.content_type):
        return Fault(ProblemKind.CORRUPTED, f"Its Content-Type is {found.content_type or 'empty'}.")
    return None


def _same_bytes(answer: PublicAnswer, claim: Claim) -> bool:
    if claim.sha256:
        return answer.sha256 == claim.sha256
    if claim.md5:
        return answer.md5 == claim.md5
    return claim.size is None or answer.size == claim.size


def _directives(cache_control: str) -> frozenset[str]:
    return frozenset("".join(directive.split()).lower() for directive in cache_control.split(","))


def _same_type(found: str | None, wanted: str) -> bool:
    return _media_type(found or "") == _media_type(wanted)


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
