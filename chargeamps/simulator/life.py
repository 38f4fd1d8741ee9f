"""A household's rhythm for demonstrations: who plugs in when (Europe/London)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from .aura import Aura
from .car import Car

LONDON = ZoneInfo("Europe/London")


class Life:
    """The family car is on connector 1 at night, away on working days and for weekend outings; a second car comes to
    connector 2 on some evenings. Plans are timers of the world around the charger, so they outlive its reboots."""

    def __init__(self, aura: Aura, seed: int | str | None = None) -> None:
        self.aura = aura
        self.rng = Random(f"life/{seed}/{aura.identity}")
        self.family = Car(battery_kwh=64, soc=0.45, max_a=32, phases=1)
        self.second = Car(battery_kwh=58, soc=0.6, max_a=16, phases=3)
        self._plan = self._plans()

    def begin(self) -> None:
        """The family car is plugged in from the start; everything else follows."""
        self.aura.plug(1, self.family)
        self._next()

    def _next(self) -> None:
        when, what = next(self._plan)
        self.aura.world.at("life", when, lambda: self._do(what))

    def _do(self, what: str) -> None:
        connector = 1 if what in ("leave", "return") else 2
        if what in ("leave", "second-leaves"):
            self.aura.unplug(connector)
        elif self.aura.outlets[connector].plugged:
            pass  # somebody at the controls was quicker
        elif what == "return":
            self.family.soc = max(0.12, self.family.soc - self.rng.uniform(0.15, 0.4))
            self.aura.plug(connector, self.family)
        else:
            self.second.soc = self.rng.uniform(0.3, 0.65)
            self.aura.plug(connector, self.second)
        self._next()

    def _plans(self) -> Iterator[tuple[float, str]]:
        """(world time, what happens), in order, without end; nothing that is already past."""
        begun = self.aura.clock.world
        day = datetime.fromtimestamp(begun, UTC).astimezone(LONDON).date()
        visit = False
        while True:
            weekday = day.weekday() < 5
            events: list[tuple[float, str]] = []
            if visit:
                events.append((self._moment(day, 7.2, 0.2), "second-leaves"))
            if weekday:
                events += [(self._moment(day, 7.75, 0.15), "leave"), (self._moment(day, 17.5, 0.4), "return")]
            elif self.rng.random() < 0.7:
                events += [(self._moment(day, 10.5, 1.0), "leave"), (self._moment(day, 15.0, 1.5), "return")]
            visit = self.rng.random() < 0.35
            if visit:
                events.append((self._moment(day, 19.0, 0.7), "second-comes"))
            events.sort()
            if events and events[0][0] <= begun:
                events = self._from_now(events, begun)
            yield from events
            day += timedelta(days=1)

    @staticmethod
    def _from_now(events: list[tuple[float, str]], begun: float) -> list[tuple[float, str]]:
        """The first day starts with the family car at home: an outing under way is left out."""
        left = [e for e in events if e[0] > begun]
        names = [what for _, what in left]
        return [e for e in left if not (e[1] == "return" and "leave" not in names)]

    def _moment(self, day: object, hour: float, spread: float) -> float:
        """About ``hour`` local time on that day, give or take ``spread`` hours, to the second; epoch seconds."""
        midnight = datetime.fromisoformat(f"{day}T00:00:00")
        seconds = round((hour + self.rng.uniform(-spread, spread)) * 3600)
        return (midnight + timedelta(seconds=seconds)).replace(tzinfo=LONDON).timestamp()
