"""Cars, meters and the sharing of current."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeamps.simulator.balance import share
from chargeamps.simulator.car import Car
from tests.simulator.central import MONDAY, Central, default_profile, make


def draw(car, offered, now):
    car.draw(offered, now)
    return car.draw(offered, now + 10)


def test_a_car_takes_no_more_than_it_can_nor_than_it_is_offered():
    assert draw(Car(max_a=16), 32, 0) == 16
    assert draw(Car(max_a=32), 10, 0) == 10
    assert draw(Car(), 5.9, 0) == 0
    assert draw(Car(soc=1.0), 32, 0) == 0


def test_above_80_per_cent_it_takes_less_and_less():
    drawn = [draw(Car(max_a=32, soc=s), 32, 0) for s in (0.8, 0.85, 0.9, 0.95, 0.99)]
    assert drawn == [32, pytest.approx(24), pytest.approx(16), pytest.approx(8), 6]


def test_a_sleeper_stays_asleep_until_replugged():
    car = Car(sleep_after_s=600)
    car.plugged(0)
    assert draw(car, 0, 0) == 0
    assert draw(car, 16, 700) == 0
    car.plugged(2000)
    assert draw(car, 16, 2001) == 16


def test_a_car_with_its_own_timer_waits_for_it():
    aura = make()
    central = Central(aura).connect()
    aura.plug(1, Car(ready_at=MONDAY + 3600))
    central.run(3599)
    assert aura.outlets[1].status == "SuspendedEV"
    central.run(2)
    assert aura.outlets[1].status == "Charging"


def test_energy_is_power_over_time_and_ends_in_the_battery():
    aura = make()
    central = Central(aura).connect()
    car = Car(battery_kwh=60, soc=0.2, max_a=16, phases=3, efficiency=0.9)
    aura.plug(1, car)
    central.run(3600)
    meter = aura.outlets[1].meter
    assert meter.true_wh == pytest.approx(3 * 230 * 16 * 3597 / 3600, rel=0.02)
    assert abs(meter.register_wh - meter.true_wh) <= 0.5
    assert car.soc == pytest.approx(0.2 + meter.true_wh * 0.9 / 60_000)


def test_a_full_battery_ends_the_flow_but_not_the_transaction():
    aura = make(configuration={"MeterValueSampleInterval": "0"})
    central = Central(aura).connect()
    car = Car(battery_kwh=10, soc=0.5, max_a=16, phases=3)
    aura.plug(1, car)
    central.run(4 * 3600)
    assert car.soc == 1.0
    assert aura.outlets[1].status == "SuspendedEV"
    assert aura.outlets[1].transaction is not None
    assert aura.outlets[1].meter.true_wh == pytest.approx(5000 / 0.92, rel=0.001)


@given(st.floats(0, 64), st.lists(st.floats(0, 32), min_size=1, max_size=2))
def test_shares_never_exceed_supply_or_wish_and_are_0_or_at_least_6(supply, wishes):
    parts = share(supply, [(n + 1, w) for n, w in enumerate(wishes)])
    assert sum(parts.values()) <= supply + 1e-6
    for n, wish in enumerate(wishes):
        assert parts[n + 1] <= wish + 1e-6
        assert parts[n + 1] == 0 or parts[n + 1] >= 5.9


def test_two_cars_share_the_fuse_and_a_tapering_one_leaves_the_rest():
    aura = make()
    central = Central(aura).connect()
    aura.plug(1, Car(max_a=32, battery_kwh=500, soc=0.1))
    other = Car(max_a=32, battery_kwh=500, soc=0.1)
    aura.plug(2, other)
    central.run(60)
    assert [aura.outlets[n].offered_a for n in (1, 2)] == [16, 16]
    other.max_a = 8
    central.run(300)
    first, second = (aura.outlets[n].drawn_a for n in (1, 2))
    assert second == 8
    assert 22 <= first <= 24


def test_the_station_limit_holds_for_both_outlets_together():
    aura = make()
    central = Central(aura).connect()
    cap = default_profile([(0, 10)], purpose="ChargePointMaxProfile")
    assert central.call("SetChargingProfile", {"connectorId": 0, "csChargingProfiles": cap}) == {"status": "Accepted"}
    aura.plug(1, Car(max_a=32))
    central.run(10)
    aura.plug(2, Car(max_a=32))
    central.run(60)
    assert [aura.outlets[n].offered_a for n in (1, 2)] == [10, 0]
    assert aura.outlets[2].status == "SuspendedEVSE"


def test_user_current_limit_in_the_vendors_notation():
    aura = make()
    central = Central(aura).connect()
    call = {"key": "UserCurrentLimit", "value": "1.10,2.16"}
    assert central.call("ChangeConfiguration", call) == {"status": "Accepted"}
    aura.plug(1, Car())
    central.run(10)
    assert aura.outlets[1].offered_a == 10
    call["value"] = "1.3"
    assert central.call("ChangeConfiguration", call) == {"status": "Rejected"}
