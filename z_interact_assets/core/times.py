"""Points in time as text, and back. No clock here: they are passed in."""

from datetime import UTC, datetime


def iso_utc(ms: int, *, timespec: str = "milliseconds") -> str:
    """Return UTC milliseconds since 1970 as ISO 8601 in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec=timespec)


def ms_of(iso: str) -> int:
    """Return ISO 8601, as `iso_utc` writes whole seconds, as UTC milliseconds since 1970."""
    return round(datetime.fromisoformat(iso).timestamp()) * 1000
