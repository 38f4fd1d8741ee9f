"""Named moments for servers started at another time."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def recent(weekday: int, hour: int, minute: int = 0, *, now: datetime | None = None) -> datetime:
    """The latest past moment with this London weekday (0 is Monday) and wall time, at least an hour ago, in UTC.

    A past moment, because certificates made then are valid for clients whose clock is real.
    """
    limit = (now or datetime.now(UTC)) - timedelta(hours=1)
    day = limit.astimezone(LONDON)
    while True:
        moment = day.replace(hour=hour, minute=minute, second=0, microsecond=0).astimezone(UTC)
        if day.weekday() == weekday and moment <= limit:
            return moment
        # Wall-time arithmetic: the same hour a day earlier, over a clock change too.
        day -= timedelta(days=1)


def recent_peak_hour() -> datetime:
    """A weekday afternoon in the peak hours of SI 2021/1467 schedule 1: Wednesday 17:30 in London."""
    return recent(2, 17, 30)


def recent_off_peak_hour() -> datetime:
    """Wednesday 13:00 in London, between the two peaks."""
    return recent(2, 13, 0)
