"""What the page shows: values only. Whoever fills them reads the table and the ledger; nothing here does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """An image that needs a hand."""

    image_id: str
    persona: str | None = None
    created_at: str | None = None
    """ISO date, UTC."""
    problem: str
    """Short: "quarantined", "failed", "missing object"."""
    sentence: str
    """Why, in plain words."""
    action: str
    """The command, or what to do."""
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLink:
    """A file beside the page."""

    name: str
    description: str
    bytes: int
    rows: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageData:
    """A report, as the page shows it."""

    title: str
    stats: Mapping[str, Any]
    """The document of `stats --json`; a key that is absent is unknown."""
    previous: Mapping[str, Any] | None = None
    """The document of the report before this one."""
    history: Sequence[Mapping[str, Any]] = ()
    """The scalar columns of the snapshots, oldest first."""
    attention: Sequence[Attention] = ()
    attention_total: int = 0
    files: Sequence[FileLink] = field(default_factory=tuple)
    version: str
    bucket_error: str | None = None
    """Why R2 could not be listed just now; None: it could, or nobody tried."""
