"""Running probes: an error becomes a finding, what hangs on a failed probe is skipped. What is probed is elsewhere."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

from z_interact_assets.core.errors import TransientError, ZInteractError
from z_interact_assets.doctor.findings import Finding


class Closable(Protocol):
    """What the doctor opens, it closes."""

    def close(self) -> None:
        """Give back connections."""
        ...


Subject = TypeVar("Subject")
Opened = TypeVar("Opened", bound=Closable)


@dataclass(frozen=True, slots=True)
class Warned:
    """The answer of a probe that found something to know, but nothing that stops the work."""

    message: str
    remedy: str = ""


class ProbeFailedError(Exception):
    """Raised by a probe that found its subject wrong although every call went well."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class Examination:
    """Collects findings in the order of the probes; a context manager that closes what it opened."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self._passed: set[str] = set()
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def open(
        self, name: str, make: Callable[[], Opened] | None, look: Callable[[Opened], str | Warned]
    ) -> Opened | None:
        """Open something and look at it, as one probe; None if that failed, or if there is no way to open it."""
        if make is None:
            self.add(Finding(name=name, status="skipped", message="Not looked at: its settings have problems."))
            return None
        opened: list[Opened] = []

        def open_and_look(make: Callable[[], Opened]) -> str | Warned:
            opened.append(self._opened.enter_context(closing(make())))
            return look(opened[0])

        return opened[0] if self.probe(name, make, open_and_look) else None

    def probe(
        self,
        name: str,
        subject: Subject | None,
        check: Callable[[Subject], str | Warned],
        *,
        needs: Sequence[str] = (),
    ) -> bool:
        """Run a probe; True unless it failed or was skipped.

        A probe returns a sentence, or Warned, and fails by raising. It is skipped if one it needs did not pass; then
        the subject may be None.
        """
        lacking = [need for need in needs if need not in self._passed]
        if lacking or subject is None:
            message = f"Not looked at: {' and '.join(lacking)} did not pass."
            self.add(Finding(name=name, status="skipped", message=message))
        else:
            self.add(_finding(name, subject, check))
        return name in self._passed

    def add(self, finding: Finding) -> None:
        """Add a finding."""
        self.findings.append(finding)
        if finding.status in ("ok", "warn"):
            self._passed.add(finding.name)


def _finding(name: str, subject: Subject, check: Callable[[Subject], str | Warned]) -> Finding:
    try:
        answer = check(subject)
    except (ZInteractError, ProbeFailedError) as error:
        transient = isinstance(error, TransientError)
        return Finding(name=name, status="fail", message=error.message, remedy=error.remedy, transient=transient)
    except Exception as error:  # noqa: BLE001 - one faulty probe must not hide the others; its text may hold a secret
        return Finding(
            name=name, status="fail", message=f"The probe itself failed ({type(error).__name__}).",
            remedy="Please report this with the version of the package.",
        )  # fmt: skip
    if isinstance(answer, Warned):
        return Finding(name=name, status="warn", message=answer.message, remedy=answer.remedy)
    return Finding(name=name, status="ok", message=answer)
