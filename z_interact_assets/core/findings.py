"""What matching table, ledger and bucket works with: what the ledger holds, what can be found false. No I/O here."""

from dataclasses import dataclass
from enum import StrEnum

from z_interact_assets.core.models import ItemState
from z_interact_assets.core.urls import KnownBases

# Of these images the ledger says that their row points at their object.
ON_R2_STATES = (ItemState.PUBLISHED, ItemState.RECLAIMED, ItemState.ALREADY_IN_R2)
# And of these that their objects are there. Of others it promises nothing: a rolled-back image's may be deleted.
_PROMISED_STATES = (*ON_R2_STATES, ItemState.STORED)


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
class Placement:
    """Where the ledger has an image: its item, the object it should point at, and the item that object belongs to."""

    item_id: int
    state: ItemState
    object_key: str | None
    owner_id: int | None

    def is_regular(self, key: str) -> bool:
        """Tell whether a row that names `key` does what the ledger says: it needs no second look."""
        return self.object_key == key and self.owner_id == self.item_id and self.state in _PROMISED_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedObject:
    """An object of the ledger with the image it belongs to.

    `in_use`: the image still names it, or it is its second image; False once the image has another object.
    """

    key: str
    size: int
    etag: str
    md5: str | None
    item_id: int
    image_id: str
    state: ItemState
    in_use: bool

    @property
    def is_promised(self) -> bool:
        """Tell whether the ledger says that it is there and its image needs it."""
        return self.in_use and self.state in _PROMISED_STATES

    def difference(self, size: int, etag: str) -> str | None:
        """Say how what the bucket tells of the object differs; None if it does not.

        A multipart ETag is no MD5: the same bytes uploaded in other parts have another one, so it proves nothing.
        """
        if size != self.size:
            return f"It has {size} bytes instead of {self.size}."
        if etag not in (self.etag, self.md5) and "-" not in f"{etag}{self.etag}":
            return "The ETag is not the one in the ledger."
        return None


def points_at(url: str | None, key: str | None, state: ItemState, bases: KnownBases) -> bool:
    """Tell whether a row with this image_url points at its object `key`.

    A row we switched holds a base and the key, nothing more; one found on R2 may say more (a query). Any base that is
    or was ours will do: a new R2_PUBLIC_URL must not make every older row a false alarm.
    """
    text = (url or "").strip()
    if key is None or bases.key_of(text) != key:
        return False
    return state is ItemState.ALREADY_IN_R2 or text.endswith(f"/{key}")
