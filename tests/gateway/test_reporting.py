"""What a charger reports is what is shown: statuses, figures, and everything odd about them."""

from datetime import timedelta

import pytest
import time_machine

from chargeamps.chargers.models import ChargePoint, Connector
from chargeamps.common import clock
from chargeamps.gateway.actions import KNOWN, STATUSES
from chargeamps.securitylog.models import Entry
from tests.gateway.box import NOW, Box, stamp


@pytest.fixture(autouse=True)
def at_a_fixed_time():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def box(cast) -> Box:
    return Box(cast.aura, cast.aura_key)


def socket(cast, number: int = 1) -> Connector:
    return cast.aura.connectors.get(number=number)


@pytest.mark.parametrize("action", sorted(KNOWN))
def test_every_action_has_a_result_even_with_nothing_in_it(box, action):
    assert isinstance(box.say(action, {}), dict)


class TestStatus:
    @pytest.mark.parametrize("status", sorted(STATUSES))
    def test_is_kept_with_its_time(self, cast, box, status):
        box.status(status, at=NOW - timedelta(minutes=3))
        assert (socket(cast).status, socket(cast).status_since) == (status, NOW - timedelta(minutes=3))
        assert socket(cast, 2).status == ""

    def test_repeated_keeps_its_first_time(self, cast, box, at_a_fixed_time):
        box.status("Preparing")
        at_a_fixed_time.shift(60)
        box.status("Preparing")
        assert socket(cast).status_since == NOW

    @pytest.mark.parametrize("timestamp", ["1970-01-01T00:00:00Z", "nonsense", 7, None, [], "2099-01-01T00:00:00Z"])
    def test_with_an_implausible_time_is_dated_by_its_arrival(self, cast, box, timestamp):
        box.status("Preparing", timestamp=timestamp)
        assert socket(cast).status_since == NOW

    @pytest.mark.parametrize("status", ["Dancing", "", None, 7, ["Available"], "available", "x" * 500])
    def test_unknown_changes_nothing(self, cast, box, status):
        box.status("Charging")
        box.status(status)
        assert socket(cast).status == "Charging"
        assert "not-used" in box.flags

    @pytest.mark.parametrize("connector", [-1, 3, 99, 10**30, "x", None, [], {}, 1.5e300])
    def test_of_no_socket_changes_nothing(self, cast, box, connector):
        before = list(Connector.objects.values())
        box.status("Faulted", connector=connector)
        assert list(Connector.objects.values()) == before
        assert "not-used" in box.flags

    def test_with_its_number_as_text_is_understood(self, cast, box):
        box.status("Charging", connector="2")
        assert socket(cast, 2).status == "Charging"

    def test_of_the_box_is_the_box_s(self, cast, box):
        box.status("Faulted", connector=0)
        assert ChargePoint.objects.get(pk=cast.aura.pk).status == "Faulted"
        assert socket(cast).status == ""

    def test_carries_its_error(self, cast, box):
        box.status("Faulted", errorCode="GroundFailure", vendorErrorCode=0, info="\x00<b>")
        found = socket(cast)
        assert (found.error_code, found.vendor_error_code) == ("GroundFailure", "0")
        assert "\x00" not in found.info


class TestFigures:
    def test_are_the_newest_that_were_measured(self, cast, box):
        box.status("Charging")
        box.meter(power_w=7000, at=NOW - timedelta(seconds=10))
        box.meter(power_w=3000, at=NOW - timedelta(seconds=20))
        assert (socket(cast).power_w, socket(cast).measured) == (7000, NOW - timedelta(seconds=10))

    @pytest.mark.parametrize("status", ["SuspendedEVSE", "SuspendedEV", "Finishing", "Available", "Faulted"])
    def test_are_nought_once_nothing_flows(self, cast, box, status):
        box.status("Charging")
        box.meter(power_w=7000)
        box.status(status)
        assert (socket(cast).power_w, socket(cast).current_a) == (0, 0)

    def test_are_unknown_until_the_first_reading(self, cast, box):
        box.status("SuspendedEVSE")
        box.status("Charging")
        assert socket(cast).power_w is None
        box.meter(power_w=7000)
        box.status("Charging")
        assert socket(cast).power_w == 7000

    def test_of_a_charger_whose_clock_is_a_day_behind_are_shown(self, cast, box):
        box.status("Preparing")
        box.status("Charging")
        for minutes in (0, 1):
            box.meter(power_w=7000 + minutes, at=NOW - timedelta(days=1, minutes=-minutes))
        assert socket(cast).power_w == 7001

    @pytest.mark.parametrize("connector", [0, -1, 3, None, "x", 10**30])
    def test_of_no_socket_change_nothing(self, cast, box, connector):
        before = list(Connector.objects.values())
        box.meter(power_w=7000, connector=connector)
        assert list(Connector.objects.values()) == before


class TestBoot:
    def test_says_what_it_is(self, cast, box):
        answer = box.say(
            "BootNotification",
            {
                "chargePointVendor": "Charge Amps",
                "chargePointModel": "AURA",
                "chargePointSerialNumber": "S" * 500,
                "firmwareVersion": "180",
                "iccid": None,
                "colour": "red",
            },
        )
        assert (answer["status"], answer["currentTime"]) == ("Accepted", stamp(NOW))
        assert answer["interval"] > 0
        found = ChargePoint.objects.get(pk=cast.aura.pk)
        assert (found.vendor, found.model, found.firmware_version) == ("Charge Amps", "AURA", "180")
        assert found.serial_number == "S" * 100
        assert found.boot_notification["colour"] == "red"

    def test_with_hostile_names_is_stored_all_the_same(self, cast, box):
        hostile = {"a\x00b": "x", "\ud800": "y", "k" * 5000: "z", "vendor": {"a": [1]}}
        box.say("BootNotification", {"chargePointVendor": "V", **hostile})
        assert ChargePoint.objects.get(pk=cast.aura.pk).vendor == "V"
        assert all(len(flag) < 100 for flag in box.flags)


@pytest.mark.requirement("S1-30")
class TestSecurityEvents:
    def test_are_in_the_log_with_both_times(self, cast, box):
        occurred = NOW - timedelta(hours=2)
        box.say(
            "SecurityEventNotification",
            {"type": "TamperDetectionActivated", "timestamp": stamp(occurred), "techInfo": "cover"},
        )
        entry = Entry.objects.get(kind="charger-event")
        assert (entry.time, entry.charge_point) == (clock.now(), str(cast.aura.pk))
        assert entry.detail == {
            "type": "TamperDetectionActivated",
            "tech_info": "cover",
            "occurred": stamp(occurred),
        }

    @pytest.mark.parametrize("payload", [{}, {"type": None}, {"type": ["x"], "timestamp": 7}, {"type": "\x00" * 99}])
    def test_of_odd_form_are_in_the_log_too(self, box, payload):
        assert box.say("SecurityEventNotification", payload) == {}
        assert Entry.objects.filter(kind="charger-event").count() == 1
