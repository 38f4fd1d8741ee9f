"""Each persona does what its name says, and nothing breaks when they are mixed."""

from __future__ import annotations

import pytest

from chargeamps.simulator.car import Car
from chargeamps.simulator.personas import PERSONAS, combine
from tests.simulator.central import Central, default_profile, make


def start(*personas, **configuration):
    aura = make(*personas, configuration=configuration)
    return aura, Central(aura).connect()


def set_profile(central, raw, connector=0):
    return central.call("SetChargingProfile", {"connectorId": connector, "csChargingProfiles": raw})["status"]


def session(central, seconds=100):
    central.aura.plug(1, Car())
    central.run(seconds)
    central.aura.unplug(1)
    central.run(100)
    return central


@pytest.mark.parametrize("name", sorted(PERSONAS))
def test_every_persona_gets_through_a_session(name):
    aura, central = start(name)
    session(central, 300)
    assert aura.outlets[1].meter.true_wh > 100
    assert central.of("StartTransaction")
    assert central.of("StopTransaction")


@pytest.mark.parametrize(
    ("persona", "raw", "status"),
    [
        ("watts-only", default_profile([(0, 6)]), "Rejected"),
        ("watts-only", default_profile([(0, 6000)], unit="W"), "Accepted"),
        ("one-stack-level", default_profile([(0, 6)], stack=1), "Rejected"),
        ("few-periods", default_profile([(n, 6) for n in range(7)]), "Rejected"),
        ("no-recurring", default_profile([(0, 6)]), "Rejected"),
        ("no-recurring", default_profile([(0, 6)], recurrency=None), "Accepted"),
        ("no-max-profile", default_profile([(0, 6)], purpose="ChargePointMaxProfile"), "NotSupported"),
        ("no-default-profile", default_profile([(0, 6)]), "Rejected"),
        ("accepts-without-effect", default_profile([(0, 6)]), "Accepted"),
    ],
)
def test_abilities(persona, raw, status):
    _, central = start(persona)
    assert set_profile(central, raw) == status


def test_accepted_without_effect():
    aura, central = start("accepts-without-effect")
    set_profile(central, default_profile([(0, 0)]))
    aura.plug(1, Car())
    central.run(30)
    assert aura.outlets[1].drawn_a == 16


def test_profiles_lost_at_reconnect_and_only_then():
    for name, left in (("aura", 1), ("forgets-profiles", 0)):
        aura, central = start(name)
        set_profile(central, default_profile([(0, 0)]))
        aura.disconnected()
        assert len(aura.profiles.profiles) == 1
        central.connect()
        assert len(aura.profiles.profiles) == left


def test_cars_that_sleep_or_wake_late():
    pause = default_profile([(0, 0), (1200, 16)], recurrency=None)
    for name, after in (("sleeps", "SuspendedEV"), ("wakes-late", "Charging")):
        aura, central = start(name)
        set_profile(central, pause)
        aura.plug(1, Car())
        central.run(1250)
        assert aura.outlets[1].status == "SuspendedEV"
        central.run(100)
        assert aura.outlets[1].status == after


def test_slow_and_silent_answers():
    _, central = start("slow")
    assert central.call("ClearCache") is None
    central.run(9)
    assert central.results["c1"][2] == {"status": "Accepted"}
    _, central = start("never-answers-trigger")
    assert central.call("TriggerMessage", {"requestedMessage": "Heartbeat"}) is None
    assert central.call("ClearCache") == {"status": "Accepted"}


def test_no_boot_at_reconnect():
    aura, central = start("no-boot-on-reconnect")
    aura.disconnected()
    central.forget()
    central.connect()
    assert [a for a, _ in central.calls] == ["StatusNotification"] * 3


def test_deaf_before_boot():
    aura = make("deaf-before-boot")
    central = Central(aura, BootNotification=None)
    aura.connected()
    assert central.call("ClearCache") is None


def test_odd_configuration():
    _, central = start("odd-configuration")
    rows = central.call("GetConfiguration", {"key": ["HeartbeatInterval"]})["configurationKey"]
    assert len(rows) > 40
    assert {"key": "GetConfigurationMaxKeys", "readonly": True, "value": "3"} in rows


def test_units_registers_phases_and_strings():
    _, central = start("kwh")
    sample = session(central).of("MeterValues")[0]["meterValue"][0]["sampledValue"][0]
    assert (sample["unit"], float(sample["value"]) < 1) == ("kWh", True)
    aura, central = start("register-per-transaction")
    session(central)
    session(central)
    assert [p["meterStart"] for p in central.of("StartTransaction")] == [0, 0]
    assert sum(p["meterStop"] for p in central.of("StopTransaction")) == aura.outlets[1].meter.register_wh
    _, central = start("per-phase-only")
    samples = session(central).of("MeterValues")[0]["meterValue"][0]["sampledValue"]
    assert all("phase" in s for s in samples if s["measurand"] != "Current.Offered")
    _, central = start("numbers-as-strings")
    assert session(central).of("StopTransaction")[0]["transactionId"] == "101"


def test_clocks():
    _, central = start("naive-time")
    assert session(central).of("StartTransaction")[0]["timestamp"] == "2026-11-23T00:00:01"
    _, central = start("clock-1970")
    assert session(central).of("StartTransaction")[0]["timestamp"].startswith("1970-01-01T00:00")
    _, central = start("clock-wrong-by-a-day")
    assert session(central).of("StartTransaction")[0]["timestamp"] == "2026-11-22T00:00:01Z"


def test_duplicates():
    _, central = start("duplicate-start")
    session(central)
    ids = [i for i, (a, _) in zip(central.ids, central.calls, strict=True) if a == "StartTransaction"]
    assert len(ids) == 2
    assert ids[0] == ids[1]
    aura, central = start("duplicate-start-new-id")
    session(central)
    ids = [i for i, (a, _) in zip(central.ids, central.calls, strict=True) if a == "StartTransaction"]
    assert len(set(ids)) == 2
    assert aura.duplicate_numbers == [102]
    assert central.of("StopTransaction")[0]["transactionId"] == 101
    _, central = start("repeats-stop")
    central.answers["StopTransaction"] = "InternalError"
    session(central)
    assert len(central.of("StopTransaction")) == 11


def test_reboot_required_and_reused_ids():
    aura, central = start("reboot-required", "reuses-message-ids")
    call = {"key": "WebSocketPingInterval", "value": "60"}
    assert central.call("ChangeConfiguration", call) == {"status": "RebootRequired"}
    assert central.ids[0] == "1000001"
    aura.disconnected()
    aura.reboot()
    aura.advance(10)
    central.connect()
    assert central.ids.count("1000001") == 2


def test_remote_start_accepted_but_nothing_happens():
    aura, central = start("ignores-remote-start", FreeCharging="false")
    aura.plug(1, Car())
    assert central.call("RemoteStartTransaction", {"connectorId": 1, "idTag": "A"}) == {"status": "Accepted"}
    central.run(120)
    assert not central.of("StartTransaction")


def test_status_before_stop():
    _, central = start("status-before-stop")
    session(central)
    order = [(a, p.get("status")) for a, p in central.calls]
    assert order.index(("StopTransaction", None)) == len(order) - 1
    assert order[-2] == ("StatusNotification", "Available")


def test_combining_keeps_every_difference():
    mixed = combine(["watts-only", "few-periods", "kwh"])
    assert mixed.abilities.units == ("W",)
    assert mixed.abilities.max_periods == 6
    assert mixed.energy_unit == "kWh"
    assert mixed.configuration["ChargingScheduleMaxPeriods"] == "6"
    with pytest.raises(KeyError):
        combine(["nobody"])
