"""Thirty days of one Aura that was given its plan and then lost its server: pure code and simulated time, no Django."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from unittest.mock import patch

from chargeamps.gateway.profiles import (
    Agreement,
    Capabilities,
    ConnectorPlan,
    Desired,
    DesiredProfile,
    changes,
    composite_agrees,
    desired_profiles,
    exact_days_needed,
    suspect,
)
from chargeamps.schedules.planner import (
    LONDON,
    Connector,
    Pause,
    PlanRequest,
    build_plan,
    draw,
    draw_weekly,
    intervals,
    rules_at,
    weekly_draws,
)
from chargeamps.simulator import power
from chargeamps.simulator.car import Car
from tests.simulator.central import Central, make

RULES = rules_at(datetime(2027, 1, 1, tzinfo=UTC))
LONGEST_S = RULES.delay_default_s
DAY = timedelta(days=1)
SUPPLY_A = 32.0
LEAVES = time(7, 50)
# Three evenings in turn: before the hours, well inside them, and, where it is the weekend, at noon.
COMES = (time(17, 40), time(23, 17), time(13, 5))


@dataclass(frozen=True)
class Flow:
    """Current without interruption from `start` to `end` (aware UTC), A per phase of the car's one phase."""

    start: datetime
    end: datetime
    amperes: float

    @property
    def watts(self) -> float:
        """What the car takes, W."""
        return self.amperes * 230.0


@dataclass
class Visit:
    """One stay of the car: when the plug went in and out, and whether it got what it wanted."""

    plugged: datetime
    leaves: datetime
    satisfied: bool = False

    @property
    def inside(self) -> bool:
        """Whether the car came well inside the hours."""
        since = self.plugged - timedelta(seconds=1800)
        return any(a <= since and self.plugged + timedelta(hours=1) <= b for a, b in allowed(since, self.leaves))


def allowed(start: datetime, end: datetime, longest_s: int = 0) -> list[tuple[datetime, datetime]]:
    """The preset hours that meet the span, each prolonged by the longest delay of its end."""
    spans = intervals(RULES.preset_hours, LONDON, start - DAY, end + DAY)
    return [(a, b + timedelta(seconds=longest_s)) for a, b in spans]


@dataclass
class Month:
    """One Aura of some personas, from the instant `now`. `pause` is a holiday, which only the exact days know of."""

    personas: tuple[str, ...]
    now: datetime
    seed: int = 1
    pause: Pause | None = None
    flows: list[Flow] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    begun: list[datetime] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    asked: list[list[Agreement]] = field(default_factory=list)

    def __post_init__(self) -> None:
        random = Random(self.seed)
        self.aura = make(*self.personas, start=self.now.timestamp(), configuration={"MeterValueSampleInterval": "0"})
        self.central = Central(self.aura)
        self.installed: dict[tuple[int, str, int], DesiredProfile] = {}
        self.wanted = Desired((), frozenset())
        self.able = Capabilities()
        self.plans = [self._plan(number, random) for number in (1, 2)]
        self.start_delay = self.plans[0].start_delay or 0

    def _plan(self, number: int, random: Random) -> ConnectorPlan:
        connector = Connector(number, 32.0, hours=RULES.preset_hours)
        delays = draw_weekly(connector, self.now, lambda: draw(random.randrange, LONGEST_S))
        end = self.now + timedelta(days=7)
        full = replace(
            connector,
            draws=weekly_draws(connector, delays, self.now, end),
            pauses=(self.pause,) if self.pause is not None else (),
        )
        timeline = build_plan(PlanRequest(self.now, end, (full,))).timelines[number]
        exact = timeline if exact_days_needed(timeline, connector, delays) else ()
        return ConnectorPlan(connector, delays, exact, start_delay=60 + draw(random.randrange, LONGEST_S - 120))

    # --- with the server --------------------------------------------------------------------------------------------

    def converge(self) -> list[Agreement]:
        """Connect, set what differs, learning from what is refused, ask what it will do, and hang up.

        Where the answer differs everything is set again, once, as the server does. The answers of every round are kept
        in `asked`; the last ones are returned.
        """
        self.central.connect()
        rows = self.central.call("GetConfiguration")["configurationKey"]
        said = {row["key"]: row.get("value") for row in rows}
        for _ in range(2):
            while not self._converged(said):
                pass
            self.asked.append([self._verdict(plan.connector) for plan in self.plans])
            if all(verdict.agrees for verdict in self.asked[-1]):
                break
            self.installed.clear()
        self.aura.disconnected()
        return self.asked[-1]

    def _converged(self, said: dict[str, str | None]) -> bool:
        self.able = Capabilities.from_configuration(said, self.refusals, phases=3)
        at = self.instant
        self.wanted = desired_profiles(self.plans, self.able, at, installation_a=SUPPLY_A)
        todo = changes(self.installed.values(), self.wanted.profiles, self.able, at)
        for profile in todo.to_set:
            call = {"connectorId": profile.connector_number, "csChargingProfiles": profile.payload}
            if self.central.call("SetChargingProfile", call)["status"] != "Accepted":
                suspicion = suspect(profile.payload, self.able)
                assert suspicion is not None
                assert suspicion not in self.refusals
                self.refusals.append(suspicion)
                return False
            self.installed[profile.slot] = profile
        for profile_id in todo.to_clear:
            self.central.call("ClearChargingProfile", {"id": profile_id})
        self.installed = {profile.slot: profile for profile in self.wanted.profiles}
        return True

    def _verdict(self, connector: Connector) -> Agreement:
        call = {"connectorId": connector.number, "duration": 86_400, "chargingRateUnit": self.able.unit}
        answer = self.central.call("GetCompositeSchedule", call)
        at, top_a = self.instant, min(connector.max_a, SUPPLY_A)
        return composite_agrees(answer, self.wanted.profiles, connector.number, at, self.able, max_a=top_a)

    # --- without it -------------------------------------------------------------------------------------------------

    @property
    def instant(self) -> datetime:
        """True time."""
        return datetime.fromtimestamp(self.aura.clock.world, UTC)

    def live(self, days: int, cuts: Sequence[int] = ()) -> None:
        """So many days of the family; power fails at 23:50 on the evenings numbered in `cuts`."""
        # Cars here do not taper, thus long steps are as exact as short ones.
        with patch.object(power, "STEP_S", 3600.0):
            first = self.instant.astimezone(LONDON).date()
            for number in range(days):
                evening = first + timedelta(days=number)
                self._stay(evening, number, cut=number in cuts)

    def _stay(self, evening: date, number: int, *, cut: bool) -> None:
        comes = COMES[number % 3]
        if comes == time(13, 5) and evening.weekday() < 5:
            comes = time(18, 30)
        visit = Visit(_local(evening, comes), _local(evening + DAY, LEAVES))
        self._run_to(visit.plugged)
        car = Car(battery_kwh=60, soc=0.4, target=0.8, max_a=32, phases=1)
        self.aura.plug(1, car)
        if cut:
            self._run_to(_local(evening, time(23, 50)))
            self.aura.reboot()
        self._run_to(visit.leaves)
        self.aura.unplug(1)
        visit.satisfied = car.soc >= car.target - 1e-6
        self.visits.append(visit)

    def _run_to(self, instant: datetime) -> None:
        end, outlet = instant.timestamp(), self.aura.outlets[1]
        while (left := end - self.aura.clock.world) > 1e-6:
            since, amperes = self.instant, self.aura.outlets[1].drawn_a
            self.aura.advance(min(left, max(0.001, self.aura.seconds_to_event())))
            outlet = self.aura.outlets[1]
            if amperes > 0:
                self._flowed(since, amperes)
            running = outlet.transaction
            if running is not None:
                began = datetime.fromtimestamp(running.began, UTC)
                if not self.begun or self.begun[-1] != began:
                    self.begun.append(began)

    def _flowed(self, since: datetime, amperes: float) -> None:
        last = self.flows[-1] if self.flows else None
        if last is not None and last.amperes == amperes and since - last.end < timedelta(milliseconds=1):
            self.flows[-1] = replace(last, end=self.instant)
        else:
            self.flows.append(Flow(since, self.instant, amperes))

    # --- afterwards -------------------------------------------------------------------------------------------------

    def outside(self, longest_s: int = LONGEST_S) -> Iterator[Flow]:
        """The flows that are not in the hours or in the delay after them. A clock second is forgiven."""
        slack = timedelta(seconds=1)
        spans = allowed(self.now, self.instant, longest_s)
        for flow in self.flows:
            if not any(a - slack <= flow.start and flow.end <= b + slack for a, b in spans):
                yield flow

    def waits(self) -> Iterator[tuple[datetime, float]]:
        """For each transaction that had any current: its beginning, and the seconds until the first of it."""
        for index, began in enumerate(self.begun):
            end = self.begun[index + 1] if index + 1 < len(self.begun) else self.instant
            first = next((flow.start for flow in self.flows if began <= flow.start < end), None)
            if first is not None:
                yield began, (first - began).total_seconds()


def _local(day: date, at: time) -> datetime:
    return datetime.combine(day, at, LONDON).astimezone(UTC)
