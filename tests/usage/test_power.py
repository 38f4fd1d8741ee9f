"""One-second power: every second kept, gaps shown, thinned with age, asked for while somebody looks."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
import time_machine

from chargeamps.chargers.models import ChargePoint
from chargeamps.common.bus import DOORBELL, bus
from chargeamps.usage import packing
from chargeamps.usage.models import ChargingSession, PowerBlock
from chargeamps.usage.packing import Reading
from chargeamps.usage.selectors.power import milliseconds, points_by_minute, points_by_second, power_json
from chargeamps.usage.services import power, store_readings
from tests.cast import Phone
from tests.gateway.box import Box, stamp

NOW = datetime(2026, 7, 15, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def in_july():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


def seconds(count: int, start: datetime = NOW, seed: int = 1) -> list[Reading]:
    random, first = Random(seed), milliseconds(start)
    return [Reading(first + n * 1000, 11000 + random.randint(-60, 60), 5_000_000 + n * 3055) for n in range(count)]


@pytest.mark.requirement("R9-6")
@pytest.mark.parametrize("shuffled", [False, True])
def test_600_seconds_of_load_give_600_samples(cast, in_july, shuffled):
    ChargePoint.objects.update(free_charging=True)
    box = Box(cast.aura, cast.aura_key)
    number = box.start(meter=0)
    in_july.shift(timedelta(seconds=600))
    order = list(range(600))
    if shuffled:
        Random(3).shuffle(order)
    for second in order:
        box.meter(wh=second * 2, power_w=7200 + second, number=number, at=NOW + timedelta(seconds=second))
    box.stop(number, meter=1200)
    session = ChargingSession.objects.get()
    answer = Phone(cast.alice).get(f"/api/v1/usage/sessions/{session.pk}/power?resolution=1s").json()
    assert [p[0] for p in answer["points"]] == list(range(600))
    assert [p[1] for p in answer["points"]] == [7200 + n for n in range(600)]
    assert (answer["gaps"], answer["missing"], answer["interval_seconds"]) == ([], 0, 1)


@pytest.mark.requirement("R9-6")
def test_missing_seconds_are_counted_and_not_made_up(cast):
    readings = [r for n, r in enumerate(seconds(600)) if n not in {100, 200, 201, 202, 400}]
    store_readings({cast.socket.pk: readings})
    answer = power_json(cast.socket.pk, NOW, NOW + timedelta(minutes=10), "1s")
    assert len(answer["points"]) == 595
    assert [gap["missing"] for gap in answer["gaps"]] == [1, 3, 1]
    assert answer["missing"] == 5


def test_a_change_of_interval_is_no_gap(cast):
    first = milliseconds(NOW)
    times = [first + n * 10_000 for n in range(30)] + [first + 300_000 + n * 1000 for n in range(60)]
    times += [first + 360_000 + n * 10_000 for n in range(30)]
    store_readings({cast.socket.pk: [Reading(ms, 7000) for ms in times]})
    assert power_json(cast.socket.pk, NOW, NOW + timedelta(minutes=20), "1s")["gaps"] == []


def test_hours_keep_all_that_minutes_held_and_take_late_readings(cast, in_july):
    readings = seconds(2 * 3600)
    late = readings.pop(1000)
    store_readings({cast.socket.pk: readings})
    in_july.shift(timedelta(days=1))
    assert power.compact() == 2
    assert set(PowerBlock.objects.values_list("span", flat=True)) == {3600}
    store_readings({cast.socket.pk: [late, readings[5]]})
    in_july.shift(timedelta(hours=2))
    for _ in range(2):
        points = list(points_by_second(cast.socket.pk, NOW, None))
        assert points == [(r.ms, r.power) for r in sorted([*readings, late])]
        power.compact()
    assert PowerBlock.objects.count() == 2


@pytest.mark.requirement("R9-7")
def test_after_31_days_a_minute_s_mean_is_left_and_after_14_months_nothing(cast, in_july):
    store_readings({cast.socket.pk: seconds(3600, NOW.replace(hour=23, minute=30))})
    means = list(points_by_minute(cast.socket.pk, NOW, None))
    assert len(means) == 60
    in_july.move_to(NOW + timedelta(days=30))
    power.compact()
    assert power.thin_out() == 0
    in_july.move_to(NOW + timedelta(days=34))
    assert power.thin_out() == 2
    assert set(PowerBlock.objects.values_list("span", flat=True)) == {86400}
    assert list(points_by_minute(cast.socket.pk, NOW, None)) == means
    assert list(points_by_second(cast.socket.pk, NOW, None)) == []
    store_readings({cast.socket.pk: [Reading(milliseconds(NOW), 5000)]})
    power.thin_out()
    assert next(points_by_minute(cast.socket.pk, NOW, None)) == (milliseconds(NOW), 5000, 1)
    in_july.move_to(NOW + timedelta(days=429))
    power.thin_out()
    assert PowerBlock.objects.exists()
    in_july.move_to(NOW + timedelta(days=432))
    power.thin_out()
    assert not PowerBlock.objects.exists()


@pytest.mark.once
def test_an_hour_of_seconds_takes_at_most_five_bytes_a_sample():
    readings = seconds(3600)
    data = packing.pack_hour(readings[0].ms, readings)
    print(f"bytes a sample: {len(data) / 3600:.2f}")
    assert len(data) < 3 * 3600
    assert packing.read_hour(readings[0].ms, data) == readings


class TestWatching:
    @pytest.fixture
    def rung(self, monkeypatch, django_capture_on_commit_callbacks):
        rung = []
        monkeypatch.setattr(bus, "publish", lambda topic, **message: rung.append((topic, message)))
        return rung

    def test_asks_for_a_sample_a_second_while_somebody_looks(
        self, cast, in_july, rung, django_capture_on_commit_callbacks
    ):
        assert power.wanted_sample_interval(cast.aura.pk) == 10
        phone = Phone(cast.bob)
        with django_capture_on_commit_callbacks(execute=True):
            answer = phone.send("POST", f"connectors/{cast.socket.pk}/watch")
            assert answer.json() == {"watched_until": stamp(NOW + timedelta(seconds=60)), "interval_seconds": 1}
            in_july.shift(50)
            phone.send("POST", f"connectors/{cast.socket.pk}/watch")
        in_july.shift(50)
        power.end_watches()
        assert power.wanted_sample_interval(cast.aura.pk) == 1
        assert rung == [(DOORBELL, {"charge_point": str(cast.aura.pk)})], "rung once for both"
        in_july.shift(11)
        assert power.wanted_sample_interval(cast.aura.pk) == 10
        with django_capture_on_commit_callbacks(execute=True):
            assert power.end_watches() == 1
        assert len(rung) == 2

    def test_is_for_those_who_may_see_the_socket(self, cast, rung):
        for name, expected in (("alice", 200), ("charlie", 404), ("sam", 404)):
            response = Phone(cast.people[name]).send("POST", f"connectors/{cast.socket.pk}/watch")
            assert response.status_code == expected
