"""A month without anybody to talk to, in seconds."""

from __future__ import annotations

from datetime import UTC, datetime

from chargeamps.simulator.car import Car
from chargeamps.simulator.clock import iso, parse_iso
from chargeamps.simulator.life import LONDON, Life
from tests.simulator.central import MONDAY, Central, default_profile, make

DAY = 86_400
OFF_PEAK_DAY = [(0, 32), (8 * 3600, 0), (11 * 3600, 32), (16 * 3600, 0), (22 * 3600, 32)]
WEEK = [(d * DAY + start, limit) for d in range(5) for start, limit in OFF_PEAK_DAY] + [(5 * DAY, 32)]


def test_cut_off_for_thirty_days_it_keeps_to_the_schedule():
    aura = make(configuration={"MeterValueSampleInterval": "3600"})
    central = Central(aura).connect()
    profile = default_profile(WEEK, recurrency="Weekly", duration=7 * DAY)
    central.call("SetChargingProfile", {"connectorId": 0, "csChargingProfiles": profile})
    aura.disconnected()
    aura.plug(1, Car(battery_kwh=40_000, soc=0.1, max_a=32, phases=1))
    allowed = 0.0
    while aura.clock.world < MONDAY + 30 * DAY:
        began, meter = aura.clock.world, aura.outlets[1].meter.true_wh
        aura.advance(1800)
        when = datetime.fromtimestamp(began, UTC)
        peak = when.weekday() < 5 and (8 <= when.hour < 11 or 16 <= when.hour < 22)
        used = aura.outlets[1].meter.true_wh - meter
        assert (used == 0) == peak, (iso(began), used)
        allowed += 0 if peak else 1800
        if round(began - MONDAY) % (10 * DAY) == 0:
            aura.reboot()
            aura.advance(30)
            aura.advance(1770)
            allowed += 0 if peak else 1800
    assert aura.outlets[1].meter.true_wh / (230 * 32 / 3600) / allowed > 0.99
    central.forget()
    aura.unplug(1)
    central.connect().run(60)
    starts, stops = central.of("StartTransaction"), central.of("StopTransaction")
    assert len(starts) == len(stops) == 4
    assert sum(p["meterStop"] for p in stops) - sum(p["meterStart"] for p in starts) == (
        aura.outlets[1].meter.register_wh
    )


def test_a_household_lives_by_london_time_over_the_clock_change():
    aura = make(start=parse_iso("2026-03-16T02:00:00Z"), configuration={"MeterValueSampleInterval": "3600"})
    central = Central(aura).connect()
    Life(aura, seed=3).begin()
    assert [o.plugged for o in aura.outlets.values()] == [True, False]
    before = aura.outlets[1].plugged
    leaves: list[float] = []
    returns: list[float] = []
    weekend_changes, visits = 0, 0
    for _ in range(30 * 96):
        second = aura.outlets[2].plugged
        central.run(900)
        local = datetime.fromtimestamp(aura.clock.world, UTC).astimezone(LONDON)
        now = aura.outlets[1].plugged
        if now != before:
            if local.weekday() < 5:
                (returns if now else leaves).append(local.hour + local.minute / 60)
            else:
                weekend_changes += 1
        visits += aura.outlets[2].plugged and not second
        before = now
    assert len(leaves) == len(returns) == 22
    assert all(7.5 <= h <= 8.25 for h in leaves)
    assert all(17 <= h <= 18.25 for h in returns)
    assert weekend_changes >= 4
    assert visits >= 3
    started = central.of("StartTransaction")
    assert len(started) == len(central.of("StopTransaction")) + sum(o.plugged for o in aura.outlets.values())
    assert aura.outlets[1].meter.true_wh > 200_000


def test_the_same_seed_lives_the_same_life():
    def month():
        aura = make()
        Life(aura, seed=5).begin()
        aura.advance(3 * DAY)
        return aura.dump_memory()

    assert month() == month()


def test_a_full_memory_gives_up_meter_values_but_never_a_transaction():
    aura = make(configuration={"MeterValueSampleInterval": "10"})
    for _ in range(30):
        aura.plug(1, Car(battery_kwh=500))
        aura.advance(3600)
        aura.unplug(1)
    queue = aura.messaging.queue
    assert len(queue.lasting) <= 2000
    assert queue.dropped > 0
    actions = [c.action for c in queue.lasting]
    assert actions.count("StartTransaction") == actions.count("StopTransaction") == 30
