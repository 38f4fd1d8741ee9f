"""A car at the end of the cable."""

from __future__ import annotations

from dataclasses import dataclass, field

MIN_CURRENT_A = 6.0  # IEC 61851-1: the pilot cannot announce less


@dataclass
class Car:
    """What a car does with the current it is offered. Currents are amperes per phase, ``soc`` runs from 0 to 1."""

    battery_kwh: float = 60.0
    soc: float = 0.45
    max_a: float = 16.0
    phases: int = 3
    efficiency: float = 0.92
    taper_above: float = 0.8
    target: float = 1.0
    ready_at: float | None = None  # the car's own timer: draws nothing before this world time
    wake_s: float = 2.0  # from the offer of current to the first ampere
    sleep_after_s: float | None = None  # after so long without an offer it sleeps until the plug is pulled
    asleep: bool = False
    _offered_since: float | None = field(default=None, repr=False)
    _idle_since: float | None = field(default=None, repr=False)

    def plugged(self, now: float) -> None:
        """The plug goes in at world time ``now``: a sleeping car is awake again."""
        self.asleep = False
        self._offered_since = None
        self._idle_since = now

    def draw(self, offered_a: float, now: float) -> float:
        """Amperes per phase the car takes when ``offered_a`` is on the pilot at world time ``now``."""
        if offered_a < MIN_CURRENT_A:
            self._offered_since = None
            if self._idle_since is None:
                self._idle_since = now
            return 0.0
        if self._offered_since is None:
            slept = self.sleep_after_s is not None and self._idle_since is not None
            if slept and now - (self._idle_since or 0.0) >= (self.sleep_after_s or 0.0):
                self.asleep = True
            self._offered_since, self._idle_since = now, None
        if self.asleep or now < self._starts() or self.soc >= self.target:
            return 0.0
        wanted = self.max_a
        if self.soc > self.taper_above and self.taper_above < 1.0:
            share = (1.0 - self.soc) / (1.0 - self.taper_above)
            wanted = max(MIN_CURRENT_A, self.max_a * share)
        return min(offered_a, wanted, self.max_a)

    def _starts(self) -> float:
        return max((self._offered_since or 0.0) + self.wake_s, self.ready_at or 0.0)

    def next_change(self, now: float) -> float | None:
        """World time of the next change by itself while current is offered (waking, own timer), else None."""
        if self._offered_since is None or self.asleep or self.soc >= self.target:
            return None
        start = self._starts()
        return start if start > now else None

    def seconds_to_full(self, power_w: float) -> float:
        """How long this power needs to reach the target, seconds."""
        if power_w <= 0:
            return float("inf")
        return max(0.0, self.target - self.soc) * self.battery_kwh * 3.6e6 / (power_w * self.efficiency)

    def charge(self, energy_wh: float) -> None:
        """Put this much energy, measured at the socket, into the battery."""
        self.soc = min(1.0, self.soc + energy_wh * self.efficiency / (self.battery_kwh * 1000.0))
        if self.target - self.soc < 1e-9:
            self.soc = max(self.soc, self.target)
