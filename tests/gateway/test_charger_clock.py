"""Chargers' clocks: seen to be wrong, told the time, shown to the owner; old messages prove nothing."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from chargeamps.chargers.models import ChargePoint
from chargeamps.chargers.selectors import notices
from chargeamps.common.bus import DOORBELL, bus
from chargeamps.gateway.charger_clock import ClockWatch
from chargeamps.gateway.convergence import _clock_is_wrong
from chargeamps.simulator.car import Car
from tests.gateway.box import NOW, Box
from tests.simulator.central import Central, make

SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def travel():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def box(cast) -> Box:
    return Box(cast.aura, cast.aura_key)


def offset(cast) -> float | None:
    return ChargePoint.objects.get(pk=cast.aura.pk).clock_offset_seconds


class TestWhatIsBelieved:
    def test_a_clock_that_is_right_at_once_and_said_once(self):
        watch = ClockWatch()
        assert watch.heard(NOW + SECOND, NOW) == 1.0
        assert watch.heard(NOW + 20 * SECOND, NOW) is None
        assert watch.heard(NOW - 20 * SECOND, NOW) is None

    def test_one_that_is_ahead_at_once(self):
        assert ClockWatch().heard(NOW + timedelta(hours=2), NOW) == 7200.0

    def test_one_that_is_behind_by_two_messages_some_time_apart(self):
        watch, behind = ClockWatch(), timedelta(hours=1)
        assert watch.heard(NOW - behind, NOW) is None
        assert watch.heard(NOW - behind, NOW + SECOND / 2) is None
        later = NOW + 10 * SECOND
        assert watch.heard(later - behind + 3 * SECOND, later) == -3597.0
        assert watch.heard(later - behind, later) is None

    def test_a_queue_sent_after_an_outage_shows_no_clock(self):
        watch = ClockWatch()
        for number in range(200):
            told = NOW - timedelta(hours=3) + number * 30 * SECOND
            assert watch.heard(told, NOW + number * SECOND / 20) is None
        assert watch.heard(NOW + 10 * SECOND, NOW + 10 * SECOND) == 0.0

    def test_more_than_a_day_ahead_by_two_messages_as_well(self):
        watch, ahead = ClockWatch(), timedelta(days=3000)
        assert watch.heard(NOW + ahead, NOW) is None
        assert watch.heard(NOW + ahead + 10 * SECOND, NOW + 10 * SECOND) == ahead.total_seconds()

    def test_one_that_was_put_right_at_once(self):
        watch = ClockWatch(known=-3600.0)
        assert watch.heard(NOW, NOW) == 0.0


class TestWhatIsStored:
    def test_the_first_time_and_every_change_of_more_than_30_s(self, cast, box, travel):
        assert offset(cast) is None
        box.status("Available", at=NOW)
        assert offset(cast) == 0
        for ahead, stored in ((25, 0), (35, 35), (60, 35), (-1, -1)):
            box.status("Available", at=NOW + ahead * SECOND)
            assert offset(cast) == stored

    def test_an_unchanged_one_is_not_written_again_by_the_next_socket(self, cast, box, django_assert_num_queries):
        box.status("Available", at=NOW + 40 * SECOND)
        ChargePoint.objects.filter(pk=cast.aura.pk).update(clock_offset_seconds=50.0)
        again = Box(cast.aura, cast.aura_key)
        again.status("Available", at=NOW + 40 * SECOND)
        assert offset(cast) == 50.0

    def test_readings_and_the_start_of_a_session_tell_it_too(self, cast, box, travel):
        box.meter(power_w=7000, at=NOW + timedelta(minutes=4))
        assert offset(cast) == 240
        box.start(at=NOW)
        assert offset(cast) == 0
        socket = cast.aura.connectors.get(number=1)
        assert socket.power_w == 7000

    @pytest.mark.parametrize("timestamp", ["nonsense", 7, None, [], {}, ""])
    def test_no_time_is_no_clock(self, cast, box, timestamp):
        box.status("Available", timestamp=timestamp)
        for values in (None, 7, [], [7], [{"timestamp": timestamp}]):
            box.say("MeterValues", {"connectorId": 1, "meterValue": values})
        assert offset(cast) is None

    def test_a_wrong_clock_rings_for_the_time_and_is_shown(
        self, cast, box, django_capture_on_commit_callbacks, monkeypatch
    ):
        rung = []
        monkeypatch.setattr(bus, "publish_on_commit", lambda topic, **message: rung.append(topic))
        box.status("Available", at=NOW + timedelta(minutes=10))
        assert DOORBELL in rung
        assert _clock_is_wrong(cast.aura.pk)
        [notice] = [n for n in notices(ChargePoint.objects.get(pk=cast.aura.pk)) if n["code"] == "clock-wrong"]
        assert "10 minutes ahead" in notice["text"]
        box.status("Available", at=NOW)
        assert not _clock_is_wrong(cast.aura.pk)


def simulated(cast, travel, persona: str) -> float | None:
    """Half an hour of a simulated Aura with a car, through the gateway; the offset that is stored then."""
    aura = make(persona, start=NOW.timestamp())
    box = Box(cast.aura, cast.aura_key)
    central = Central(aura)
    seen = 0

    def pass_on() -> None:
        nonlocal seen
        travel.move_to(datetime.fromtimestamp(aura.clock.world, UTC))
        for action, payload in central.calls[seen:]:
            box.say(action, json.loads(json.dumps(payload)))
        seen = len(central.calls)

    central.connect().run(5)
    pass_on()
    aura.plug(1, Car())
    for _ in range(180):
        central.run(10)
        pass_on()
    assert {"StartTransaction", "MeterValues"} <= {action for action, _ in central.calls}
    return offset(cast)


@pytest.mark.parametrize(
    ("persona", "shown"),
    [
        ("aura", 0.0),
        ("clock-wrong-by-a-day", -86_400.0),
        ("clock-1970", -NOW.timestamp()),
    ],
)
def test_simulated_auras_are_seen_as_they_are(cast, travel, persona, shown):
    ChargePoint.objects.filter(pk=cast.aura.pk).update(free_charging=True)
    assert simulated(cast, travel, persona) == pytest.approx(shown, abs=31)
