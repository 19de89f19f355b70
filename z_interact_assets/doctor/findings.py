"""What the doctor says, as values. No I/O."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["ok", "warn", "fail", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of one probe. `remedy` says what to do, empty where nothing is to be done.

    `transient` marks a failure that may pass by itself (something did not answer).
    """

    name: str
    status: Status
    message: str
    remedy: str = ""
    transient: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the finding as `doctor --json` lists it."""
        return {
            "name": self.name, "status": self.status, "message": self.message, "remedy": self.remedy,
            "transient": self.transient,
        }  # fmt: skip


def exit_code(findings: Iterable[Finding]) -> int:
    """Return 0 if nothing failed, 3 if what failed may pass by itself, 2 if somebody must change something."""
    failed = [finding for finding in findings if finding.status == "fail"]
    if not failed:
        return 0
    return 3 if all(finding.transient for finding in failed) else 2
