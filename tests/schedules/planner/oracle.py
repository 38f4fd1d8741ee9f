"""A slow second opinion on the plan: walks through the seconds and asks, at each, what is true. Shares no code with it.

It knows two connectors at most, whole amperes for what they share, and one clock for the hours, another for tariffs.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from chargeamps.schedules.planner.request import Connector, PlanRequest

LONDON = ZoneInfo("Europe/London")
Draw = Callable[[int, datetime], int]


def simulate(request: PlanRequest, draw: Draw) -> dict[int, list[float]]:
    """The limit of each connector at every second of the request."""
    owners = {connector.number: _Owner(connector, draw) for connector in request.connectors}
    supply = {connector.number: _Supply(connector.number, draw) for connector in request.connectors}
    out: dict[int, list[float]] = {number: [] for number in owners}
    for second in range(int((request.end - request.start).total_seconds())):
        now = request.start + timedelta(seconds=second)
        wall = now.astimezone(LONDON)
        wanted = {number: owner.tick(now, wall) for number, owner in owners.items()}
        possible = {
            connector.number: _after_cuts(connector, wanted[connector.number], now) for connector in request.connectors
        }
        for limit in request.capacity:
            possible = _shared(possible, limit.limit_a)
        for number, seen in out.items():
            seen.append(supply[number].tick(now, wanted[number], possible[number]))
    return out


class _Owner:
    """What the owner's plan asks for, with its delays."""

    def __init__(self, connector: Connector, draw: Draw) -> None:
        self.connector, self.draw = connector, draw
        self.before: dict[str, tuple] = {}
        self.first = True
        self.held = 0.0
        self.until: datetime | None = None

    def tick(self, now: datetime, wall: datetime) -> float:
        items = _items(self.connector, now, wall)
        name, limit = _top(items)
        exempt = self._exempt(items, name) if self.before else items[name][2] or self._just_ended(items, now, wall)
        if self.first:
            self.held = limit if self.connector.present is None else self.connector.present.wanted_a
            self.first = False
        self.before = items
        if self.until is not None and now >= self.until:
            self.until, self.held = None, limit
        elif self.until is not None:
            if exempt and limit != self.held:
                self.until, self.held = None, limit
        elif limit != self.held:
            seconds = 0 if exempt else self.draw(self.connector.number, now)
            if seconds:
                self.until = now + timedelta(seconds=seconds)
            else:
                self.held = limit
        return self.held

    def _exempt(self, items: dict[str, tuple], name: str) -> bool:
        last, _ = _top(self.before)
        if last == name and name in self.before:
            return False
        if name not in self.before:
            return items[name][2]
        return self.before[last][3] if last not in items else False

    def _just_ended(self, items: dict[str, tuple], now: datetime, wall: datetime) -> bool:
        second = timedelta(seconds=1)
        ago = _items(self.connector, now - second, wall - second)
        return any(leaving for name, (_, _, _, leaving) in ago.items() if name not in items)


def _items(connector: Connector, now: datetime, wall: datetime) -> dict[str, tuple]:
    """What is in force now, from the bottom: name -> (limit, caps, exempt on entry, exempt on leaving)."""
    top = connector.max_a
    out: dict[str, tuple] = {"bottom": (top if connector.hours is None else 0.0, False, False, False)}
    if connector.hours is not None and _open(connector.hours, wall):
        out["hours"] = (top, False, False, False)
    for each in connector.schedules:
        if _open(each.windows, now.astimezone(each.zone)):
            out["schedule " + each.schedule_id] = (top if each.limit_a is None else each.limit_a, False, False, False)
    for each in connector.limits:
        if _open(each.windows, now.astimezone(each.zone)):
            most = top if each.limit_a is None else each.limit_a
            out["limit " + each.schedule_id] = (most, True, False, False)
    ready = connector.ready_by
    if ready and ready.since <= now < ready.by and not any(start <= now < end for start, end in ready.chosen):
        out["ready"] = (0.0, True, False, False)
    for index, pause in enumerate(connector.pauses):
        if pause.start <= now and (pause.end is None or now < pause.end):
            out[f"pause {index}"] = (0.0, False, False, False)
    for event in connector.dsr:
        if event.start <= now < event.end and not (event.opted_out and now >= event.opted_out):
            entry = event.trusted and (event.response or event.delay_applied)
            leaving = event.opted_out is not None and event.opted_out <= event.end
            out["dsr " + event.event_id] = (event.limit_a if event.limit_a >= 6 else 0.0, True, entry, leaving)
    for index, order in enumerate(connector.charge_now):
        if order.start <= now and (order.end is None or now < order.end):
            out[f"now {index}"] = (top, False, True, order.ended_by_person)
    return out


def _top(items: dict[str, tuple]) -> tuple[str, float]:
    name, limit = "", 0.0
    for each, (each_limit, caps, _, _) in items.items():
        if not name or not caps or each_limit < limit:
            name, limit = each, each_limit
    return name, limit


def _open(windows, wall: datetime) -> bool:
    """Read the wall clock; while an hour is repeated it stands just before the next one."""
    clock = time(1, 59, 59) if wall.fold else wall.time()
    today, yesterday = wall.weekday(), (wall.weekday() - 1) % 7
    for window in windows:
        if window.start < window.end:
            if today in window.days and window.start <= clock < window.end:
                return True
        elif (today in window.days and clock >= window.start) or (yesterday in window.days and clock < window.end):
            return True
    return False


def _after_cuts(connector: Connector, wanted: float, now: datetime) -> float:
    for cut in connector.cuts:
        if cut.start <= now and (cut.end is None or now < cut.end):
            wanted = min(wanted, cut.limit_a if cut.limit_a >= 6 else 0.0)
    return wanted


def _shared(asked: dict[int, float], limit: float) -> dict[int, float]:
    if sum(asked.values()) <= limit:
        return asked
    active = [number for number, amperes in asked.items() if amperes > 0]
    if limit < 6:
        return dict.fromkeys(asked, 0.0)
    if len(active) == 1 or limit < 12:
        return {number: min(amperes, limit) if number == active[0] else 0.0 for number, amperes in asked.items()}
    one, other = active
    return {
        one: min(asked[one], max(limit / 2, limit - asked[other])),
        other: min(asked[other], max(limit / 2, limit - asked[one])),
    }


class _Supply:
    """What the installation gives: taken away at once, given back after a delay."""

    def __init__(self, number: int, draw: Draw) -> None:
        self.number, self.draw = number, draw
        self.given: float | None = None
        self.wanted = 0.0
        self.until: datetime | None = None

    def tick(self, now: datetime, wanted: float, possible: float) -> float:
        if self.given is None or wanted > self.wanted:
            self.until, self.given = None, possible
        elif possible <= self.given or (self.until is not None and now == self.until):
            self.given = possible
        elif self.until is None or now > self.until:
            seconds = self.draw(self.number, now)
            self.until = now + timedelta(seconds=seconds)
            if not seconds:
                self.given = possible
        self.wanted = wanted
        return self.given
