"""Numbers as people read them. Units are decimal (1 MB is 1,000,000 bytes); what is unknown is called so."""

UNKNOWN = "unknown"

_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")
_STEP = 1000


def number(count: int | None) -> str:
    """Return a count with thousands separators."""
    return UNKNOWN if count is None else f"{count:,}"


def size(count: int | None) -> str:
    """Return bytes in the unit people read them in."""
    if count is None:
        return UNKNOWN
    value, unit = float(count), 0
    while value >= _STEP and unit < len(_UNITS) - 1:
        value, unit = value / _STEP, unit + 1
    return f"{count:,} bytes" if unit == 0 else f"{value:,.1f} {_UNITS[unit]}"


def exact_size(count: int | None) -> str:
    """Return bytes in the unit people read them in, and to the byte."""
    shown = size(count)
    return shown if count is None or shown.endswith("bytes") else f"{shown} ({count:,} bytes)"


def money(amount: float | None) -> str:
    """Return US dollars; what is not nothing is never shown as nothing."""
    if amount is None:
        return UNKNOWN
    return "under $0.01" if 0 < amount < 0.005 else f"${amount:,.2f}"  # noqa: PLR2004 - half a cent
