"""Charging sessions from OCPP transactions: once each, in whatever order they come, and only one's own."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from chargeamps.chargers.models import ChargePoint
from chargeamps.chargers.services.credentials import issue_key
from chargeamps.chargers.services.registration import register_charge_point
from chargeamps.common.ids import new_transaction_id
from chargeamps.gateway.actions import KNOWN
from chargeamps.schedules.models import Override
from chargeamps.usage.models import ChargingSession
from chargeamps.usage.services import FREE_CHARGING_ID_TAG
from tests.gateway.box import NOW, Box, stamp


@pytest.fixture(autouse=True)
def at_a_fixed_time():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def box(cast):
    ChargePoint.objects.filter(pk=cast.aura.pk).update(free_charging=True)
    return Box(cast.aura, cast.aura_key)


@pytest.fixture
def other(cast):
    """Another site's charge point, on line."""
    return Box(cast.work_aura, issue_key(cast.work_aura))


def only_session() -> ChargingSession:
    return ChargingSession.objects.get()


START = {"connectorId": 1, "idTag": "A", "meterStart": 1000, "timestamp": stamp(NOW)}


@pytest.mark.requirement("R9-11")
def test_the_same_start_sent_again_is_the_same_transaction(box):
    answers = [box.say("StartTransaction", START) for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert only_session().transaction_id == answers[0]["transactionId"]


@pytest.mark.parametrize(
    "change", [{"meterStart": 1001}, {"idTag": "B"}, {"timestamp": stamp(NOW - timedelta(seconds=1))}]
)
def test_another_start_is_another_transaction(box, change):
    first = box.say("StartTransaction", START)
    second = box.say("StartTransaction", START | change)
    assert first["transactionId"] != second["transactionId"]
    assert ChargingSession.objects.count() == 2


def test_the_same_start_on_the_other_socket_is_another_transaction(box):
    first = box.say("StartTransaction", START)
    assert box.say("StartTransaction", START | {"connectorId": 2}) != first


def test_a_start_repeated_with_numbers_as_text_is_still_the_same(box):
    first = box.say("StartTransaction", START)
    assert box.say("StartTransaction", START | {"connectorId": "1", "meterStart": "1000"}) == first
    assert ChargingSession.objects.count() == 1


def test_a_whole_session(box, at_a_fixed_time):
    number = box.start(meter=1000)
    at_a_fixed_time.shift(timedelta(minutes=30))
    box.meter(wh=2500, power_w=3000, number=number)
    assert only_session().energy_import_wh == 1500
    at_a_fixed_time.shift(timedelta(minutes=30))
    box.stop(number, meter=4600)
    session = only_session()
    assert session.energy_import_wh == 3600
    assert (session.started, session.stopped) == (NOW, NOW + timedelta(hours=1))
    assert session.flags == []


def test_a_stop_sent_again_changes_nothing(box):
    number = box.start(meter=1000)
    box.stop(number, meter=3000)
    box.stop(number, meter=9000, at=NOW + timedelta(minutes=1))
    session = only_session()
    assert (session.energy_import_wh, session.stopped) == (2000, NOW)


@pytest.mark.parametrize("number", [None, -1, 0, 1, 123456789, 2**31, 2**63 - 1, -(2**40), "x", [], {}, True])
def test_a_stop_of_no_transaction_of_ours_is_answered_and_changes_nothing(box, number):
    running = box.start()
    box.stop(number)
    assert "no-such-transaction" in box.flags
    assert ChargingSession.objects.get(transaction_id=running).stopped is None


def test_a_stop_whose_number_came_as_text_is_understood(box):
    number = box.start()
    box.stop(str(number))
    assert only_session().stopped is not None


@pytest.mark.requirement("R9-11")
def test_a_stop_that_came_before_its_start_is_given_to_it(box):
    week_ago = NOW - timedelta(days=7)
    for _ in range(2):
        box.stop(-1, meter=9000, at=week_ago + timedelta(hours=1))
    box.start(meter=1000, at=week_ago)
    session = only_session()
    assert (session.energy_import_wh, session.stopped) == (8000, week_ago + timedelta(hours=1))
    assert "stop-came-before-start" in session.flags
    box.start(meter=9000, at=week_ago + timedelta(minutes=30))
    assert ChargingSession.objects.filter(stopped=None).count() == 1, "one stop ends one session"


def test_a_stop_of_nothing_ends_no_session_that_begins_later(box):
    box.stop(123456789, meter=9000, at=NOW - timedelta(hours=1))
    box.start(meter=1000)
    assert only_session().stopped is None


def test_a_stop_that_comes_a_week_late_closes_its_session_at_its_own_time(box, at_a_fixed_time):
    number = box.start(meter=1000)
    at_a_fixed_time.shift(timedelta(days=7))
    box.stop(number, meter=3000, at=NOW + timedelta(hours=2))
    session = only_session()
    assert (session.stopped, session.energy_import_wh) == (NOW + timedelta(hours=2), 2000)
    assert session.stop_received == NOW + timedelta(days=7)


@pytest.mark.parametrize("timestamp", [None, "1970-01-01T00:00:00Z", "nonsense"])
def test_a_start_without_a_usable_time_is_the_same_one_while_it_runs(box, timestamp, at_a_fixed_time):
    start = {"connectorId": 1, "idTag": "A", "meterStart": 1000, "timestamp": timestamp}
    first = box.say("StartTransaction", start)
    at_a_fixed_time.shift(30)
    assert box.say("StartTransaction", start) == first
    box.stop(first["transactionId"], meter=1000)
    at_a_fixed_time.shift(30)
    assert box.say("StartTransaction", start) != first
    assert ChargingSession.objects.order_by("started").first().started == NOW


@pytest.mark.requirement("R9-2")
def test_an_hour_with_a_quarter_of_an_hour_s_pause_flowed_for_45_minutes(box, at_a_fixed_time):
    box.status("Preparing", at=NOW - timedelta(minutes=5))
    number = box.start(meter=0)
    at_a_fixed_time.shift(timedelta(minutes=65))
    for status, minute in (("Charging", 0), ("SuspendedEV", 20), ("Charging", 35), ("Finishing", 60)):
        box.status(status, at=NOW + timedelta(minutes=minute))
    box.stop(number, meter=5000, at=NOW + timedelta(minutes=60))
    box.status("Available", at=NOW + timedelta(minutes=65))
    session = only_session()
    assert session.flow_seconds == 45 * 60
    assert (session.plugged_from, session.plugged_until) == (NOW - timedelta(minutes=5), NOW + timedelta(minutes=65))


@pytest.mark.requirement("R9-2")
def test_a_pause_that_no_status_tells_shows_in_the_power(box, at_a_fixed_time):
    number = box.start(meter=0)
    at_a_fixed_time.shift(timedelta(seconds=600))
    for second in range(0, 600, 10):
        box.meter(power_w=0 if 200 <= second < 300 else 7000, number=number, at=NOW + timedelta(seconds=second))
    box.stop(number, meter=1000, at=NOW + timedelta(seconds=600))
    assert only_session().flow_seconds == 500


@pytest.mark.requirement("R9-1")
def test_energy_sent_out_is_counted_by_its_own_register(box):
    number = box.start(meter=0)
    for second, wh in ((0, 500), (60, 600), (120, 720)):
        sampled = [
            {"value": str(wh), "measurand": "Energy.Active.Export.Register"},
            {"value": "7000", "measurand": "Power.Active.Export"},
        ]
        entry = {"timestamp": stamp(NOW + timedelta(seconds=second)), "sampledValue": sampled}
        box.say("MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": [entry]})
    box.stop(number, meter=0, at=NOW + timedelta(seconds=120))
    session = only_session()
    assert (session.energy_import_wh, session.energy_export_wh, session.flow_seconds) == (0, 220, 120)


def test_readings_that_stop_transaction_brings_along_count(box):
    number = box.start(meter=1000)
    entry = {"timestamp": stamp(NOW), "sampledValue": [{"value": "1800"}]}
    box.say("StopTransaction", {"transactionId": number, "timestamp": stamp(NOW), "transactionData": [entry]})
    assert only_session().energy_import_wh == 800
    assert "meter-stop-missing" in only_session().findings


def test_a_stop_before_its_start_by_the_charger_s_clock_ends_where_it_began(box):
    number = box.start()
    box.stop(number, at=NOW - timedelta(hours=1))
    session = only_session()
    assert session.stopped == session.started
    assert session.flags == ["stopped-before-start"]


def test_a_meter_that_ran_backwards_gives_no_negative_energy(box):
    number = box.start(meter=5000)
    box.stop(number, meter=10)
    session = only_session()
    assert session.energy_import_wh == 0
    assert session.findings == ["meter-stop-below-start", "reading-out-of-line"]


@pytest.mark.requirement("R9-11")
def test_readings_that_come_late_or_out_of_order_change_nothing(box):
    number = box.start(meter=0)
    box.meter(wh=500, number=number, at=NOW + timedelta(seconds=2))
    box.meter(wh=300, number=number, at=NOW + timedelta(seconds=1))
    box.meter(wh=500, number=number, at=NOW + timedelta(seconds=2))
    assert only_session().energy_import_wh == 500
    assert only_session().readings == 2
    box.stop(number, meter=800, at=NOW + timedelta(seconds=4))
    box.meter(wh=900, number=number, at=NOW + timedelta(seconds=5))
    assert only_session().energy_import_wh == 800


@pytest.mark.parametrize("number", [None, -1, 0, 2**40])
def test_readings_without_a_usable_number_go_to_the_running_session_of_their_socket(box, number):
    box.start(connector=1, meter=100)
    box.start(connector=2, meter=100)
    box.meter(wh=600, connector=2, number=number)
    energy = ChargingSession.objects.order_by("connector__number").values_list("energy_import_wh", flat=True)
    assert list(energy) == [0, 500]


@pytest.mark.parametrize("status", ["Available", "Finishing", "Faulted", "Unavailable", "Preparing"])
def test_no_status_ends_a_session(box, status):
    number = box.start()
    box.status(status)
    assert only_session().stopped is None
    box.stop(number, meter=2500)
    assert only_session().energy_import_wh == 1500


@pytest.mark.parametrize("connector", [0, -1, 3, 99, 40000, None, "one", 10**30])
def test_a_start_on_no_socket_gets_a_number_and_makes_no_session(box, connector):
    answer = box.say("StartTransaction", START | {"connectorId": connector})
    assert answer["idTagInfo"]["status"] == "Invalid"
    assert 0 < answer["transactionId"] < 2**31
    assert not ChargingSession.objects.exists()
    assert "no-such-connector" in box.flags


def test_a_start_without_anything_in_it_is_answered(box):
    answer = box.say("StartTransaction")
    assert set(answer) == {"transactionId", "idTagInfo"}


class TestWhoMayCharge:
    @pytest.mark.parametrize("id_tag", ["ANY", FREE_CHARGING_ID_TAG, ""])
    def test_anybody_where_the_owner_said_so(self, box, id_tag):
        assert box.say("Authorize", {"idTag": id_tag})["idTagInfo"]["status"] == "Accepted"
        assert box.say("StartTransaction", START | {"idTag": id_tag})["idTagInfo"]["status"] == "Accepted"

    @pytest.mark.parametrize("id_tag", ["ANY", FREE_CHARGING_ID_TAG, "", "=cmd()|A1", "\x00", "\ud800"])
    def test_nobody_unknown_otherwise(self, box, cast, id_tag):
        ChargePoint.objects.filter(pk=cast.aura.pk).update(free_charging=False)
        assert box.say("Authorize", {"idTag": id_tag})["idTagInfo"]["status"] == "Invalid"
        answer = box.say("StartTransaction", START | {"idTag": id_tag})
        assert answer["idTagInfo"]["status"] == "Invalid"
        # What flows all the same is recorded.
        session = only_session()
        assert (session.transaction_id, session.authorised) == (answer["transactionId"], False)

    def test_the_app_s_own_tag_works_on_its_own_charger_only(self, box, other, cast):
        ChargePoint.objects.update(free_charging=False)
        tag = {"idTag": cast.aura.app_id_tag}
        assert box.say("Authorize", tag)["idTagInfo"]["status"] == "Accepted"
        assert other.say("Authorize", tag)["idTagInfo"]["status"] == "Invalid"


def test_transaction_numbers_are_random():
    numbers = [new_transaction_id() for _ in range(2000)]
    assert len(set(numbers)) == len(numbers)
    assert all(0 < number < 2**31 for number in numbers)
    # Neither near each other nor in any order: the halves of the range and the signs of the steps are even.
    assert 850 < sum(number > 2**30 for number in numbers) < 1150
    rises = sum(after > before for before, after in pairwise(numbers))
    assert 850 < rises < 1150


def test_a_late_or_repeated_stop_leaves_the_override_of_the_next_session_alone(box, cast):
    first = box.start(meter=0, at=NOW - timedelta(hours=2))
    box.start(meter=100, at=NOW - timedelta(minutes=5))
    Override.objects.create(connector=cast.socket)
    box.stop(first, meter=100, at=NOW - timedelta(hours=1))
    box.stop(first, meter=100, at=NOW - timedelta(hours=1))
    assert Override.objects.get().ended is None


def test_the_end_of_a_session_ends_its_override(box, cast):
    number = box.start()
    Override.objects.create(connector=cast.socket)
    box.stop(number)
    assert Override.objects.get().end_reason == "session-ended"


class TestAnotherChargersSessions:
    """SEC-11: whatever charger A says with B's numbers, nothing of B changes."""

    @pytest.mark.requirement("S1-30")
    def test_a_stop_is_refused_without_effect(self, box, other):
        number = box.start()
        other.stop(number)
        assert "no-such-transaction" in other.flags
        assert only_session().stopped is None

    def test_meter_values_are_refused_without_effect(self, box, other):
        number = box.start(meter=0)
        other.meter(wh=5000, power_w=7000, number=number)
        assert only_session().energy_import_wh == 0

    def test_the_same_start_at_two_chargers_is_two_transactions(self, box, other):
        assert box.say("StartTransaction", START) != other.say("StartTransaction", START)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
payloads = st.dictionaries(
    st.sampled_from(
        [
            *(
                "connectorId",
                "idTag",
                "meterStart",
                "meterStop",
                "timestamp",
                "status",
                "errorCode",
                "vendorId",
                "data",
            ),
            *("reason", "type", "meterValue", "transactionData", "chargePointVendor", "chargePointSerialNumber"),
        ]
    ),
    scalars | st.lists(scalars, max_size=3) | st.dictionaries(st.text(max_size=5), scalars, max_size=3),
    max_size=8,
)


class TestAllActionsOfAnotherCharger(HypothesisTestCase):
    """Property: over all actions a charger knows, with B's transaction numbers in them, B's rows stay as they are."""

    @settings(max_examples=60, deadline=None)
    @given(st.sampled_from(sorted(KNOWN)), payloads)
    def test_nothing_of_b_changes(self, action: str, payload: dict) -> None:
        mine, theirs = register_charge_point(identity="A"), register_charge_point(identity="B")
        a, b = Box(mine.charge_point, mine.key), Box(theirs.charge_point, theirs.key)
        number = b.start()
        before = self._everything_of(theirs.charge_point)
        answer = a.say(action, {"connectorId": 1, **payload, "transactionId": number})
        assert isinstance(answer, dict)
        assert self._everything_of(theirs.charge_point) == before

    @staticmethod
    def _everything_of(charge_point: ChargePoint) -> list:
        return [
            list(ChargePoint.objects.filter(pk=charge_point.pk).values()),
            list(charge_point.connectors.values()),
            list(charge_point.sessions.values()),
            list(charge_point.configuration.values()),
            list(charge_point.profiles.values()),
            list(charge_point.commands.values()),
        ]


def test_moments_are_utc(box):
    box.say("StartTransaction", START | {"timestamp": "2026-07-01T18:30:00+02:00"})
    assert only_session().started == datetime.fromisoformat("2026-07-01T16:30:00+00:00")
