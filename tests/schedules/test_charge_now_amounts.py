""" "Charge now" for a time or for an amount of energy: it ends by itself, and the plan holds again."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from chargeamps.chargers.models import ChargePoint, Command
from chargeamps.chargers.services import commands
from chargeamps.common import clock
from chargeamps.schedules.models import DelayDraw, Override
from chargeamps.schedules.selectors import view_of
from chargeamps.schedules.services import delays, overrides
from chargeamps.usage.models import ChargingSession
from tests.cast import Phone
from tests.gateway.box import Box

# A Wednesday, 17:30 in London: a peak hour, outside the preset.
PEAK = datetime(2026, 7, 1, 16, 30, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)

pytestmark = pytest.mark.requirement("R10-10")


@pytest.fixture
def travel():
    with time_machine.travel(PEAK, tick=False) as travel:
        yield travel


@pytest.fixture
def phone(cast) -> Phone:
    return Phone(cast.alice)


@pytest.fixture
def box(cast, travel) -> Box:
    """Alice's Aura on line, with a car that waits for its hours on socket 1."""
    ChargePoint.objects.filter(pk=cast.aura.pk).update(free_charging=True, claimed=PEAK - timedelta(days=1))
    box = Box(cast.aura, cast.aura_key)
    box.status("Available")
    delays.freshen(charge_point=cast.aura.pk, now=clock.now(), busy=())
    box.status("Preparing")
    box.start(meter=1000)
    box.status("SuspendedEVSE")
    return box


def ask(cast, phone: Phone, body: dict | None = None):
    return phone.send("POST", f"connectors/{cast.socket.pk}/charge-now", body)


def charge(cast, phone: Phone, box: Box, **amount: int) -> None:
    """Ask, have it accepted, and see it charge."""
    assert ask(cast, phone, {"for": amount} if amount else None).status_code == 202
    command = commands.claim_next(charge_point=cast.aura.pk, now=clock.now())
    assert command is not None
    commands.accepted(command=command.pk, now=clock.now())
    box.status("Charging")


def in_force() -> Override | None:
    return Override.objects.filter(ended=None).first()


def deliver(energy_wh: int) -> None:
    """Have the session's energy grow to so much, as the gateway counts it."""
    ChargingSession.objects.filter(stopped=None).update(energy_import_wh=energy_wh)


def allowed(cast) -> float:
    return view_of(cast.socket, clock.now()).slot.limit_a


def wait_out(cast, nominal: datetime, seconds: int) -> None:
    assert DelayDraw.objects.filter(connector=cast.socket, nominal=nominal).update(seconds=seconds) == 1


class TestForATime:
    def test_the_time_is_shown_and_kept(self, cast, phone, box, travel):
        charge(cast, phone, box, minutes=30)
        shown = phone.send("GET", f"connectors/{cast.socket.pk}").json()
        assert shown["charge_now"]["until"] == clock.isoformat(PEAK + HALF_HOUR)
        assert (shown["state"], shown["until"]) == ("charging", clock.isoformat(PEAK + HALF_HOUR))

    @pytest.mark.requirement("R11-11")
    def test_it_ends_by_itself_and_the_end_waits_its_delay(self, cast, phone, box, travel):
        charge(cast, phone, box, minutes=30)
        end = PEAK + HALF_HOUR
        wait_out(cast, end, 120)
        assert overrides.session_until(cast.socket.pk, clock.now()) == (True, end + timedelta(seconds=120))
        travel.move_to(end)
        overrides.tend(now=clock.now())
        assert in_force() is None
        override = Override.objects.get()
        assert (override.ended, override.end_reason) == (end, "time-over")
        assert overrides.session_until(cast.socket.pk, clock.now()) == (True, end + timedelta(seconds=120))
        assert allowed(cast) == 32
        travel.shift(119)
        assert allowed(cast) == 32
        travel.shift(1)
        assert allowed(cast) == 0
        assert overrides.session_until(cast.socket.pk, clock.now()) == (False, None)

    def test_not_before_its_time(self, cast, phone, box, travel):
        charge(cast, phone, box, minutes=30)
        travel.shift(HALF_HOUR - timedelta(seconds=1))
        overrides.tend(now=clock.now())
        assert in_force() is not None

    def test_a_late_look_ends_it_at_its_time(self, cast, phone, box, travel):
        charge(cast, phone, box, minutes=30)
        travel.shift(timedelta(hours=2))
        overrides.tend(now=clock.now())
        assert Override.objects.get().ended == PEAK + HALF_HOUR


class TestForAnAmountOfEnergy:
    def test_what_flowed_before_does_not_count(self, cast, phone, box, travel):
        deliver(3_000)
        charge(cast, phone, box, energy_wh=5_000)
        deliver(7_999)
        overrides.tend(now=clock.now())
        shown = phone.send("GET", f"connectors/{cast.socket.pk}").json()["charge_now"]
        assert (shown["energy_wh"], shown["delivered_wh"], shown["until"]) == (5_000, 4_999, None)
        deliver(8_000)
        travel.shift(60)
        overrides.tend(now=clock.now())
        assert in_force() is None
        assert Override.objects.get().end_reason == "energy-reached"

    @pytest.mark.requirement("R11-11")
    def test_its_end_waits_a_delay(self, cast, phone, box, travel):
        charge(cast, phone, box, energy_wh=5_000)
        deliver(5_000)
        travel.shift(3_600)
        end = clock.now()
        overrides.tend(now=end)
        drawn = DelayDraw.objects.get(connector=cast.socket, nominal=end)
        assert (drawn.change, drawn.before_a, drawn.after_a) == ("decrease", 32, 0)
        wait_out(cast, end, 90)
        assert overrides.session_until(cast.socket.pk, end) == (True, end + timedelta(seconds=90))
        assert allowed(cast) == 32
        travel.shift(91)
        assert allowed(cast) == 0
        assert overrides.session_until(cast.socket.pk, clock.now()) == (False, None)

    def test_looking_again_draws_no_second_delay(self, cast, phone, box, travel):
        charge(cast, phone, box, energy_wh=5_000)
        deliver(5_100)
        travel.shift(3_600)
        for _ in range(3):
            overrides.tend(now=clock.now())
        assert DelayDraw.objects.filter(connector=cast.socket, change="decrease", nominal=clock.now()).count() == 1

    def test_inside_the_hours_its_end_changes_nothing(self, cast, phone, box, travel):
        charge(cast, phone, box, energy_wh=5_000)
        travel.move_to(datetime(2026, 7, 1, 23, 30, tzinfo=UTC))
        deliver(5_000)
        overrides.tend(now=clock.now())
        assert not DelayDraw.objects.filter(connector=cast.socket, nominal=clock.now()).exists()
        assert allowed(cast) == 32


class TestTheNewestWishHolds:
    def test_a_time_after_a_session(self, cast, phone, box, travel):
        charge(cast, phone, box)
        travel.shift(60)
        charge(cast, phone, box, minutes=15)
        assert Override.objects.count() == 1
        assert in_force().until == clock.now() + timedelta(minutes=15)
        travel.shift(timedelta(minutes=15))
        overrides.tend(now=clock.now())
        assert in_force() is None

    def test_a_session_after_a_time(self, cast, phone, box, travel):
        charge(cast, phone, box, minutes=15)
        end = clock.now() + timedelta(minutes=15)
        travel.shift(60)
        charge(cast, phone, box)
        assert in_force().until is None
        assert not DelayDraw.objects.filter(connector=cast.socket, nominal=end).exists()
        travel.shift(timedelta(hours=1))
        overrides.tend(now=clock.now())
        assert in_force() is not None

    def test_energy_after_a_time_counts_from_now(self, cast, phone, box, travel):
        charge(cast, phone, box, minutes=15)
        deliver(2_000)
        travel.shift(60)
        charge(cast, phone, box, energy_wh=1_000)
        override = in_force()
        assert (override.until, override.energy_wh, override.session_wh) == (None, 1_000, 2_000)

    def test_another_amount_while_the_first_is_on_its_way_is_not_lost(self, cast, phone, box, travel):
        assert ask(cast, phone, {"for": {"minutes": 30}}).status_code == 202
        travel.shift(1)
        assert ask(cast, phone, {"for": {"energy_wh": 5_000}}).status_code == 202
        assert in_force().energy_wh == 5_000


@pytest.mark.parametrize("amount", [{"minutes": 30}, {"energy_wh": 5_000}, {}])
def test_wait_for_schedule_takes_it_back_at_once(cast, phone, box, travel, amount):
    charge(cast, phone, box, **amount)
    travel.shift(60)
    answer = phone.send("POST", f"connectors/{cast.socket.pk}/wait-for-schedule")
    assert (answer.status_code, answer.json()["kind"]) == (202, "wait-for-schedule")
    assert in_force() is None
    assert allowed(cast) == 0
    assert overrides.session_until(cast.socket.pk, clock.now()) == (False, None)
    assert not Command.objects.filter(kind="charge-now", state__in=Command.OPEN).exists()
    travel.shift(timedelta(hours=1))
    overrides.tend(now=clock.now())
    assert Override.objects.get().end_reason == "wait-for-schedule"


@pytest.mark.parametrize(
    "amount",
    [
        {"minutes": 14},
        {"minutes": 1441},
        {"minutes": 1.5},
        {"energy_wh": 99},
        {"energy_wh": 200_001},
        {"minutes": 30, "energy_wh": 1000},
        {},
        "2 h",
    ],
)
def test_amounts_that_are_none_are_refused_with_the_field(cast, phone, box, amount):
    answer = ask(cast, phone, {"for": amount})
    assert answer.status_code == 400
    assert all(field.startswith("for") for field in answer.json()["errors"])
    assert in_force() is None
