"""What the ledger remembers, as values: batches, work items, objects, outcomes. No SQL here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from z_interact_assets.core.models import PENDING_STATES, ImageFormat, ItemState
from z_interact_assets.core.reasons import Reason


class KnownItem(NamedTuple):
    """What planning needs to know of an image the ledger already has. A tuple: one is made for each row looked at."""

    item_id: int
    image_id: str
    state: ItemState
    reason: Reason | None
    fingerprint: str | None
    batch_key: str | None
    position: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewItem:
    """An image to be entered. `fingerprint` is None while work on it is pending."""

    image_id: str
    state: ItemState
    reason: Reason | None = None
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkMark:
    """A point in the history of planning: the newest batch, and the newest event of an image planned again."""

    batch: int = 0
    event: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem:
    """One image a run still has to bring to its end. `attempts` counts earlier tries that may have stored its object.

    `object_key` and `md5` are of the object an earlier try stored, if the ledger knows of one.
    """

    item_id: int
    image_id: str
    batch_key: str
    state: ItemState
    attempts: int
    object_key: str | None = None
    md5: str | None = None
    source: str | None = None
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRecord:
    """A proved object in the bucket. `role` is `primary`, or `alternate` for a second image of the same row.

    `proof` says how it was proved: `etag` (the PUT's or HEAD's ETag equals our MD5) or `sha256` (every byte read back).
    """

    key: str
    role: str
    size: int
    md5: str | None
    sha256: str | None
    etag: str
    format: ImageFormat | None
    width: int | None
    height: int | None
    content_type: str
    proof: str
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecord:
    """Written before a row is switched: all that is needed to undo the switch.

    `pointed`: the row points at the object already. An undo record the ledger has for that object is then kept: what is
    read from such a row is what the switch made of it, perhaps another run's a moment ago.
    `originals` maps each column the migration makes superfluous to the exact form of its text (core.base64_text) with
    the text's SHA-256 and size; `before` holds the other columns' values as they were.
    """

    item_id: int
    source: str
    object_key: str
    objects: tuple[ObjectRecord, ...]
    pointed: bool = False
    originals: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    before: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRecord:
    """The end of one item in one run: its new state and why; `fingerprint` is the row's as we left it."""

    item_id: int
    state: ItemState
    reason: Reason | None = None
    detail: str = ""
    fingerprint: str | None = None
    event: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class ReclaimRecord(OutcomeRecord):
    """The end of one item's base64; `bytes` of text were cleared."""

    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerItem:
    """One image as the ledger has it, with its primary object."""

    item_id: int
    image_id: str
    batch_key: str | None
    state: ItemState
    reason: Reason | None
    detail: str
    source: str | None
    object_key: str | None
    size: int | None
    md5: str | None
    sha256: str | None
    etag: str | None
    content_type: str | None
    width: int | None
    height: int | None
    proof: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSummary:
    """A batch and its items by state. `bytes` counts its primary objects."""

    key: str
    items: int
    states: Mapping[ItemState, int]
    bytes: int

    @property
    def pending(self) -> int:
        """How many items a run still has to do."""
        return sum(count for state, count in self.states.items() if state in PENDING_STATES)

    @property
    def set_aside(self) -> int:
        """How many items ended neither migrated nor pending."""
        done = {ItemState.PUBLISHED, ItemState.RECLAIMED, ItemState.ALREADY_IN_R2}
        return sum(count for state, count in self.states.items() if state not in done) - self.pending


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseHolder:
    """A run that may have batches in hand: what it does, where, since when, and until when it is believed (UTC ms).

    `process_started_at` is in seconds since 1970.
    """

    holder_id: str
    operation: str
    run_id: str | None
    host: str
    pid: int
    process_started_at: float
    since: int
    expires_at: int

    def __str__(self) -> str:
        return f"{self.operation} (process {self.pid} on {self.host.partition(' ')[0]})"


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoRecord:
    """All that is needed to take the migration of one image back, or to clear its base64.

    `originals` describes each text the migration made superfluous (see core.preparation), `before` holds the other
    columns as they were; `fingerprint` is the row's as we left it; `objects` are its proved objects, the primary first.
    """

    item_id: int
    image_id: str
    batch_key: str
    state: ItemState
    source: str | None
    object_key: str | None
    fingerprint: str | None
    published_at: int | None
    objects: tuple[ObjectRecord, ...]
    originals: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    before: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoScope:
    """Which images to take back or to clear: those in some states, of some batches or by id; None is no limit.

    `source` is where their image was, `published_until` (UTC ms) the latest switch. `with_object` leaves out those no
    object was ever stored for.
    """

    states: tuple[ItemState, ...]
    batch_keys: tuple[str, ...] | None = None
    image_ids: tuple[str, ...] | None = None
    source: str | None = None
    published_until: int | None = None
    with_object: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofSummary:
    """How well the objects are proved that hold what was base64: counts, and the oldest proof's time (UTC ms).

    `unproved` were never read back whole; `stale` were, but before the time asked about.
    """

    objects: int
    unproved: int
    stale: int
    oldest: int | None
