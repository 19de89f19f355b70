"""How the page says things: texts made safe, times, differences. What is unknown is called so, never zero."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from z_interact_assets.core import units
from z_interact_assets.core.showing import LONGEST_NAME, shortened
from z_interact_assets.core.units import UNKNOWN, money, number

LONGEST_SENTENCE = 1_000
_YEAR = 365.25

Show = Callable[[Any], str]


def text(value: object, length: int = LONGEST_NAME) -> str:
    """Return a text of somebody's, cut and without what changes the direction of writing."""
    whole = str(value)
    return shortened(whole, length) + ("…" if len(whole) > length else "")


def sentence(value: object) -> str:
    """Return a sentence of ours, or of an error's."""
    return text(value, LONGEST_SENTENCE)


def size(count: int | None) -> str:
    """Return bytes in the unit people read them in, without a decimal that says nothing."""
    return units.size(count).replace(".0 ", " ")


def dollars(cost: float | None) -> str:
    """Return an amount in US dollars; of a small one the digits that are not 0."""
    if cost is None:
        return UNKNOWN
    if cost >= 1 or not cost:
        return money(cost)
    return "under $0.0001" if cost < 0.0001 else f"${cost:.4f}".rstrip("0")  # noqa: PLR2004


def rate(value: float | None) -> str:
    """Return a number that need not be whole."""
    return UNKNOWN if value is None else f"{value:,.1f}".removesuffix(".0")


def share(part: float | None, whole: float | None) -> str:
    """Return the part in percent; what is not all of it is never shown as 100 %."""
    if part is None or not whole:
        return UNKNOWN
    percent = 100 * part / whole
    if part < whole and percent > 99.9:  # noqa: PLR2004
        return "over 99.9 %"
    if 0 < percent < 0.1:  # noqa: PLR2004
        return "under 0.1 %"
    return f"{percent:.1f}".removesuffix(".0") + " %"


def moment(value: str | float | None) -> datetime | None:
    """Return a time, of ISO 8601 or of UTC milliseconds; None if there is none that can be read."""
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        return None if value is None else datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def when(value: str | float | None) -> str:
    """Return a time for people."""
    found = moment(value)
    return UNKNOWN if found is None else f"{day(found)}, {found:%H:%M} UTC"


def day(value: datetime) -> str:
    """Return a date for people."""
    return f"{value.day} {value:%b %Y}"


def days(count: float) -> str:
    """Return a span of days."""
    if count > 3 * _YEAR:
        return f"about {count / _YEAR:,.0f} years"
    return "1 day" if count == 1 else f"{rate(count)} days"


def elapsed(earlier: datetime, later: datetime) -> str:
    """Return how much later, roughly."""
    minutes = round((later - earlier).total_seconds() / 60)
    for word, length in (("day", 1440), ("hour", 60)):
        if minutes >= 2 * length or (word == "day" and minutes >= length):
            count = round(minutes / length)
            return f"{count:,} {word}{'' if count == 1 else 's'}"
    return f"{minutes:,} minute{'' if minutes == 1 else 's'}"


def plural(count: int | None, one: str, many: str | None = None) -> str:
    """Return a count with its noun."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def difference(now: float | None, before: float | None, show: Show = number) -> str:
    """Return the difference with its sign."""
    if now is None or before is None:
        return UNKNOWN
    shown = show(abs(now - before))
    return "no change" if now == before else f"{'+' if now > before else '−'}{shown}"  # noqa: RUF001 - a minus sign


def in_r2(stats: Mapping[str, Any]) -> int | None:
    """Return the images whose row points at R2, with or without base64 in it."""
    clean, mixed = stats.get("r2_images"), stats.get("mixed_images")
    return None if clean is None else clean + (mixed or 0)
