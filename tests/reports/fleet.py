"""A fleet of Auras at one tariff edge, or after one power cut: when does each begin to draw?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from secrets import SystemRandom

from chargeamps.gateway.profiles import Capabilities, ConnectorPlan, desired_profiles
from chargeamps.schedules.planner import Connector, draw, draw_weekly, rules_at
from chargeamps.simulator.aura import Aura
from chargeamps.simulator.car import Car
from chargeamps.simulator.clock import Clock
from tests.simulator.central import Central

# A Wednesday in winter: London is on UTC, the preset hours begin at 22:00.
EDGE = datetime(2027, 1, 13, 22, tzinfo=UTC)
CUT = EDGE + timedelta(hours=1)
CAR_KW = 7.36
# From the switch, or the return of power, to the first ampere without any delay: boot, transaction, car.
WAKE_S, BOOT_S = 2.0, 5.0 + 1.0 + 2.0


@dataclass(frozen=True)
class Fleet:
    """Seconds until each charger's first current: after the tariff edge, and after power came back to all at once."""

    edge_s: tuple[float, ...]
    cut_s: tuple[float, ...]
    maximum_s: int

    def rise_per_minute(self, seconds: tuple[float, ...]) -> float:
        """The steepest minute of the ramp, as a share of the whole fleet."""
        ordered = sorted(seconds)
        most = max(sum(1 for other in ordered if second <= other < second + 60) for second in ordered)
        return most / len(ordered)


def fleet(count: int = 1_000) -> Fleet:
    """The fleet with cars plugged in before the edge and the network gone; delays are drawn as the product does."""
    maximum_s = rules_at(EDGE).delay_default_s
    random = SystemRandom()
    edge_s, cut_s = [], []
    for number in range(count):
        aura = _installed(number, random, maximum_s)
        aura.plug(1, Car(battery_kwh=1_000, soc=0.1, max_a=32, phases=1))
        edge_s.append(_first_current(aura, EDGE))
        aura.advance(CUT.timestamp() - aura.clock.world)
        aura.reboot()
        cut_s.append(_first_current(aura, CUT))
    return Fleet(tuple(edge_s), tuple(cut_s), maximum_s)


def _installed(number: int, random: SystemRandom, maximum_s: int) -> Aura:
    """A charger with its plan and nobody to talk to, early enough for the delay at plug-in to be over by the edge."""
    now = EDGE - timedelta(hours=1)
    clock = Clock(now.timestamp())
    aura = Aura(f"{number:011}", key=bytes(16), clock=clock, seed=1, configuration={"MeterValueSampleInterval": "0"})
    central = Central(aura).connect()
    connector = Connector(1, 32.0, hours=rules_at(EDGE).preset_hours)
    delays = draw_weekly(connector, now, lambda: draw(random.randrange, maximum_s))
    plan = ConnectorPlan(connector, delays, start_delay=draw(random.randrange, maximum_s))
    for profile in desired_profiles([plan], Capabilities(max_stack_level=8), now).profiles:
        call = {"connectorId": profile.connector_number, "csChargingProfiles": profile.payload}
        assert central.call("SetChargingProfile", call) == {"status": "Accepted"}
    aura.disconnected()
    return aura


def _first_current(aura: Aura, since: datetime) -> float:
    while aura.clock.world < since.timestamp() or aura.outlets[1].drawn_a == 0:
        aura.advance(max(0.001, min(aura.seconds_to_event(), 3600.0)))
    return aura.clock.world - since.timestamp()
