"""What a session cost: its energy laid into the hours of the prices that were valid then. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from chargeamps.usage.counting import Point, energy_at

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Price(Protocol):
    """A version of a site's prices (``chargeamps.usage.models.Tariff``)."""

    valid_from: datetime
    currency: str
    price: Decimal
    windows: Any
    site: Any


def cost_micros(
    steps: Sequence[Point], mwh: int, started_ms: int, stopped_ms: int, tariffs: Sequence[Price]
) -> tuple[int, str] | None:
    """Cost in millionths of the currency, with the currency; None where no price was valid at the start.

    ``tariffs`` in the order of their validity; ``steps`` as counted, ``mwh`` the session's energy.
    """
    started, stopped = _instant(started_ms), _instant(stopped_ms)
    valid = [t for t in tariffs if t.valid_from <= started]
    if not valid:
        return None
    first = valid[-1]
    versions = [first, *(t for t in tariffs if started < t.valid_from < stopped and t.currency == first.currency)]
    total = Decimal(0)
    if len(versions) == 1 and not first.windows:
        total = first.price * mwh
    else:
        whole = energy_at(steps, stopped_ms)
        scale = Decimal(mwh) / Decimal(whole) if whole else Decimal(0)
        moments = _boundaries(started, stopped, versions)
        for begin, end in pairwise(moments):
            flowed = energy_at(steps, _ms(end)) - energy_at(steps, _ms(begin))
            total += Decimal(flowed) * scale * price_at(begin, versions)
        if not whole:
            total = price_at(started, versions) * mwh
    # The price is for a kWh, which is a million mWh.
    return int(total.to_integral_value(ROUND_HALF_EVEN)), first.currency


def price_at(moment: datetime, versions: Sequence[Price]) -> Decimal:
    """The price of a kWh at a moment, in the site's wall time."""
    version = [v for v in versions if v.valid_from <= moment][-1]
    local = moment.astimezone(ZoneInfo(version.site.time_zone))
    wall, day = local.strftime("%H:%M"), local.weekday()
    for window in version.windows:
        start, end = window["start"], window["end"]
        days = [DAYS.index(name) for name in window["days"]]
        if start < end:
            inside = day in days and start <= wall < end
        else:  # past midnight; equal times are a whole day
            inside = (day in days and wall >= start) or ((day - 1) % 7 in days and wall < end)
        if inside:
            return Decimal(window["price"])
    return version.price


def _boundaries(started: datetime, stopped: datetime, versions: Sequence[Price]) -> list[datetime]:
    """Start, end, and every moment between at which the price may change."""
    moments = {started, stopped, *(v.valid_from for v in versions if started < v.valid_from < stopped)}
    for version in versions:
        zone = ZoneInfo(version.site.time_zone)
        walls = {tuple(map(int, window[edge].split(":"))) for window in version.windows for edge in ("start", "end")}
        day = started.astimezone(zone).date()
        # A session stuck open for months is not laid out hour by hour.
        last = min(stopped.astimezone(zone).date(), day + timedelta(days=400))
        while walls and day <= last:
            for hour, minute in walls | {(0, 0)}:
                moment = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).astimezone(UTC)
                if started < moment < stopped:
                    moments.add(moment)
            day += timedelta(days=1)
    return sorted(moments)


def _instant(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
