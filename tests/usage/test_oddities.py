"""Every oddity of meter values that real chargers send (peers-and-field-quirks §5.1), with the total it must give."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from chargeamps.chargers.models import ChargePoint
from chargeamps.usage.models import ChargingSession
from tests.gateway.box import NOW, Box, stamp

REGISTER = "Energy.Active.Import.Register"
POWER = "Power.Active.Import"
MINUTE = 60


def value(number: Any, measurand: str | None = None, unit: str | None = None, **more: Any) -> dict[str, Any]:
    given = {"value": number, "measurand": measurand, "unit": unit, **more}
    return {name: item for name, item in given.items() if item is not None}


def wh(number: Any) -> list[dict[str, Any]]:
    return [value(number, REGISTER, "Wh")]


@dataclass
class Odd:
    """A session: its registers, its readings by second, and what must come of it."""

    name: str
    expected_wh: int
    start: Any = 1000
    stop: Any = 3000
    readings: list[tuple[int, Any]] = field(default_factory=list)
    findings: set[str] = field(default_factory=set)
    seconds: int = 30 * MINUTE


def rising(first: float, step: float, count: int = 10, every: int = 3 * MINUTE) -> list[tuple[int, float]]:
    return [(n * every, first + n * step) for n in range(count)]


CASES = [
    Odd("nothing odd", 2000, readings=[(s, wh(v)) for s, v in rising(1000, 200)]),
    Odd("a default measurand and unit", 2000, stop=None, readings=[(0, [value("1000")]), (900, [value("3000")])],
        findings={"meter-stop-missing"}),
    Odd("numbers instead of text", 500, stop=1500, readings=[(60, [value(1200.5)])]),
    Odd("registers as text and as float", 2000, start="1000", stop=3000.0),
    Odd("kWh told as such", 2000, stop=None, readings=[(900, [value("3.0", REGISTER, "kWh")])],
        findings={"meter-stop-missing"}),
    Odd("readings in kWh without saying so", 5000, start=20000, stop=25000,
        readings=[(s, wh(f"{v:.3f}")) for s, v in rising(20.0, 0.5)], findings={"unit-repaired"}),
    Odd("readings in kWh without saying so, and no stop value", 4500, start=20000, stop=None,
        readings=[(s, wh(f"{v:.3f}")) for s, v in rising(20.0, 0.5)], findings={"unit-repaired", "meter-stop-missing"}),
    Odd("start in kWh, the rest in Wh", 5000, start=200, stop=205000,
        readings=[(s, wh(v)) for s, v in rising(200000, 500)], findings={"unit-repaired"}),
    Odd("stop in kWh", 5000, start=200000, stop=205,
        readings=[(s, wh(v)) for s, v in rising(200000, 500)], findings={"unit-repaired"}),
    Odd("all in kWh, as the power shows", 5000, start=20, stop=25,
        readings=[(s, [*wh(f"{v:.1f}"), value(10000, POWER)]) for s, v in rising(20.0, 0.5)],
        findings={"unit-repaired"}),
    Odd("Wh called kWh, as the power shows", 5000, start=0, stop=None,
        readings=[(s, [value(v, REGISTER, "kWh"), value(10000, POWER)]) for s, v in rising(0, 500, 11)],
        findings={"unit-repaired", "meter-stop-missing"}),
    Odd("power in kW", 2000, readings=[(s, [value("4.0", POWER, "kW")]) for s, _ in rising(0, 0)]),
    Odd("a register that counts each transaction from nothing", 5000, start=200000, stop=205000,
        readings=[(s, wh(v)) for s, v in rising(0, 500)]),
    Odd("meterStart 0, registers of a lifetime", 4500, start=0, stop=None,
        readings=[(s, wh(v)) for s, v in rising(200000, 500)], findings={"register-jump", "meter-stop-missing"}),
    Odd("a register reset in the middle", 1000 + 1500, start=50000, stop=1500,
        readings=[(0, wh(50000)), (300, wh(50500)), (600, wh(51000)), (900, wh(0)), (1200, wh(700)), (1500, wh(1400))],
        findings={"register-reset", "meter-stop-below-start"}),
    Odd("a reset that the stop alone would hide", 400 + 4000, start=100, stop=4000,
        readings=[(0, wh(100)), (300, wh(400)), (600, wh(500)), (700, wh(0)), (900, wh(300)), (1500, wh(3500))],
        findings={"register-reset"}),
    Odd("one reading of nothing", 2000, readings=[(60, wh(1100)), (120, wh(0)), (180, wh(1300))]),
    Odd("one reading far too high", 2000, readings=[(60, wh(1100)), (120, wh(99999999)), (180, wh(1300))]),
    Odd("a register that wavers", 2000, readings=[(60, wh(1100)), (120, wh(1090)), (180, wh(1095)), (240, wh(1200))]),
    Odd("stop below start", 0, start=5000, stop=10, findings={"meter-stop-below-start", "reading-out-of-line"}),
    Odd("stop below start, readings in order", 1800, start=5000, stop=10,
        readings=[(s, wh(v)) for s, v in rising(5000, 200)],
        findings={"meter-stop-below-start", "reading-out-of-line"}),
    Odd("a negative start", 800, start=-5, stop=1800, readings=[(0, wh(1000)), (60, wh(1100))],
        findings={"meter-start-missing"}),
    Odd("no start value", 800, start=None, stop=1800, readings=[(0, wh(1000))], findings={"meter-start-missing"}),
    Odd("no registers at all, only power", 3500, start=None, stop=None,
        readings=[(s, [value(7000, POWER)]) for s, _ in rising(0, 0, 11)],
        findings={"meter-start-missing", "meter-stop-missing", "energy-from-power"}),
    Odd("only phases", 1800, stop=None,
        readings=[(s, [value(v / 3, REGISTER, phase=f"L{n}") for n in (1, 2, 3)]) for s, v in rising(1000, 200)],
        findings={"meter-stop-missing"}),
    Odd("only L1", 1800, stop=None, readings=[(s, [value(v, REGISTER, phase="L1-N")]) for s, v in rising(1000, 200)],
        findings={"meter-stop-missing"}),
    Odd("phases beside their total", 1800, stop=None,
        readings=[(s, [value(v / 2, REGISTER, phase=f"L{n}") for n in (1, 2)] + wh(v)) for s, v in rising(1000, 200)],
        findings={"meter-stop-missing"}),
    Odd("the value of the beginning once more at the end of each list", 1800, stop=None,
        readings=[(s, [*wh(v), value(1000, REGISTER, context="Transaction.Begin")]) for s, v in rising(1000, 200)],
        findings={"meter-stop-missing"}),
    Odd("lower case and spaces", 1800, stop=None,
        readings=[(s, [value(f" {v} ", REGISTER.lower())]) for s, v in rising(1000, 200)],
        findings={"meter-stop-missing"}),
    Odd("unknown measurands", 2000, readings=[(60, [value(7, "Mood"), value("", "Temperature")])]),
    Odd("values that are none", 2000,
        readings=[(60, [value("NaN")]), (120, [value("1e308")]), (180, [value("")]), (240, [value(None)]), (300, [])]),
    Odd("the same moment twice, differently", 2000, readings=[(60, wh(1100)), (60, wh(1200)), (120, wh(1300))]),
    Odd("whole kWh only", 2000, readings=[(60, wh(1000)), (600, wh(2000)), (1500, wh(3000))]),
    Odd("a stop nobody believes", 1800, stop=10**11, readings=[(s, wh(v)) for s, v in rising(1000, 200)],
        findings={"reading-out-of-line", "register-jump"}),
]  # fmt: skip


@pytest.fixture(autouse=True)
def two_hours_later():
    with time_machine.travel(NOW + timedelta(hours=2), tick=False) as travel:
        yield travel


@pytest.fixture
def box(cast):
    ChargePoint.objects.filter(pk=cast.aura.pk).update(free_charging=True)
    return Box(cast.aura, cast.aura_key)


@pytest.mark.requirement("R9-1", "R9-11")
@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "backwards"])
@pytest.mark.parametrize("odd", CASES, ids=[odd.name for odd in CASES])
def test_energy(box, odd, backwards):
    start = {"connectorId": 1, "idTag": "A", "timestamp": stamp(NOW)}
    answer = box.say("StartTransaction", start | ({} if odd.start is None else {"meterStart": odd.start}))
    number = answer["transactionId"]
    stop = {"transactionId": number, "timestamp": stamp(NOW + timedelta(seconds=odd.seconds))}
    messages = [("MeterValues", _meter_values(number, *reading)) for reading in odd.readings]
    messages.append(("StopTransaction", stop | ({} if odd.stop is None else {"meterStop": odd.stop})))
    for action, payload in reversed(messages) if backwards else messages:
        assert box.say(action, payload) == {}
    session = ChargingSession.objects.get()
    assert session.energy_import_wh == odd.expected_wh
    assert set(session.findings) == odd.findings


def _meter_values(number: int, second: int, values: Any) -> dict[str, Any]:
    entry = {"timestamp": stamp(NOW + timedelta(seconds=second)), "sampledValue": values}
    return {"connectorId": 1, "transactionId": number, "meterValue": [entry]}
