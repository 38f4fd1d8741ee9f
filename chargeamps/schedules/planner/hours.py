"""Weekly hours on the wall clock, and what they are in UTC.

A `Window` is "on these weekdays, from 22:00 to 07:30" as a person reads it from the clock on the wall. Everything else
in the planner works on UTC half-open intervals `[start, end)`.

The two nights a year on which the clock changes are defined by one rule, used for starts and ends alike: *a wall time
means the first instant at which the clock shows that time or a later one of that day*. A time that does not exist
(01:30 on the spring night) is thus the jump itself, and a time that comes twice (01:30 on the autumn night) is its
first occurrence, once. The rule never turns two wall times round, so neighbours neither overlap nor leave a gap.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import IntEnum
from functools import lru_cache

DAY_S = 86_400
WEEK_S = 7 * DAY_S
MAX_WINDOWS = 70

Interval = tuple[datetime, datetime]
Run = tuple[int, int]

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)


class Weekday(IntEnum):
    """A day of the week, numbered as `datetime.weekday()` does."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6


WORKDAYS = frozenset(Weekday(n) for n in range(5))
WEEKEND = frozenset({Weekday.SATURDAY, Weekday.SUNDAY})
EVERY_DAY = WORKDAYS | WEEKEND


class HoursError(ValueError):
    """Hours that have no single meaning. `field` is the path in the request (`windows[1].end`), `code` is stable."""

    def __init__(self, field: str, code: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Window:
    """On each of `days`, from `start` up to but not including `end`, wall-clock time without a zone.

    An `end` at or before `start` lies on the following day: 22:00-07:30 on Friday ends on Saturday morning, 10:00-00:00
    ends at midnight, and 00:00-00:00 is the whole day.
    """

    days: frozenset[Weekday]
    start: time
    end: time

    def __post_init__(self) -> None:
        if not self.days:
            raise ValueError("a window needs at least one day")
        if self.start.tzinfo is not None or self.end.tzinfo is not None:
            raise ValueError("a window is wall-clock time and carries no zone")

    @property
    def seconds(self) -> int:
        """Length on the wall clock, 1...86400 s."""
        length = _second_of_day(self.end) - _second_of_day(self.start)
        return length if length > 0 else length + DAY_S

    def as_json(self) -> dict[str, object]:
        """The API's form, `{"days": ["monday"], "start": "22:00", "end": "07:30"}`; midnight as an end is `24:00`."""
        return {
            "days": [day.name.lower() for day in sorted(self.days)],
            "start": f"{self.start:%H:%M}",
            "end": "24:00" if self.end == time() else f"{self.end:%H:%M}",
        }


def parse_windows(data: object, field: str = "windows") -> tuple[Window, ...]:
    """Read the API's list of windows. Raises `HoursError` naming the field.

    Accepted: overlaps, an end before the start (across midnight), an end of 24:00, an empty list (never). Refused: a
    start equal to the end, which could mean nothing or a whole day (that is 00:00-24:00), and a window without a day.
    """
    if isinstance(data, str | bytes) or not isinstance(data, Sequence):
        raise HoursError(field, "not-a-list", "must be a list of windows")
    if len(data) > MAX_WINDOWS:
        raise HoursError(field, "too-many", f"at most {MAX_WINDOWS} windows")
    return tuple(_parse_window(item, f"{field}[{index}]") for index, item in enumerate(data))


def _parse_window(item: object, field: str) -> Window:
    if not isinstance(item, Mapping):
        raise HoursError(field, "not-an-object", "must have days, start and end")
    days = _parse_days(item.get("days"), f"{field}.days")
    start = _parse_clock(item.get("start"), f"{field}.start")
    end_text = item.get("end")
    end = time() if end_text == "24:00" else _parse_clock(end_text, f"{field}.end")
    if start == end and end_text != "24:00":
        raise HoursError(f"{field}.end", "empty", "equals the start; a whole day is 00:00 to 24:00")
    return Window(days, start, end)


def _parse_days(value: object, field: str) -> frozenset[Weekday]:
    if isinstance(value, str | bytes) or not isinstance(value, Sequence) or not value:
        raise HoursError(field, "no-days", "name at least one day, monday to sunday")
    known = {day.name.lower(): day for day in Weekday}
    days = set()
    for name in value:
        if not isinstance(name, str) or name.lower() not in known:
            raise HoursError(field, "unknown-day", "days are monday to sunday")
        days.add(known[name.lower()])
    return frozenset(days)


def _parse_clock(value: object, field: str) -> time:
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise HoursError(field, "not-a-time", "must be a time of day as HH:MM")
    return time(int(match[1]), int(match[2]))


@lru_cache(maxsize=4096)
def weekly_runs(windows: tuple[Window, ...]) -> tuple[Run, ...]:
    """The windows as sorted, merged runs `[start, end)` in wall-clock seconds since Monday 00:00, within one week.

    Hours that last across Sunday midnight are two runs, one ending at 604800 and one starting at 0.
    """
    pieces: list[Run] = []
    for window in windows:
        for day in window.days:
            start = day * DAY_S + _second_of_day(window.start)
            end = start + window.seconds
            pieces.append((start, min(end, WEEK_S)))
            if end > WEEK_S:
                pieces.append((0, end - WEEK_S))
    merged: list[Run] = []
    for start, end in sorted(pieces):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return tuple(merged)


def normalise(windows: Iterable[Window]) -> tuple[Window, ...]:
    """The same hours with overlaps merged, in one canonical form: equal hours give equal results.

    A run of at most 24 hours is one window; a longer one is cut at midnights; equal windows of several days are one.
    """
    runs = list(weekly_runs(tuple(windows)))
    if len(runs) > 1 and runs[0][0] == 0 and runs[-1][1] == WEEK_S:
        first = runs.pop(0)
        runs[-1] = (runs[-1][0], WEEK_S + first[1])
    grouped: dict[tuple[time, time], set[Weekday]] = {}
    for start, end in runs:
        at = start
        while at < end:
            midnight = (at // DAY_S + 1) * DAY_S
            until = end if end - start <= DAY_S else min(end, midnight)
            grouped.setdefault((_clock(at), _clock(until)), set()).add(Weekday(at // DAY_S % 7))
            at = until
    made = [Window(frozenset(days), start, end) for (start, end), days in grouped.items()]
    return tuple(sorted(made, key=lambda window: (min(window.days), window.start, window.end)))


def intervals(windows: tuple[Window, ...], zone: tzinfo, start: datetime, end: datetime) -> list[Interval]:
    """The windows in `zone` as sorted, merged UTC intervals, cut to `[start, end)`. Both instants must be aware."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    found: list[Interval] = []
    runs = weekly_runs(windows)
    local = start.astimezone(zone).replace(tzinfo=None)
    # A day earlier, so that no change of the clock can push a run of this week out of sight.
    day = local.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    monday = day - timedelta(days=day.weekday())
    while runs and monday - timedelta(days=1) < end.replace(tzinfo=None):
        for run_start, run_end in runs:
            opens = max(to_utc(monday + timedelta(seconds=run_start), zone), start)
            closes = min(to_utc(monday + timedelta(seconds=run_end), zone), end)
            if opens >= closes:
                continue
            if found and opens <= found[-1][1]:
                found[-1] = (found[-1][0], max(found[-1][1], closes))
            else:
                found.append((opens, closes))
        monday += timedelta(days=7)
    return found


def to_utc(local: datetime, zone: tzinfo) -> datetime:
    """The first instant at which the clock of `zone` shows the naive `local` or, if it is skipped, jumps over it."""
    earlier = local.replace(tzinfo=zone).astimezone(UTC)
    if earlier.astimezone(zone).replace(tzinfo=None) == local:
        return earlier
    # Skipped: the jump lies between the readings with the offset after it and with the offset before it.
    low, high = local.replace(tzinfo=zone, fold=1).astimezone(UTC), earlier
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        if middle.astimezone(zone).replace(tzinfo=None) < local:
            low = middle
        else:
            high = middle
    return high


def _second_of_day(clock: time) -> int:
    return clock.hour * 3600 + clock.minute * 60 + clock.second


def _clock(second: int) -> time:
    second %= DAY_S
    return time(second // 3600, second % 3600 // 60, second % 60)
