"""What the storage statistics count: the rows by class, the bucket as listed. Numbers in, numbers out."""

from dataclasses import dataclass
from typing import NamedTuple

from z_interact_assets.core.planning import HeadKind, classify_head
from z_interact_assets.core.rows import RowHead
from z_interact_assets.core.urls import KnownBases, UrlKind, classify_url

# Each row is of exactly one; `stats --json` counts them as `r2_images` and so on.
ROW_CLASSES = ("r2", "base64", "mixed", "imageless", "external", "local", "unfinished", "unrecognised")
_CLASSES = {
    HeadKind.ON_R2: "r2",
    HeadKind.EXTERNAL: "external",
    HeadKind.LOCAL: "local",
    HeadKind.IMAGELESS: "imageless",
    HeadKind.UNFINISHED: "unfinished",
    HeadKind.UNRECOGNISED: "unrecognised",
}


class RowClass(NamedTuple):
    """What a row is, one of ROW_CLASSES, and the bytes of base64 text in it."""

    name: str
    base64_bytes: int = 0


def row_class(head: RowHead, bases: KnownBases, kind: HeadKind | None = None) -> RowClass:
    """Class a row: R2 without base64, base64, both (mixed: switched, not yet reclaimed), or no image of ours."""
    kind = kind or classify_head(head, bases)
    if kind is HeadKind.EMBEDDED:
        on_r2 = classify_url(head.url_head, bases) is UrlKind.R2
        return RowClass("mixed" if on_r2 else "base64", head.data_bytes or 0)
    if kind is HeadKind.DATA_URL:
        return RowClass("base64", head.url_bytes or 0)
    return RowClass(_CLASSES[kind])


@dataclass(slots=True, kw_only=True)
class TableCounts:
    """The rows of the table, each in exactly one class; base64 sizes are bytes of text."""

    total: int = 0
    r2: int = 0
    base64: int = 0
    mixed: int = 0
    imageless: int = 0
    unfinished: int = 0
    external: int = 0
    local: int = 0
    unrecognised: int = 0
    base64_bytes: int = 0

    def add(self, head: RowHead, bases: KnownBases, kind: HeadKind | None = None) -> RowClass:
        """Count one row (of this `kind`, if it is known) and return its class."""
        found = row_class(head, bases, kind)
        self.total += 1
        setattr(self, found.name, getattr(self, found.name) + 1)
        self.base64_bytes += found.base64_bytes
        return found

    @property
    def reconciles(self) -> bool:
        """Tell whether the classes add up to the total."""
        return sum(getattr(self, name) for name in ROW_CLASSES) == self.total


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketCounts:
    """The bucket as listed, over all pages, and matched; sizes in bytes.

    What inventories of an older version do not keep (the last three, and when they were) is None.
    """

    objects: int
    bytes: int
    known: int
    orphans: int
    missing: int
    corrupted: int | None = None
    misdirected: int | None = None
    shared: int | None = None
    as_of: int | None = None
    """When it was listed, UTC ms."""
