"""From evidence to a verdict: one condition a function, each saying in plain words what it saw and what to do. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from z_interact_assets.core.models import PENDING_STATES, ItemState
from z_interact_assets.core.times import iso_utc
from z_interact_assets.verdict.evidence import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One claim that must hold; `holds` is None if nobody could tell. `proved_at` is UTC ms, None if it never was."""

    name: str
    holds: bool | None
    evidence: str
    proved_at: int | None
    remedy: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return one element of `conditions`."""
        return {
            "name": self.name, "holds": self.holds, "evidence": self.evidence,
            "proved_at": None if self.proved_at is None else iso_utc(self.proved_at, timespec="seconds"),
            "remedy": "" if self.holds else self.remedy,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether image_data can be dropped without losing anything, and why."""

    at: int
    conditions: tuple[Condition, ...]

    @property
    def is_safe(self) -> bool:
        """Tell whether every condition was shown to hold."""
        return all(condition.holds for condition in self.conditions)

    @property
    def found_false(self) -> bool:
        """Tell whether a condition was shown not to hold, and is not merely unknown."""
        return any(condition.holds is False for condition in self.conditions)

    def to_json(self) -> dict[str, Any]:
        """Return the document of `verdict --json`."""
        return {
            "safe_to_drop_base64": self.is_safe,
            "conditions": [condition.to_json() for condition in self.conditions],
            "generated_at": iso_utc(self.at, timespec="seconds"),
        }


def judge(evidence: Evidence) -> Verdict:
    """Judge every condition."""
    conditions = (
        _no_row_holds_base64, _every_row_was_read, _no_image_waits, _every_byte_is_proved, _every_text_can_be_rebuilt,
        _bucket_matches, _public_urls_serve, _no_run_is_at_work,
    )  # fmt: skip
    return Verdict(at=evidence.at, conditions=tuple(condition(evidence) for condition in conditions))


def _no_row_holds_base64(evidence: Evidence) -> Condition:
    holders = evidence.table.holders
    count = sum(holders.values())
    found = f"{count:,} of {evidence.table.rows:,} rows have something in image_data"
    if count:
        found += f": {_by_state(holders)}"
    return Condition(
        name="no_row_holds_base64", holds=not count, evidence=f"{found}.", proved_at=evidence.at,
        remedy=_remedy_for(holders),
    )  # fmt: skip


def _every_row_was_read(evidence: Evidence) -> Condition:
    count = evidence.table.unaddressable
    return Condition(
        name="every_row_was_looked_at", holds=not count,
        evidence=f"{count:,} rows have no usable id and were not looked at.", proved_at=evidence.at,
        remedy="Give each row a text id of its own, then plan again.",
    )  # fmt: skip


def _no_image_waits(evidence: Evidence) -> Condition:
    pending = sum(count for state, count in evidence.states.items() if state in PENDING_STATES)
    conflicts = evidence.states.get(ItemState.CONFLICT, 0)
    unplanned = evidence.table.unplanned
    return Condition(
        name="no_image_waits", holds=not (pending or unplanned),
        evidence=f"{pending:,} images are planned or failed, {unplanned:,} rows are not planned yet "
        f"({conflicts:,} ended in conflict).",
        proved_at=evidence.at, remedy="z-interact-assets migrate",
    )  # fmt: skip


def _every_byte_is_proved(evidence: Evidence) -> Condition:
    proofs = evidence.proofs
    since = iso_utc(evidence.fresh_since, timespec="minutes")
    found = f"{proofs.unproved:,} of {proofs.objects:,} objects were never read back whole"
    return Condition(
        name="every_byte_is_proved", holds=not (proofs.unproved or proofs.stale),
        evidence=f"{found}, {proofs.stale:,} not since {since}.",
        proved_at=proofs.oldest, remedy="z-interact-assets validate --full",
    )  # fmt: skip


def _every_text_can_be_rebuilt(evidence: Evidence) -> Condition:
    count = evidence.reclaimed_without_undo
    return Condition(
        name="every_text_can_be_rebuilt", holds=not count,
        evidence=f"The ledger lacks the form of {count:,} cleared texts.", proved_at=evidence.at,
        remedy="Restore the ledger from a backup: without it no rollback gives these texts back byte for byte.",
    )  # fmt: skip


def _bucket_matches(evidence: Evidence) -> Condition:
    bucket = evidence.bucket
    name, remedy = "bucket_matches", "z-interact-assets validate"
    if bucket is None:
        return Condition(name=name, holds=None, evidence="The bucket could not be listed.", proved_at=None,
                         remedy="Run this again when R2 answers.")  # fmt: skip
    return Condition(
        name=name, holds=not (bucket.missing or bucket.corrupted or bucket.misdirected or bucket.shared),
        evidence=f"{bucket.objects:,} objects over all pages: {bucket.missing:,} missing, {bucket.corrupted:,} "
        f"corrupted, {bucket.shared:,} named by two rows; {bucket.misdirected:,} rows point elsewhere.",
        proved_at=evidence.at, remedy=remedy,
    )  # fmt: skip


def _public_urls_serve(evidence: Evidence) -> Condition:
    public = evidence.public
    if public is None or public.silent:
        return Condition(name="public_urls_serve_the_images", holds=None, proved_at=None,
                         evidence="The public URLs could not be asked.", remedy="z-interact-assets doctor")  # fmt: skip
    return Condition(
        name="public_urls_serve_the_images", holds=public.served == public.checked,
        evidence=f"{public.served:,} of {public.checked:,} images, drawn at random, were served as recorded.",
        proved_at=evidence.at, remedy="z-interact-assets validate --public",
    )  # fmt: skip


def _no_run_is_at_work(evidence: Evidence) -> Condition:
    names = ", ".join(map(str, evidence.at_work)) or "Nobody"
    return Condition(
        name="no_run_is_at_work", holds=not evidence.at_work, evidence=f"{names} has batches in hand.",
        proved_at=evidence.at, remedy="Wait until it has ended.",
    )  # fmt: skip


def _by_state(holders: Mapping[ItemState | None, int]) -> str:
    names = {state: "unknown to the ledger" if state is None else state.value for state in holders}
    return ", ".join(f"{count:,} {names[state]}" for state, count in sorted(holders.items(), key=lambda e: names[e[0]]))


def _remedy_for(holders: Mapping[ItemState | None, int]) -> str:
    """Return the commands that bring rows of these states on."""
    steps = {
        "z-interact-assets status --quarantined (mend or clear these rows)": {ItemState.QUARANTINED},
        "z-interact-assets migrate": {None, ItemState.CONFLICT, *PENDING_STATES},
        "z-interact-assets migrate --rolled-back": {ItemState.ROLLED_BACK},
        "z-interact-assets reclaim --all-due": {ItemState.PUBLISHED},
    }
    return "; ".join(step for step, states in steps.items() if states & holders.keys()) or "Look at these rows by hand."
