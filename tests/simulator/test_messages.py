"""Every call a central system may make, well-formed and not, and what the charger says by itself."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from chargeamps.simulator.car import Car
from chargeamps.simulator.requests import REQUESTS
from chargeamps.simulator.wire import address, authorization, redacted
from tests.simulator.central import MONDAY, Central, default_profile, make


def start(*personas, **configuration):
    aura = make(*personas, configuration=configuration)
    return aura, Central(aura).connect()


def test_boot_says_who_it_is_and_reports_every_connector():
    aura, central = start()
    assert [a for a, _ in central.calls] == [
        "BootNotification", "SecurityEventNotification", "StatusNotification", "StatusNotification",
        "StatusNotification",
    ]  # fmt: skip
    boot = central.of("BootNotification")[0]
    assert (boot["chargePointVendor"], boot["chargePointModel"]) == ("Charge Amps", "AURA")
    assert boot["chargePointSerialNumber"] == aura.identity
    assert central.of("SecurityEventNotification")[0]["type"] == "StartupOfTheDevice"
    assert [p["connectorId"] for p in central.of("StatusNotification")] == [0, 1, 2]


def test_until_it_is_accepted_it_only_asks_again():
    aura = make()
    refusal = {"status": "Rejected", "currentTime": "2026-11-23T00:00:00Z", "interval": 40}
    central = Central(aura, BootNotification=refusal).connect()
    central.run(100)
    assert [a for a, _ in central.calls] == ["BootNotification"] * 3
    assert central.call("GetConfiguration") is None
    central.answers["BootNotification"] = refusal | {"status": "Pending"}
    central.run(40)
    assert "configurationKey" in central.call("GetConfiguration")
    central.call("TriggerMessage", {"requestedMessage": "Heartbeat"})
    central.run(1)
    assert central.calls[-1][0] == "Heartbeat"


def test_the_clock_follows_the_server():
    aura = make(start=MONDAY)
    aura.clock.offset = -5000.0
    central = Central(aura).connect()
    assert aura.clock.now() == MONDAY
    aura.clock.offset = 30.0
    central.run(301)
    assert abs(aura.clock.now() - aura.clock.world) < 1
    assert "SettingSystemTime" in [p["type"] for p in central.of("SecurityEventNotification")]


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("MakeCoffee", {}, "NotImplemented"),
        ("ReserveNow", {}, "NotSupported"),
        ("Reset", [], "FormationViolation"),
        ("Reset", {}, "ProtocolError"),
        ("Reset", {"type": "Soft", "why": "x"}, "FormationViolation"),
        ("Reset", {"type": 1}, "TypeConstraintViolation"),
        ("Reset", {"type": "Gentle"}, "PropertyConstraintViolation"),
        ("UnlockConnector", {"connectorId": True}, "TypeConstraintViolation"),
        ("UnlockConnector", {"connectorId": 0}, "PropertyConstraintViolation"),
        ("RemoteStartTransaction", {"idTag": "X" * 21}, "PropertyConstraintViolation"),
        ("GetConfiguration", {"key": [7]}, "TypeConstraintViolation"),
        ("SetChargingProfile", {"connectorId": 0, "csChargingProfiles": {}}, "ProtocolError"),
    ],
)
def test_malformed_calls_get_the_error_the_standard_names(action, payload, code):
    _, central = start()
    assert central.call(action, payload) == code


def test_garbage_does_not_disturb_it():
    aura, central = start()
    for text in ("", "{}", "[]", "[2]", "[9,1,2]", '[3,"nobody",{}]', "[" * 20_000, b"\xff", '[2,7,"Reset",{}]'):
        aura.receive(text)
    aura.receive('[2,"x","Reset"]')
    central.settle()
    assert central.results["x"][2] == "FormationViolation"
    assert central.call("ClearCache") == {"status": "Accepted"}


VALID = {
    "ChangeAvailability": {"connectorId": 1, "type": "Operative"},
    "ChangeConfiguration": {"key": "LightIntensity", "value": "10"},
    "DataTransfer": {"vendorId": "x"},
    "DeleteCertificate": {"certificateHashData": {"hashAlgorithm": "SHA256", "issuerNameHash": "0",
                                                  "issuerKeyHash": "0", "serialNumber": "0"}},
    "ExtendedTriggerMessage": {"requestedMessage": "Heartbeat"},
    "GetCompositeSchedule": {"connectorId": 1, "duration": 60},
    "GetDiagnostics": {"location": "https://example.org/"},
    "GetInstalledCertificateIds": {"certificateType": "CentralSystemRootCertificate"},
    "GetLog": {"logType": "SecurityLog", "requestId": 1, "log": {"remoteLocation": "https://example.org/"}},
    "InstallCertificate": {"certificateType": "CentralSystemRootCertificate", "certificate": "x"},
    "CertificateSigned": {"certificateChain": "x"},
    "RemoteStartTransaction": {"idTag": "A"},
    "RemoteStopTransaction": {"transactionId": 1},
    "Reset": {"type": "Soft"},
    "SendLocalList": {"listVersion": 1, "updateType": "Full"},
    "SetChargingProfile": {"connectorId": 0, "csChargingProfiles": default_profile([(0, 6)])},
    "SignedUpdateFirmware": {"requestId": 1, "firmware": {
        "location": "https://example.org/f", "retrieveDateTime": "2026-11-23T00:00:00Z", "signature": "x",
        "signingCertificate": "-----BEGIN CERTIFICATE-----"}},
    "TriggerMessage": {"requestedMessage": "StatusNotification"},
    "UnlockConnector": {"connectorId": 1},
    "UpdateFirmware": {"location": "https://example.org/f", "retrieveDate": "2026-11-23T00:00:00Z"},
}  # fmt: skip


@pytest.mark.parametrize("action", sorted(set(REQUESTS) - {"ReserveNow", "CancelReservation"}))
def test_every_call_has_an_answer(action):
    _, central = start()
    assert isinstance(central.call(action, VALID.get(action, {})), dict)
    central.run(60)


def test_configuration_reads_and_writes():
    aura, central = start()
    everything = {row["key"]: row for row in central.call("GetConfiguration")["configurationKey"]}
    assert everything["MaxCurrent"] == {"key": "MaxCurrent", "readonly": True, "value": "0.32,1.32,2.32"}
    assert everything["LocalAuthListMaxLength"]["value"] == "60"
    assert not {"AuthorizationKey", "WifiPassword"} & set(everything)
    answer = central.call("GetConfiguration", {"key": ["HeartbeatInterval", "Nonsense", "AuthorizationKey"]})
    assert answer["unknownKey"] == ["Nonsense"]
    assert [("value" in row) for row in answer["configurationKey"]] == [True, False]

    def write(key, value):
        return central.call("ChangeConfiguration", {"key": key, "value": value})["status"]

    assert write("lightintensity", "55") == "Accepted"
    assert write("LightIntensity", "101") == "Rejected"
    assert write("MaxCurrent", "1.6") == "Rejected"
    assert write("Nonsense", "1") == "NotSupported"
    assert write("WifiPassword", "secret-canary") == "RebootRequired"
    assert write("MeterValuesSampledData", "Energy.Active.Import.Register,SoC") == "Rejected"
    assert "secret-canary" not in json.dumps(central.call("GetConfiguration"))
    aura.reboot()
    aura.advance(10)
    assert aura.configuration["LightIntensity"] == "55"


def test_a_new_key_is_taken_hidden_and_kept():
    aura, central = start()
    for value, status in (("zz" * 16, "Rejected"), ("00" * 15, "Rejected"), ("00" * 21, "Rejected"),
                          ("a1" * 16, "Accepted")):  # fmt: skip
        assert central.call("ChangeConfiguration", {"key": "AuthorizationKey", "value": value}) == {"status": status}
    assert aura.key == bytes.fromhex("a1" * 16)
    central.run(2)
    assert aura.reconnect_wanted
    assert central.of("SecurityEventNotification")[-1]["type"] == "ReconfigurationOfSecurityParameters"
    aura.reboot()
    aura.advance(10)
    assert aura.key == bytes.fromhex("a1" * 16)
    assert "a1" * 16 not in json.dumps(central.calls)


def test_one_second_metering_is_exact():
    aura, central = start(MeterValueSampleInterval="1")
    aura.plug(1, Car())
    central.run(61)
    values = central.of("MeterValues")
    assert len(values) == 60
    first, last = (int(v["meterValue"][0]["sampledValue"][0]["value"]) for v in (values[0], values[-1]))
    assert last - first == pytest.approx(aura.outlets[1].meter.true_wh, abs=1)
    assert [s["measurand"] for s in values[0]["meterValue"][0]["sampledValue"]] == (
        ["Energy.Active.Import.Register", "Power.Active.Import"] + ["Current.Import"] * 3 + ["Current.Offered"]
        + ["Voltage"] * 3
    )  # fmt: skip
    central.call("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "10"})
    central.forget()
    central.run(60)
    assert len(central.of("MeterValues")) == 6


def test_clock_aligned_readings_come_on_the_quarter():
    aura, central = start(ClockAlignedDataInterval="900")
    central.run(100)
    central.call("ChangeConfiguration", {"key": "ClockAlignedDataInterval", "value": "900"})
    central.run(3600)
    stamps = [p["meterValue"][0]["timestamp"][11:16] for p in central.of("MeterValues") if p["connectorId"] == 1]
    assert stamps == ["00:15", "00:30", "00:45", "01:00"]
    assert all("transactionId" not in p for p in central.of("MeterValues"))
    assert aura.online


def test_triggers_answer_first_and_send_afterwards():
    _, central = start()
    central.forget()
    assert central.call("TriggerMessage", {"requestedMessage": "StatusNotification"}) == {"status": "Accepted"}
    central.run(1)
    assert [p["connectorId"] for p in central.of("StatusNotification")] == [0, 1, 2]
    central.forget()
    central.call("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 2})
    central.run(1)
    assert central.of("MeterValues")[0]["connectorId"] == 2
    assert central.call("TriggerMessage", {"requestedMessage": "Heartbeat", "connectorId": 9})["status"] == "Rejected"


def test_logs_and_firmware_report_their_steps():
    aura, central = start()
    central.call("GetLog", VALID["GetLog"])
    central.run(20)
    assert [p["status"] for p in central.of("LogStatusNotification")] == ["Uploading", "Uploaded"]
    central.call("UpdateFirmware", {"location": "https://example.org/aura-190.bin",
                                    "retrieveDate": "2026-11-23T00:10:00Z"})  # fmt: skip
    central.run(500)
    assert not central.of("FirmwareStatusNotification")
    central.run(120)
    assert [p["status"] for p in central.of("FirmwareStatusNotification")] == ["Downloading", "Downloaded",
                                                                               "Installing"]  # fmt: skip
    aura.disconnected()
    central.connect().run(10)
    assert central.of("FirmwareStatusNotification")[-1]["status"] == "Installed"
    assert central.of("BootNotification")[-1]["firmwareVersion"] == "190"
    assert aura.configuration["FirmwareVersion"] == "190"


def test_signed_firmware_carries_its_request_and_can_be_refused():
    _, central = start("firmware-bad-signature")
    assert central.call("SignedUpdateFirmware", VALID["SignedUpdateFirmware"]) == {"status": "Accepted"}
    central.run(30)
    steps = central.of("SignedFirmwareStatusNotification")
    assert [p["status"] for p in steps] == ["Downloading", "Downloaded", "InvalidSignature"]
    assert {p["requestId"] for p in steps} == {1}


def test_security_events_wait_for_the_connection():
    aura, central = start()
    aura.disconnected()
    aura.tamper()
    aura.advance(100)
    aura.reboot()
    aura.advance(10)
    central.forget()
    central.connect()
    events = central.of("SecurityEventNotification")
    assert [e["type"] for e in events] == ["TamperDetectionActivated", "StartupOfTheDevice"]
    assert events[0]["timestamp"] == "2026-11-23T00:00:00Z"


def test_the_composite_schedule_is_what_it_will_offer():
    aura, central = start()
    profile = default_profile([(0, 0), (1800, 10), (3600, 32)])
    central.call("SetChargingProfile", {"connectorId": 0, "csChargingProfiles": profile})
    answer = central.call("GetCompositeSchedule", {"connectorId": 1, "duration": 7200, "chargingRateUnit": "A"})
    periods = [(p["startPeriod"], p["limit"]) for p in answer["chargingSchedule"]["chargingSchedulePeriod"]]
    assert periods == [(0, 0), (1800, 10), (3600, 32)]
    whole = central.call("GetCompositeSchedule", {"connectorId": 0, "duration": 7200, "chargingRateUnit": "W"})
    periods = [(p["startPeriod"], p["limit"]) for p in whole["chargingSchedule"]["chargingSchedulePeriod"]]
    assert periods == [(0, 0), (1800, 13_800), (3600, 22_080)]
    aura.plug(1, Car(max_a=32))
    seen = []
    for _ in range(72):
        central.run(100)
        seen.append(aura.outlets[1].offered_a)
    assert (seen[16], seen[18], seen[34], seen[36]) == (0, 10, 10, 32)


def test_root_certificates_are_named_by_their_hashes_and_the_last_one_stays():
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Root")])
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(0x1234).not_valid_before(begin).not_valid_after(begin + timedelta(days=900))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    point = key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    _, central = start()
    kind = {"certificateType": "CentralSystemRootCertificate"}
    assert central.call("GetInstalledCertificateIds", kind) == {"status": "NotFound"}
    assert central.call("InstallCertificate", kind | {"certificate": pem}) == {"status": "Accepted"}
    found = central.call("GetInstalledCertificateIds", kind)["certificateHashData"]
    assert found == [
        {
            "hashAlgorithm": "SHA256",
            "issuerNameHash": hashlib.sha256(name.public_bytes()).hexdigest(),
            "issuerKeyHash": hashlib.sha256(point).hexdigest(),
            "serialNumber": "1234",
        }
    ]
    assert central.call("DeleteCertificate", {"certificateHashData": found[0]}) == {"status": "Failed"}
    assert central.call("InstallCertificate", kind | {"certificate": pem[:200]}) == {"status": "Rejected"}


def test_the_basic_header_of_the_standards_example():
    key = bytes.fromhex("0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF")
    assert authorization("AL1000", key) == "Basic QUwxMDAwOgABAgMEBQYH////////////////"
    assert base64.b64decode(authorization("A", b"\xab\xcd", "hex-upper")[6:]) == b"A:ABCD"
    assert base64.b64decode(authorization("A", b"\xab\xcd", "hex-lower")[6:]) == b"A:abcd"


def test_the_identity_ends_the_url_once():
    assert address("wss://h:8443/ocpp", "A 1") == "wss://h:8443/ocpp/A%201"
    assert address("wss://h:8443/ocpp/", "A1") == "wss://h:8443/ocpp/A1"
    assert address("wss://h:8443/ocpp/A1", "A1") == "wss://h:8443/ocpp/A1"


def test_frames_are_logged_without_secrets():
    frame = '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"00ff"}]'
    assert redacted(frame) == frame.replace("00ff", "***")
    assert redacted('{"value": "12"}') == '{"value": "12"}'
