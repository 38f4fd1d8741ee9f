"""Reg 9's accuracy: what we report against what truly flowed, over every current, phase count and direction."""

from datetime import UTC, datetime, timedelta
from random import Random
from statistics import mean, stdev

import pytest
import time_machine

from chargeamps.chargers.models import ChargePoint
from chargeamps.simulator.meter import Meter
from chargeamps.usage.models import ChargingSession
from chargeamps.usage.packing import Reading
from chargeamps.usage.selectors.power import milliseconds
from chargeamps.usage.services import store_readings
from tests.gateway.box import Box, stamp

NOW = datetime(2026, 7, 15, 12, 0, tzinfo=UTC)
SECONDS = 1800
CURRENTS = range(6, 33, 2)


@pytest.mark.requirement("R9-8", "R9-9")
@pytest.mark.parametrize("direction", ["import", "export"])
def test_energy_and_power_are_within_one_percent_and_not_biased(cast, direction):
    ChargePoint.objects.update(free_charging=True)
    errors, power_errors, random = [], [], Random(9)
    started = NOW
    with time_machine.travel(NOW, tick=False) as travel:
        box = Box(cast.aura, cast.aura_key)
        for phases in (1, 3):
            for amperes in CURRENTS:
                # Each begins anywhere between two whole Wh, as a meter does.
                meter = Meter(true_wh=100_000 + random.random())
                error, power_error = _charge(box, travel, meter, started, amperes, phases, direction, random)
                errors.append(error)
                power_errors.append(power_error)
                started += timedelta(seconds=SECONDS + 60)
    bias, noise = mean(errors), stdev(errors) / len(errors) ** 0.5
    print(
        f"\n{direction}: {len(errors)} sessions of {SECONDS} s, 6 to 32 A, 1 and 3 phases: "
        f"largest error {max(map(abs, errors)):.4%}, bias {bias:+.5%} ± {noise:.5%}; "
        f"by power: largest {max(map(abs, power_errors)):.4%}, bias {mean(power_errors):+.5%}"
    )
    assert max(map(abs, errors)) < 0.01
    assert max(map(abs, power_errors)) < 0.01
    assert abs(bias) < 3 * noise + 1e-5


def _charge(box, travel, meter, started, amperes, phases, direction, random) -> tuple[float, float]:  # noqa: PLR0917
    """Run one session; the signed errors of its energy and of its power added up."""
    out = direction == "export"
    travel.move_to(started)
    number = box.start(meter=100 if out else meter.register_wh, at=started)
    readings, before = [_reading(meter, started, out=out, flowing=False)], meter.true_wh
    for second in range(1, SECONDS + 1):
        meter.set_load(amperes, phases, random)
        meter.run(1)
        readings.append(_reading(meter, started + timedelta(seconds=second), out=out))
    stopped = started + timedelta(seconds=SECONDS)
    travel.move_to(stopped)
    store_readings({box.opened.connectors[1]: readings})
    if out:
        # The wire form once, so that the whole path is measured.
        sampled = [{"value": str(meter.register_wh), "measurand": "Energy.Active.Export.Register"}]
        entry = {"timestamp": stamp(stopped), "sampledValue": sampled}
        box.say("MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": [entry]})
    box.stop(number, meter=100 if out else meter.register_wh, at=stopped)
    session = ChargingSession.objects.get(transaction_id=number)
    true = meter.true_wh - before
    counted = session.energy_export_wh if out else session.energy_import_wh
    by_power = sum(abs(r.power or 0) for r in readings) / 3600
    assert session.flow_seconds == pytest.approx(SECONDS, abs=1)
    assert (session.energy_import_wh == 0) == out
    return (counted - true) / true, (by_power - true) / true


def _reading(meter: Meter, at: datetime, *, out: bool, flowing: bool = True) -> Reading:
    register, power = meter.register_wh * 1000, round(meter.power_w) if flowing else 0
    if out:
        return Reading(milliseconds(at), -power, None, register)
    return Reading(milliseconds(at), power, register, None)
