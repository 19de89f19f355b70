"""The words of an alert: values in, plain sentences out. Nothing of a row's own text gets in here unshortened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from z_interact_assets.core.models import PENDING_STATES, ItemState
from z_interact_assets.core.showing import shortened

LONGEST_REASON = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is said: one line that says it all, sentences, and where to look. Plain text, no markup."""

    title: str
    sentences: tuple[str, ...]
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedRun:
    """A run that failed for good. `reason` is a sentence, `retries` how often Dagster had tried it again by itself."""

    job: str
    run_id: str
    reason: str
    first_batch: str | None = None
    last_batch: str | None = None
    retries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FalseClaim:
    """A check that found a loss, and its figures by name."""

    asset: str
    name: str
    figures: Mapping[str, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekInNumbers:
    """A week as the ledger tells it: images now by state, how many came to what in the week, bytes then uploaded."""

    states: Mapping[ItemState, int]
    came_to: Mapping[str, int]
    bytes_stored: int
    health: str | None = None
    score: int | None = None
    issues: tuple[str, ...] = ()


# What was lost by it (nothing), and what to do. The jobs of this project; any other gets the last one.
_MIGRATION = (
    "Nothing is lost: what was finished is recorded, every other row holds its base64 as before.",
    "Mend the cause, then materialise the same batches again, or leave it to nightly_migration if that is on.",
)
_ADVICE = {
    "migrate_images": _MIGRATION,
    "plan_batches": ("Nothing is lost: planning writes only the ledger.", "Mend the cause and run it again."),
    "reclaim_base64": (
        "Nothing is lost: base64 is cleared only after every byte of its object was proved; the rest is kept.",
        "Mend the cause and run it again; what was cleared is recorded.",
    ),
    "rollback_migration": (
        "Nothing is lost: a row is given back only whole and proved, and objects are deleted only after that.",
        "Mend the cause and run it again with the same choice; only what is left is done.",
    ),
    "validate_migration": (
        "Nothing is lost by it: validating only reads. What it had not read yet is not proved, though.",
        "Mend the cause and run it again.",
    ),
}
_OTHERWISE = ("Nothing is lost by it: what was finished is recorded.", "Mend the cause and run it again.")


def about_failure(run: FailedRun, *, ui_url: str | None) -> Message:
    """Say which run failed, why, whether anything is lost by it, and what to do."""
    reason = shortened(run.reason, LONGEST_REASON)
    tried = f" Dagster tried it again {_times(run.retries)}, to no avail." if run.retries else ""
    lost, advice = _ADVICE.get(run.job, _OTHERWISE)
    link = ui_url and f"{ui_url}/runs/{run.run_id}"
    where = "" if link else f" The run is {run.run_id}."
    return Message(
        title=f"{shortened(run.job)} failed{_batches(run)}",
        sentences=(f"{_ended(reason)}{tried}", lost, f"{advice}{where}"),
        link=link or None,
    )


def about_false_claims(claims: Sequence[FalseClaim], *, ui_url: str | None) -> Message:
    """Say which claims were found false, by which figures, and what to do."""
    names = ", ".join(claim.name for claim in claims)
    first = claims[0]
    return Message(
        title=f"{'A claim is' if len(claims) == 1 else f'{len(claims)} claims are'} false: {names}",
        sentences=(
            *(f"{claim.name}: {_figures(claim.figures)}." for claim in claims),
            "The check only looked. Rows that hold their base64 are unharmed: reclaim nothing until this is clear.",
            f"The checks of {first.asset} list examples and say what to do; z-interact-assets validate looks again.",
        ),
        link=ui_url and f"{ui_url}/assets/{first.asset}?view=checks&checkDetail={first.name}",
    )


def _figures(figures: Mapping[str, int | None]) -> str:
    return ", ".join(f"{shortened(name)} {count:,}" for name, count in figures.items() if count) or "see its page"


def about_week(week: WeekInNumbers, *, ui_url: str | None) -> Message:
    """Sum the week up: what was done in it, how things stand, what needs somebody."""
    came = week.came_to
    done = (
        f"This week {_images(came.get('published', 0))} moved to R2 ({week.bytes_stored / 1e6:,.1f} MB), "
        f"{came.get('quarantined', 0):,} set aside, {came.get('failed', 0):,} failed at least once, "
        f"{came.get('reclaimed', 0):,} reclaimed, {came.get('rolled_back', 0):,} rolled back."
    )
    states = [f"{count:,} {state.value.replace('_', ' ')}" for state, count in sorted(week.states.items())]
    waiting = sum(week.states.get(state, 0) for state in PENDING_STATES)
    score = "" if week.score is None else f", {week.score} of 100"
    return Message(
        title="Weekly summary: nothing waits" if not waiting else f"Weekly summary: {_images(waiting)} wait",
        sentences=(
            done,
            f"Images now: {', '.join(states)}." if states else "No image is planned yet.",
            *([f"Health: {week.health}{score}."] if week.health else []),
            *(shortened(issue, LONGEST_REASON) for issue in week.issues),
        ),
        link=ui_url and f"{ui_url}/asset-groups",
    )


def _batches(run: FailedRun) -> str:
    if not run.first_batch:
        return ""
    first, last = shortened(run.first_batch), shortened(run.last_batch or run.first_batch)
    return f" (batch {first})" if first == last else f" (batches {first} to {last})"


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?", "…")) else f"{sentence}."


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"
