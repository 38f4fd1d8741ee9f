"""The one place that asks the machine for the time."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present instant in UTC."""
    return datetime.now(UTC)


def isoformat(instant: datetime | None) -> str | None:
    """RFC 3339 with ``Z`` and milliseconds, or None."""
    if instant is None:
        return None
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
