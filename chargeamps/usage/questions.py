"""What a report is asked for: which days, in how large pieces, and of what. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from chargeamps.common.ids import parse_id
from chargeamps.common.problems import Invalid

PERIODS = ("this_month", "last_month", "this_year", "last_year", "last_12_months", "custom")
GROUPS = ("session", "day", "week", "month")
FILTERS = ("site", "charge_point", "connector", "person", "id_tag")
LONGEST_DAYS = 3660


@dataclass(frozen=True, slots=True)
class Question:
    """Days of the site's calendar, the last one included."""

    first_day: date
    last_day: date
    time_zone: str
    group: str = "month"
    filters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def begin(self) -> datetime:
        return midnight(self.first_day, self.time_zone)

    @property
    def end(self) -> datetime:
        """The first moment that is not in it any more."""
        return midnight(self.last_day + timedelta(days=1), self.time_zone)

    def pieces(self) -> Iterator[tuple[date, date]]:
        """First and last day of each group, cut at the ends of the period; weeks begin on Monday."""
        day = self.first_day
        while day <= self.last_day:
            last = day
            if self.group == "week":
                last = day + timedelta(days=6 - day.weekday())
            elif self.group == "month":
                last = _month_end(day)
            yield day, min(last, self.last_day)
            day = last + timedelta(days=1)


def midnight(day: date, time_zone: str) -> datetime:
    """When a day of the site's calendar begins, in UTC."""
    return datetime.combine(day, time(), ZoneInfo(time_zone)).astimezone(UTC)


def read_question(params: Mapping[str, Any], *, time_zone: str, now: datetime) -> Question:
    """Read query parameters; raises ``Invalid`` with what is wrong with each."""
    zone, errors = ZoneInfo(time_zone), {}
    today = now.astimezone(zone).date()
    given = params.get("from") or params.get("to")
    period = params.get("period") or ("custom" if given else "this_month")
    group = params.get("group") or "month"
    if period not in PERIODS:
        errors["period"] = [f"One of {', '.join(PERIODS)}."]
    elif period != "custom" and given:
        errors["period"] = ["With from and to, the period is custom."]
    if group not in GROUPS:
        errors["group"] = [f"One of {', '.join(GROUPS)}."]
    filters: dict[str, Any] = {}
    for name in FILTERS:
        value = params.get(name)
        if not value:
            continue
        if name == "id_tag":
            filters[name] = str(value)[:255].replace("\x00", "")
        elif key := parse_id(str(value)):
            filters[name] = key
        else:
            errors[name] = ["Not an id."]
    first, last = today, today
    if period == "custom":
        for edge in ("from", "to"):
            day = _day(params.get(edge), zone, exclusive=edge == "to")
            if day is None:
                errors[edge] = ["A date (2026-03-31) or a time (2026-03-31T23:30:00Z) is needed."]
            elif edge == "from":
                first = day
            else:
                last = day
        if not errors.keys() & {"from", "to"}:
            if last < first:
                errors["to"] = ["The end is before the beginning."]
            elif (last - first).days > LONGEST_DAYS:
                errors["to"] = ["At most ten years at a time."]
    elif period in PERIODS:
        first, last = _named(period, today)
    if errors:
        raise Invalid(errors)
    return Question(first, last, time_zone, group, filters)


def _named(period: str, today: date) -> tuple[date, date]:
    if period == "this_month":
        return today.replace(day=1), _month_end(today)
    if period == "last_month":
        last = today.replace(day=1) - timedelta(days=1)
        return last.replace(day=1), last
    if period == "this_year":
        return date(today.year, 1, 1), date(today.year, 12, 31)
    if period == "last_year":
        return date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)
    # The same day a year ago is in it: nothing of the past twelve months is left out (SI 2021/1467 reg 9).
    leap = today.month == 2 and today.day == 29
    return today.replace(year=today.year - 1, day=28 if leap else today.day), today


def _month_end(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _day(value: Any, zone: ZoneInfo, *, exclusive: bool) -> date | None:
    """A day as such, or the day of a moment; as an end, a moment is the first that is not in it."""
    try:
        text = str(value)
        if len(text) == 10:
            day = date.fromisoformat(text)
        else:
            moment = datetime.fromisoformat(text.replace("Z", "+00:00").replace(" ", "+"))
            moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
            day = (moment - timedelta(microseconds=int(exclusive))).astimezone(zone).date()
    except (ValueError, OverflowError):
        return None
    return day if 2000 <= day.year <= 2200 else None
