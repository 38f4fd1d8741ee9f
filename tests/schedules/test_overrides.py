""" "Charge now" and back: the gate in front of it, what a command can become, and what becomes of the override."""

from datetime import timedelta

import pytest
import time_machine

from chargeamps.chargers.models import ChargePoint, Command, Connector
from chargeamps.chargers.services import commands, connections
from chargeamps.common import clock
from chargeamps.common.problems import Conflict
from chargeamps.schedules.models import Override
from chargeamps.schedules.selectors import view_of
from chargeamps.schedules.services import overrides as schedules
from chargeamps.schedules.state import connector_json
from tests.gateway.box import NOW, Box

Kind, State = Command.Kind, Command.State


@pytest.fixture(autouse=True)
def at_a_fixed_time():
    """A Wednesday, 17:30 in London: a peak hour."""
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def box(cast) -> Box:
    """Alice's Aura, on line, with a car that waits for its hours on socket 1."""
    ChargePoint.objects.filter(pk=cast.aura.pk).update(free_charging=True)
    box = Box(cast.aura, cast.aura_key)
    box.status("SuspendedEVSE")
    box.start()
    return box


def charge_now(cast) -> Command:
    return schedules.charge_now(connector=connector(cast), user=cast.alice)


def connector(cast) -> Connector:
    return Connector.objects.select_related("charge_point").get(pk=cast.socket.pk)


def shown(cast) -> dict:
    return connector_json(view_of(connector(cast), clock.now()), may_charge=True)


def claim(cast) -> Command:
    """The gateway takes the oldest command."""
    found = commands.claim_next(charge_point=cast.aura.pk, now=clock.now())
    assert found is not None
    return found


def accept(cast) -> Command:
    command = claim(cast)
    commands.accepted(command=command.pk, now=clock.now())
    command.refresh_from_db()
    return command


def overridden() -> bool:
    return Override.objects.filter(ended=None).exists()


@pytest.mark.requirement("R8-1")
class TestTheGate:
    @pytest.mark.parametrize("status", ["Faulted", "Unavailable"])
    def test_an_unsafe_socket_is_not_told_to_charge(self, cast, box, status):
        box.status(status)
        with pytest.raises(Conflict) as refusal:
            charge_now(cast)
        assert refusal.value.code == "not-possible-now"
        assert not overridden()
        assert not Command.objects.exists()

    def test_nor_is_any_socket_of_a_box_with_a_fault(self, cast, box):
        box.status("Faulted", connector=0)
        with pytest.raises(Conflict):
            charge_now(cast)

    @pytest.mark.parametrize(
        ("status", "code"), [("Available", "car-not-connected"), ("Finishing", "not-possible-now")]
    )
    def test_nor_one_without_a_car_that_could_charge(self, cast, box, status, code):
        box.status(status)
        with pytest.raises(Conflict) as refusal:
            charge_now(cast)
        assert refusal.value.code == code

    def test_nor_one_that_cannot_be_reached(self, cast, box):
        connections.close_connection(charge_point=cast.aura.pk, epoch=box.opened.epoch, now=NOW)
        with pytest.raises(Conflict) as refusal:
            charge_now(cast)
        assert refusal.value.code == "charger-offline"
        assert not overridden()


class TestOneCommand:
    def test_a_second_tap_finds_the_first_whoever_taps(self, cast, box):
        first = charge_now(cast)
        assert schedules.charge_now(connector=connector(cast), user=cast.bob) == first
        accept(cast)
        assert charge_now(cast) == first
        assert Override.objects.count() == 1

    def test_each_socket_has_commands_of_its_own(self, cast, box):
        box.status("SuspendedEVSE", connector=2)
        second = cast.aura.connectors.select_related("charge_point").get(number=2)
        assert charge_now(cast) != schedules.charge_now(connector=second, user=cast.alice)

    def test_once_it_is_over_a_tap_is_a_new_one(self, cast, box):
        first = charge_now(cast)
        accept(cast)
        box.status("Charging")
        assert charge_now(cast) != first

    def test_it_is_claimed_once(self, cast, box):
        charge_now(cast)
        claim(cast)
        assert commands.claim_next(charge_point=cast.aura.pk, now=NOW) is None

    def test_it_is_claimed_in_the_order_of_asking(self, cast, box, at_a_fixed_time):
        charge_now(cast)
        at_a_fixed_time.shift(1)
        commands.request(charge_point=cast.aura, kind=Kind.REFRESH, user=cast.alice)
        assert [claim(cast).kind for _ in range(2)] == [Kind.CHARGE_NOW, Kind.REFRESH]


class TestProof:
    @pytest.mark.requirement("R10-10")
    def test_only_the_charger_s_word_proves_that_it_charges(self, cast, box, at_a_fixed_time):
        charge_now(cast)
        assert accept(cast).state == State.ACCEPTED
        assert shown(cast)["state"] == "waiting_for_schedule"
        at_a_fixed_time.shift(5)
        box.status("Charging")
        command = Command.objects.get()
        assert (command.state, command.verified) == (State.VERIFIED, NOW + timedelta(seconds=5))
        assert shown(cast)["reason"]["code"] == "charge-now"

    def test_what_it_said_before_the_answer_counts_with_the_answer(self, cast, box):
        charge_now(cast)
        command = claim(cast)
        box.status("Charging")
        assert Command.objects.get().state == State.SENT
        commands.accepted(command=command.pk, now=NOW)
        assert Command.objects.get().state == State.VERIFIED

    @pytest.mark.parametrize(("seconds", "state"), [(-3600, State.ACCEPTED), (0, State.VERIFIED), (5, State.VERIFIED)])
    def test_a_reading_proves_it_if_it_was_taken_since(self, cast, box, seconds, state):
        """A charger's queue may hold readings of hours ago, from another session."""
        Connector.objects.update(measured=None)
        charge_now(cast)
        accept(cast)
        box.meter(power_w=7000, at=NOW + timedelta(seconds=seconds))
        assert Command.objects.get().state == state

    def test_a_little_standby_power_is_no_charging(self, cast, box):
        charge_now(cast)
        accept(cast)
        box.meter(power_w=40)
        assert Command.objects.get().state == State.ACCEPTED

    def test_the_end_of_the_session_proves_a_stop_even_before_the_answer(self, cast, box):
        box.status("Charging")
        number = box.start(meter=5)
        stop = schedules.stop(connector=connector(cast), user=cast.alice)
        claim(cast)
        box.stop(number)
        stop.refresh_from_db()
        assert stop.state == State.VERIFIED
        assert not commands.rejected(command=stop.pk, now=NOW, code="refused", text="No.")

    def test_a_boot_proves_a_restart(self, cast, box):
        reset = commands.request(charge_point=cast.aura, kind=Kind.RESET, user=cast.alice)
        claim(cast)
        box.say("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
        reset.refresh_from_db()
        assert reset.state == State.VERIFIED

    def test_a_boot_proves_no_restart_that_was_not_sent(self, cast, box):
        reset = commands.request(charge_point=cast.aura, kind=Kind.RESET, user=cast.alice)
        box.say("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
        reset.refresh_from_db()
        assert reset.state == State.QUEUED


class TestWhenTimeRunsOut:
    def test_what_was_never_sent_expires_and_is_not_sent_later(self, cast, box, at_a_fixed_time):
        charge_now(cast)
        at_a_fixed_time.shift(76)
        assert commands.claim_next(charge_point=cast.aura.pk, now=clock.now()) is None
        schedules.expire_overdue(now=clock.now())
        command = Command.objects.get()
        assert (command.state, command.reason_code) == (State.EXPIRED, "not-sent")
        assert not overridden()

    def test_a_crash_between_the_claim_and_the_frame_times_out_and_is_never_sent_twice(
        self, cast, box, at_a_fixed_time
    ):
        charge_now(cast)
        claim(cast)
        at_a_fixed_time.shift(10)
        again = Box(cast.aura, cast.aura_key, process="another")
        assert commands.claim_next(charge_point=again.opened.charge_point, now=clock.now()) is None
        at_a_fixed_time.shift(66)
        schedules.expire_overdue(now=clock.now())
        command = Command.objects.get()
        assert (command.state, command.reason_code) == (State.TIMED_OUT, "no-answer")
        assert not overridden()
        assert shown(cast)["actions"] == ["charge-now"]

    @pytest.mark.parametrize(
        ("status", "code"),
        [
            ("SuspendedEVSE", "held-back"),
            ("Preparing", "not-started"),
            ("Available", "not-started"),
            ("Faulted", "fault"),
            ("SuspendedEV", "car-not-taking-power"),
        ],
    )
    def test_what_was_accepted_without_effect_says_why(self, cast, box, at_a_fixed_time, status, code):
        charge_now(cast)
        accept(cast)
        box.status(status)
        at_a_fixed_time.shift(76)
        schedules.expire_overdue(now=clock.now())
        command = Command.objects.get()
        assert (command.state, command.reason_code) == (State.NO_EFFECT, code)
        assert command.reason_text
        # The charger did its part where the car takes nothing: the override stays in force.
        assert overridden() is (code == schedules.CAR_DECIDES)

    def test_a_late_answer_changes_nothing(self, cast, box, at_a_fixed_time):
        command = charge_now(cast)
        claim(cast)
        at_a_fixed_time.shift(76)
        schedules.expire_overdue(now=clock.now())
        commands.accepted(command=command.pk, now=clock.now())
        assert not commands.rejected(command=command.pk, now=clock.now(), code="refused", text="No.")
        assert Command.objects.get().state == State.TIMED_OUT

    def test_nothing_expires_before_its_time(self, cast, box, at_a_fixed_time):
        charge_now(cast)
        at_a_fixed_time.shift(74)
        assert schedules.expire_overdue(now=clock.now()) == 0


class TestLaterWishes:
    def test_wait_for_schedule_takes_charge_now_back(self, cast, box):
        first = charge_now(cast)
        accept(cast)
        schedules.wait_for_schedule(connector=connector(cast), user=cast.alice)
        first.refresh_from_db()
        assert (first.state, first.reason_code) == (State.EXPIRED, "replaced")
        assert not overridden()

    def test_and_charge_now_takes_that_back(self, cast, box):
        charge_now(cast)
        accept(cast)
        wait = schedules.wait_for_schedule(connector=connector(cast), user=cast.alice)
        second = charge_now(cast)
        wait.refresh_from_db()
        assert wait.state == State.EXPIRED
        assert second.state == State.QUEUED
        assert overridden()

    def test_the_failure_of_a_replaced_command_ends_no_later_override(self, cast, box):
        first = charge_now(cast)
        claim(cast)
        schedules.wait_for_schedule(connector=connector(cast), user=cast.alice)
        charge_now(cast)
        assert not commands.rejected(command=first.pk, now=NOW, code="refused", text="No.")
        schedules.expire_overdue(now=NOW)
        assert overridden()

    def test_a_second_wait_finds_the_first(self, cast, box):
        charge_now(cast)
        first = schedules.wait_for_schedule(connector=connector(cast), user=cast.alice)
        assert schedules.wait_for_schedule(connector=connector(cast), user=cast.bob) == first

    def test_waiting_where_nothing_is_overridden_is_refused(self, cast, box):
        with pytest.raises(Conflict):
            schedules.wait_for_schedule(connector=connector(cast), user=cast.alice)

    def test_of_two_opposite_wishes_the_later_counts(self, cast, box):
        off, on = (
            commands.request(
                charge_point=cast.aura,
                connector=connector(cast),
                kind=Kind.SET_AVAILABILITY,
                user=cast.alice,
                parameters={"available": available},
            )
            for available in (False, True)
        )
        off.refresh_from_db()
        assert (off.state, on.state) == (State.EXPIRED, State.QUEUED)


@pytest.mark.requirement("R10-10")
class TestOneSessionOnly:
    def test_the_car_that_leaves_takes_the_override_with_it(self, cast, box):
        charge_now(cast)
        accept(cast)
        box.status("Charging")
        box.status("Available")
        assert not overridden()
        box.status("SuspendedEVSE")
        assert shown(cast)["reason"]["code"] == "default-hours"

    def test_a_pause_of_the_car_does_not(self, cast, box):
        charge_now(cast)
        accept(cast)
        for status in ("Charging", "SuspendedEV", "Charging"):
            box.status(status)
        assert overridden()
        assert shown(cast)["reason"]["code"] == "charge-now"

    def test_a_reconnect_does_not(self, cast, box):
        charge_now(cast)
        accept(cast)
        again = Box(cast.aura, cast.aura_key)
        again.status("Charging")
        assert overridden()
