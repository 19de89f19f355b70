"""What a report is asked to be, and what was written. Values only; nothing heavy is imported."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from z_interact_assets.report.catalogue import PAGE, ReportFile
from z_interact_assets.report.page.data import Attention


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """Where reports go, how many are kept there, and what they may tell. Every default is the private choice."""

    directory: Path
    keep: int = 30
    personal_data: bool = False
    pseudonym_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenReport:
    """A report on disk: its folder and files, and what it says (`stats` is the document of `stats --json`)."""

    folder: Path
    files: tuple[ReportFile, ...]
    stats: dict[str, Any]
    headline: str
    attention: tuple[Attention, ...]
    attention_total: int

    @property
    def page(self) -> Path:
        """The file to open."""
        return self.folder / PAGE
