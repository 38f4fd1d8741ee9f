"""The life of a transaction, on line and off."""

from __future__ import annotations

import json

import pytest

from chargeamps.simulator.car import Car
from tests.simulator.central import Central, default_profile, make

LOCKED = {"FreeCharging": "false"}


def start(**answers):
    aura = make(configuration=LOCKED)
    return aura, Central(aura, **answers).connect()


def test_free_charging_starts_by_itself_and_ends_with_the_plug():
    aura = make()
    central = Central(aura).connect()
    aura.plug(1, Car())
    central.run(60)
    aura.unplug(1)
    central.settle()
    started, stopped = central.of("StartTransaction")[0], central.of("StopTransaction")[0]
    assert (started["idTag"], started["meterStart"]) == ("00000000000000", 0)
    assert (stopped["transactionId"], stopped["reason"]) == (101, "EVDisconnected")
    assert stopped["meterStop"] == aura.outlets[1].meter.register_wh > 0
    assert central.statuses(1) == ["Available", "Preparing", "SuspendedEV", "Charging", "Available"]
    order = [a for a, _ in central.calls]
    assert order.index("StopTransaction") == len(order) - 2


def test_with_the_lock_on_a_card_starts_and_stops():
    aura, central = start()
    aura.plug(1, Car())
    central.run(30)
    assert central.statuses(1)[-1] == "Preparing"
    assert aura.tap("CARD1") == "ask"
    central.run(30)
    assert central.of("StartTransaction")[0]["idTag"] == "CARD1"
    assert aura.tap("OTHER", 1) == "refuse"
    assert aura.tap("CARD1", 1) == "stop"
    central.settle()
    assert central.of("StopTransaction")[0] | {"timestamp": ""} == {
        "transactionId": 101,
        "reason": "Local",
        "idTag": "CARD1",
        "meterStop": aura.outlets[1].meter.register_wh,
        "timestamp": "",
    }
    assert central.statuses(1)[-1] == "Finishing"


def test_a_refused_card_starts_nothing():
    aura, central = start(Authorize={"idTagInfo": {"status": "Invalid"}})
    aura.plug(1, Car())
    aura.tap("CARD1")
    central.run(60)
    assert not central.of("StartTransaction")


@pytest.mark.parametrize(("stops", "status"), [("true", "Finishing"), ("false", "SuspendedEVSE")])
def test_a_tag_invalid_at_start_gets_no_energy(stops, status):
    info = {"transactionId": 5, "idTagInfo": {"status": "Blocked"}}
    aura = make(configuration={"StopTransactionOnInvalidId": stops})
    central = Central(aura, StartTransaction=info).connect()
    aura.plug(1, Car())
    central.run(60)
    assert aura.outlets[1].status == status
    assert aura.outlets[1].meter.true_wh == 0
    assert [p["reason"] for p in central.of("StopTransaction")] == (["DeAuthorized"] if stops == "true" else [])


def test_remote_start_with_a_profile_that_dies_with_its_transaction():
    aura, central = start()
    every_day = {"connectorId": 0, "csChargingProfiles": default_profile([(0, 0)])}
    assert central.call("SetChargingProfile", every_day) == {"status": "Accepted"}
    aura.plug(2, Car())
    profile = default_profile([(0, 10)], purpose="TxProfile", profile_id=2, recurrency=None, start=None, duration=None)
    request = {"connectorId": 2, "idTag": "APP", "chargingProfile": profile}
    assert central.call("RemoteStartTransaction", request) == {"status": "Accepted"}
    central.run(30)
    assert aura.outlets[2].drawn_a == 10
    assert [p.transaction_id for p in aura.profiles.profiles] == [None, 101]
    assert central.call("RemoteStopTransaction", {"transactionId": 100}) == {"status": "Rejected"}
    assert central.call("RemoteStopTransaction", {"transactionId": 101}) == {"status": "Accepted"}
    central.run(5)
    assert central.of("StopTransaction")[0]["reason"] == "Remote"
    assert [p.id for p in aura.profiles.profiles] == [1]


def test_remote_start_without_a_car_waits_for_connection_timeout():
    aura, central = start()
    central.call("RemoteStartTransaction", {"connectorId": 1, "idTag": "APP"})
    central.run(59)
    assert central.statuses(1)[-1] == "Preparing"
    central.run(3)
    assert central.statuses(1)[-1] == "Available"
    aura.plug(1, Car())
    central.run(10)
    assert not central.of("StartTransaction")


def test_a_txprofile_needs_its_transaction():
    aura, central = start()
    profile = default_profile([(0, 10)], purpose="TxProfile", transactionId=101)
    request = {"connectorId": 1, "csChargingProfiles": profile}
    assert central.call("SetChargingProfile", request) == {"status": "Rejected"}
    aura.plug(1, Car())
    aura.tap("CARD")
    central.run(10)
    assert central.call("SetChargingProfile", request) == {"status": "Accepted"}
    profile["transactionId"] = 5
    assert central.call("SetChargingProfile", request) == {"status": "Rejected"}


def test_what_happened_off_line_is_told_in_order_afterwards():
    aura = make(configuration={"MeterValueSampleInterval": "60"})
    central = Central(aura).connect()
    aura.disconnected()
    aura.plug(1, Car())
    aura.advance(200)
    aura.unplug(1)
    aura.plug(1, Car())
    aura.advance(100)
    central.forget()
    central.connect()
    told = [(a, p.get("transactionId")) for a, p in central.calls if "Transaction" in a or a == "MeterValues"]
    assert told == [
        ("StartTransaction", None), ("MeterValues", 101), ("MeterValues", 101), ("MeterValues", 101),
        ("StopTransaction", 101), ("StartTransaction", None), ("MeterValues", 102),
    ]  # fmt: skip
    times = [p["timestamp"] for a, p in central.calls if a in ("StartTransaction", "StopTransaction")]
    assert times == ["2026-11-23T00:00:01Z", "2026-11-23T00:03:20Z", "2026-11-23T00:03:21Z"]


def test_the_queue_survives_a_power_cut_and_the_transaction_ends_by_it():
    aura = make()
    central = Central(aura).connect()
    aura.disconnected()
    aura.plug(1, Car())
    aura.advance(45)
    register = aura.outlets[1].meter.register_wh
    aura.reboot()
    aura.advance(30)
    central.forget()
    central.connect()
    told = [a for a, _ in central.calls if "Transaction" in a]
    assert told == ["StartTransaction", "StopTransaction", "StartTransaction"]
    assert central.of("StopTransaction")[0]["reason"] == "PowerLoss"
    assert central.of("StopTransaction")[0]["meterStop"] == register
    assert central.of("StartTransaction")[1]["meterStart"] == register


def test_a_central_system_that_fails_is_tried_again_and_then_given_up():
    aura = make(configuration={"TransactionMessageRetryInterval": "10", "MeterValueSampleInterval": "0"})
    central = Central(aura, StartTransaction="InternalError").connect()
    aura.plug(1, Car())
    central.run(9)
    assert len(central.of("StartTransaction")) == 1
    central.run(200)
    assert len(central.of("StartTransaction")) == 3
    assert len(set(central.ids)) == len(central.ids)
    aura.unplug(1)
    central.settle()
    assert central.of("StopTransaction")[0]["transactionId"] == -1


def test_silence_loses_nothing():
    aura = make(configuration={"MeterValueSampleInterval": "0"})
    central = Central(aura, StopTransaction=None).connect()
    aura.plug(1, Car())
    central.run(60)
    aura.unplug(1)
    central.run(400)
    assert len(central.of("StopTransaction")) >= 4
    assert len({json.dumps(p) for p in central.of("StopTransaction")}) == 1
    del central.answers["StopTransaction"]
    central.run(100)
    assert aura.dump_memory()["queue"] == []


def test_off_line_the_charger_knows_its_own_people():
    aura, central = start()
    rows = [
        {"idTag": "Family", "idTagInfo": {"status": "Accepted"}},
        {"idTag": "LOST", "idTagInfo": {"status": "Blocked"}},
        {"idTag": "OLD", "idTagInfo": {"status": "Accepted", "expiryDate": "2026-01-01T00:00:00Z"}},
    ]
    request = {"listVersion": 3, "updateType": "Full", "localAuthorizationList": rows}
    assert central.call("SendLocalList", request) == {"status": "Accepted"}
    assert central.call("GetLocalListVersion") == {"listVersion": 3}
    aura.disconnected()
    aura.reboot()
    aura.advance(20)
    aura.plug(1, Car())
    assert [aura.tap(t) for t in ("LOST", "OLD", "STRANGER")] == ["refuse"] * 3
    assert aura.tap("FAMILY") == "start"
    assert aura.outlets[1].transaction is not None


def test_local_list_updates():
    aura, central = start()

    def send(version, kind, rows):
        request = {"listVersion": version, "updateType": kind, "localAuthorizationList": rows}
        return central.call("SendLocalList", request)["status"]

    def row(tag):
        return {"idTag": tag, "idTagInfo": {"status": "Accepted"}}

    assert send(1, "Full", [row(f"T{n}") for n in range(10)]) == "Accepted"
    assert send(2, "Full", [row(f"T{n}") for n in range(11)]) == "Failed"
    assert send(1, "Differential", [row("NEW")]) == "VersionMismatch"
    assert send(2, "Differential", [row("NEW"), {"idTag": "T0"}]) == "Accepted"
    assert len(aura.local_list.entries) == 10
    for turn in range(5):
        assert send(3 + turn, "Differential", [row(f"X{turn}{n}") for n in range(10)]) == "Accepted"
    assert send(9, "Differential", [row("ONE-TOO-MANY")]) == "Failed"
    assert aura.local_list.version == 7


def test_availability_waits_for_the_transaction_and_survives_a_reboot():
    aura = make()
    central = Central(aura).connect()
    aura.plug(1, Car())
    central.run(10)
    request = {"connectorId": 0, "type": "Inoperative"}
    assert central.call("ChangeAvailability", request) == {"status": "Scheduled"}
    assert central.statuses(2)[-1] == "Unavailable"
    assert aura.outlets[1].transaction is not None
    aura.unplug(1)
    central.settle()
    assert central.statuses(1)[-1] == central.statuses(0)[-1] == "Unavailable"
    aura.reboot()
    aura.advance(10)
    assert aura.outlets[1].status == "Unavailable"


def test_resets_end_transactions_each_in_its_way():
    for kind, reason in (("Soft", "SoftReset"), ("Hard", "HardReset")):
        aura = make()
        central = Central(aura).connect()
        aura.plug(1, Car())
        central.run(30)
        assert central.call("Reset", {"type": kind}) == {"status": "Accepted"}
        central.run(20)
        assert aura.link_wanted
        aura.disconnected()
        central.connect()
        assert [p["reason"] for p in central.of("StopTransaction")] == [reason]
        assert "ResetOrReboot" in [p["type"] for p in central.of("SecurityEventNotification")]


def test_a_fault_ends_charging():
    aura = make()
    central = Central(aura).connect()
    aura.plug(1, Car())
    central.run(10)
    aura.set_fault(1, "GroundFailure")
    central.settle()
    assert central.of("StatusNotification")[-1] == {
        "connectorId": 1,
        "errorCode": "GroundFailure",
        "status": "Faulted",
    }
    aura.set_fault(1, None)
    central.settle()
    assert central.statuses(1)[-1] == "Finishing"
