"""Random delays: drawn when current would flow, journalled, shown, skipped, and never longer than the maximum."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from chargeamps.chargers.models import ChargePoint, Command, Connector
from chargeamps.common import clock
from chargeamps.schedules.models import DelayDraw, StoredDelays
from chargeamps.schedules.services import delays
from tests.cast import Phone
from tests.gateway.box import Box

# A Wednesday, 23:00 in London: inside the preset hours, which end at 07:30.
NIGHT = datetime(2026, 7, 1, 22, 0, tzinfo=UTC)
# The same day, 17:30: a peak hour. Charging hours begin at 22:00, which is 21:00Z.
PEAK = datetime(2026, 7, 1, 16, 30, tzinfo=UTC)
HOURS_BEGIN = datetime(2026, 7, 1, 21, 0, tzinfo=UTC)


@pytest.fixture
def travel():
    with time_machine.travel(NIGHT, tick=False) as travel:
        yield travel


@pytest.fixture
def box(cast, travel) -> Box:
    """Alice's Aura on line, with nothing plugged in; whoever plugs in may charge."""
    ChargePoint.objects.filter(pk=cast.aura.pk).update(free_charging=True, claimed=NIGHT - timedelta(days=1))
    box = Box(cast.aura, cast.aura_key)
    box.status("Available")
    delays.freshen(charge_point=cast.aura.pk, now=clock.now(), busy=())
    return box


def kept_by_the_charger(cast, seconds: int) -> None:
    StoredDelays.objects.filter(connector=cast.socket).update(start_s=seconds, start_accepted=True)


def journal(cast) -> list[DelayDraw]:
    return list(DelayDraw.objects.filter(connector=cast.socket, nominal__lte=clock.now()).order_by("nominal"))


def shown(cast, phone: Phone) -> dict:
    return phone.send("GET", f"connectors/{cast.socket.pk}").json()


def plug_in(box: Box) -> None:
    box.status("Preparing")
    box.start()
    box.status("SuspendedEVSE")


@pytest.mark.requirement("R11-10", "R11-16", "R11-17")
def test_a_car_plugged_in_inside_the_hours_waits_its_delay(cast, box, travel):
    kept_by_the_charger(cast, 300)
    phone = Phone(cast.alice)
    plug_in(box)
    seen = shown(cast, phone)
    assert seen["state"] == "random_delay"
    assert seen["until"] == clock.isoformat(NIGHT + timedelta(seconds=300))
    assert "skip-delay" in seen["actions"]
    [draw] = journal(cast)
    assert (draw.seconds, draw.cause, draw.change, draw.maximum_s) == (300, "plug-in", "start", 600)
    travel.shift(301)
    assert shown(cast, phone)["state"] != "random_delay"
    box.status("Charging")
    assert shown(cast, phone)["state"] == "charging"
    assert journal(cast)[0].actual == clock.now()


@pytest.mark.requirement("R11-10")
def test_a_charger_that_keeps_no_delay_gets_one_drawn_for_it(cast, box):
    StoredDelays.objects.update(start_accepted=False, start_used=True, start_s=0)
    for _ in range(40):
        box.status("Preparing")
        box.status("Available")
        DelayDraw.objects.filter(nominal=NIGHT).exclude(seconds=0).update(nominal=NIGHT - timedelta(hours=2))
        if DelayDraw.objects.filter(cause="plug-in").exclude(seconds=0).exists():
            return
    raise AssertionError("forty draws of 0 s")


def test_the_delay_on_the_charger_counts_from_the_transaction(cast, box, travel):
    kept_by_the_charger(cast, 300)
    box.status("Preparing")
    travel.shift(120)
    box.start()
    assert journal(cast)[0].nominal == NIGHT + timedelta(seconds=120)
    # Long after the first one is over, a new transaction has a delay of its own.
    travel.shift(3600)
    box.status("Available")
    delays.freshen(charge_point=cast.aura.pk, now=clock.now(), busy=())
    kept_by_the_charger(cast, 200)
    plug_in(box)
    assert [draw.seconds for draw in journal(cast)] == [300, 200]


def test_outside_the_hours_nothing_would_flow_so_nothing_is_drawn(cast, box, travel):
    travel.move_to(PEAK)
    plug_in(box)
    assert journal(cast) == []
    seen = shown(cast, Phone(cast.alice))
    assert (seen["state"], seen["until"]) == ("waiting_for_schedule", clock.isoformat(HOURS_BEGIN))
    assert seen["delay_max_s"] == 600


@pytest.mark.requirement("R11-11", "R11-13")
def test_the_beginning_of_the_hours_waits_a_delay_of_its_own(cast, box, travel):
    travel.move_to(PEAK)
    plug_in(box)
    DelayDraw.objects.filter(connector=cast.socket, nominal=HOURS_BEGIN).update(seconds=420)
    travel.move_to(HOURS_BEGIN + timedelta(seconds=1))
    seen = shown(cast, Phone(cast.alice))
    assert (seen["state"], seen["until"]) == ("random_delay", clock.isoformat(HOURS_BEGIN + timedelta(seconds=420)))
    assert seen["since"] == clock.isoformat(HOURS_BEGIN)


@pytest.mark.requirement("R11-6", "R11-7")
def test_skipping_skips_this_delay_only(cast, box, travel):
    kept_by_the_charger(cast, 300)
    phone, bobs = Phone(cast.alice), Phone(cast.bob)
    plug_in(box)
    travel.shift(10)
    answer = bobs.send("POST", f"connectors/{cast.socket.pk}/skip-delay")
    assert (answer.status_code, answer.json()["kind"]) == (202, "skip-delay")
    assert shown(cast, phone)["state"] != "random_delay"
    [draw] = journal(cast)
    assert (draw.skipped, draw.skipped_by) == (clock.now(), cast.bob)
    assert bobs.send("POST", f"connectors/{cast.socket.pk}/skip-delay").json()["id"] == answer.json()["id"]
    Command.objects.update(state="verified")
    assert bobs.send("POST", f"connectors/{cast.socket.pk}/skip-delay").status_code == 409
    # The next switch is delayed again.
    assert DelayDraw.objects.filter(connector=cast.socket, nominal__gt=clock.now(), skipped=None).exists()


@pytest.mark.requirement("R8-5")
def test_no_delay_is_skipped_while_it_would_not_be_safe(cast, box):
    kept_by_the_charger(cast, 300)
    plug_in(box)
    box.status("Faulted", connector=0)
    answer = Phone(cast.alice).send("POST", f"connectors/{cast.socket.pk}/skip-delay")
    assert (answer.status_code, answer.json()["code"]) == (409, "not-possible-now")
    assert journal(cast)[0].skipped is None


def test_charge_now_ends_the_delay_that_runs(cast, box, travel):
    kept_by_the_charger(cast, 300)
    plug_in(box)
    travel.shift(5)
    assert Phone(cast.alice).send("POST", f"connectors/{cast.socket.pk}/charge-now").status_code == 202
    assert journal(cast)[0].skipped_by == cast.alice


@pytest.mark.requirement("R11-14")
def test_changes_every_minute_do_not_put_the_start_off_for_ever(cast, box, travel):
    kept_by_the_charger(cast, 300)
    phone = Phone(cast.alice)
    plug_in(box)
    ends = shown(cast, phone)["until"]
    for minute in range(4):
        travel.shift(60)
        windows = [{"days": ["wednesday", "thursday"], "start": f"20:0{minute}", "end": "07:00"}]
        body = {"choice": "changed", "windows": windows}
        assert phone.send("PUT", f"sites/{cast.home.pk}/default-hours", body).status_code == 200
        assert (shown(cast, phone)["state"], shown(cast, phone)["until"]) == ("random_delay", ends)


def test_hours_that_stop_a_car_at_once_are_a_relevant_time_too(cast, box, travel):
    kept_by_the_charger(cast, 1)
    phone = Phone(cast.alice)
    plug_in(box)
    travel.shift(60)
    box.status("Charging")
    body = {"choice": "changed", "windows": [{"days": ["monday"], "start": "01:00", "end": "02:00"}]}
    phone.send("PUT", f"sites/{cast.home.pk}/default-hours", body)
    newest = journal(cast)[-1]
    assert (newest.change, newest.nominal, newest.before_a, newest.after_a) == ("decrease", clock.now(), 32, 0)


class TestTheMaximum:
    @pytest.mark.requirement("R11-1", "R11-2", "R11-5")
    def test_is_600_s_until_it_is_changed_and_holds_from_the_next_event_on(self, cast, box, travel):
        phone = Phone(cast.alice)
        path = f"sites/{cast.home.pk}/random-delay"
        told = phone.send("GET", path).json()
        assert (told["maximum_s"], told["ceiling_s"], told["floor_s"], told["may_change"]) == (600, 1800, 600, True)
        assert phone.send("PUT", path, {"maximum_s": 1800}).json()["maximum_s"] == 1800
        assert {row.maximum_s for row in StoredDelays.objects.filter(connector__charge_point=cast.aura)} == {1800}
        assert set(
            DelayDraw.objects.filter(connector=cast.socket, nominal__gt=clock.now()).values_list("maximum_s", flat=True)
        ) == {1800}

    @pytest.mark.parametrize("value", [1801, -1, 600.5, "600", None, True])
    def test_what_the_law_does_not_allow_is_refused(self, cast, box, value):
        answer = Phone(cast.alice).send("PUT", f"sites/{cast.home.pk}/random-delay", {"maximum_s": value})
        assert (answer.status_code, list(answer.json()["errors"])) == (400, ["maximum_s"])
        assert not ChargePoint.objects.exclude(delay_maximum_s=600).exists()

    def test_owners_do_not_lower_it_and_others_do_not_touch_it(self, cast, box):
        path = f"sites/{cast.home.pk}/random-delay"
        for person, status in ((cast.alice, 403), (cast.bob, 403), (cast.charlie, 404)):
            assert Phone(person).send("PUT", path, {"maximum_s": 0}).status_code == status
        assert Phone(cast.bob).send("PUT", path, {"maximum_s": 900}).status_code == 403
        assert Phone(cast.bob).send("GET", path).json()["may_change"] is False

    def test_nothing_is_drawn_above_it(self, cast, box):
        rows = DelayDraw.objects.filter(connector__charge_point=cast.aura)
        assert rows.exists()
        assert all(0 <= row.seconds <= row.maximum_s == 600 for row in rows)


def test_stored_delays_are_fresh_every_day_but_not_while_a_car_waits(cast, box, travel):
    kept_by_the_charger(cast, 300)
    plug_in(box)
    before = StoredDelays.objects.get(connector=cast.socket)
    socket = Connector.objects.get(pk=cast.socket.pk)
    travel.shift(timedelta(hours=25))
    delays.freshen(charge_point=cast.aura.pk, now=clock.now(), busy={socket.pk})
    after = StoredDelays.objects.get(connector=cast.socket)
    assert after.drawn == clock.now()
    assert after.weekly != before.weekly
    assert (after.start_s, after.start_used) == (300, True)  # its transaction runs


@pytest.mark.requirement("R11-17", "R7-1")
def test_a_start_told_long_after_is_in_the_journal_with_the_delay_the_charger_kept(cast, box, travel):
    kept_by_the_charger(cast, 250)
    travel.shift(timedelta(hours=5))
    box.start(at=NIGHT + timedelta(minutes=10))
    box.start(at=PEAK, connector=2)
    [draw] = DelayDraw.objects.filter(nominal__lte=clock.now(), cause="plug-in")
    assert (draw.connector, draw.nominal, draw.seconds) == (cast.socket, NIGHT + timedelta(minutes=10), 250)
