"""What becomes of a "charge now" by what the charger says after it, in whatever order it says it."""

from datetime import timedelta

import pytest
import time_machine

from chargeamps.chargers.models import Command, Connector
from chargeamps.chargers.services import commands
from chargeamps.common import clock
from chargeamps.common.problems import Conflict
from chargeamps.schedules.services import overrides as schedules
from tests.gateway.box import NOW, Box

State = Command.State
SOON = commands.CAR_MAY_TAKE


@pytest.fixture(autouse=True)
def at_a_fixed_time():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def box(cast) -> Box:
    box = Box(cast.aura, cast.aura_key)
    box.status("Preparing")
    return box


class Asked:
    """A "charge now" on socket 1, and what the gateway does with it."""

    def __init__(self, cast) -> None:
        connector = Connector.objects.select_related("charge_point").get(pk=cast.socket.pk)
        self.row = schedules.charge_now(connector=connector, user=cast.alice)
        self.charge_point = cast.aura.pk

    def send(self) -> None:
        found = commands.claim_next(charge_point=self.charge_point, now=clock.now())
        assert found is not None
        assert found.pk == self.row.pk

    def answer(self) -> None:
        commands.accepted(command=self.row.pk, now=clock.now())

    @property
    def state(self) -> str:
        self.row.refresh_from_db()
        return self.row.state

    def left(self) -> timedelta:
        self.row.refresh_from_db()
        return self.row.deadline - clock.now()

    def ends(self) -> str:
        """How it ends where nothing more is said."""
        schedules.expire_overdue(now=clock.now() + self.left())
        self.row.refresh_from_db()
        assert self.row.state == State.NO_EFFECT
        return self.row.reason_code


# What is said after it was sent, a second apart; "answer" is the charger's Accepted.
ORDERS = [
    ("answer", "SuspendedEV"),
    ("SuspendedEV", "answer"),
    ("answer", "Preparing", "SuspendedEV"),
    ("answer", "SuspendedEVSE", "SuspendedEV"),
    ("SuspendedEVSE", "answer", "SuspendedEV"),
    ("SuspendedEVSE", "SuspendedEV", "answer"),
    ("answer", "SuspendedEV", "Preparing", "SuspendedEV"),
]


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_a_car_that_takes_no_power_is_told_of_soon(cast, box, at_a_fixed_time, order):
    asked = Asked(cast)
    asked.send()
    for said in order:
        at_a_fixed_time.shift(1)
        if asked.state == State.QUEUED:
            asked.send()
            asked.answer()
        if said == "answer":
            asked.answer()
        else:
            box.status(said)
    assert asked.left() <= SOON
    assert asked.ends() == "car-not-taking-power"


def test_a_status_that_is_repeated_gives_no_more_time(cast, box, at_a_fixed_time):
    asked = Asked(cast)
    asked.send()
    asked.answer()
    for _ in range(4):
        box.status("SuspendedEV")
        box.meter(power_w=0)
        at_a_fixed_time.shift(4)
    assert asked.left() == SOON - timedelta(seconds=16)


def test_a_car_that_takes_power_late_is_charging(cast, box, at_a_fixed_time):
    asked = Asked(cast)
    asked.send()
    asked.answer()
    box.status("SuspendedEV")
    at_a_fixed_time.shift(15)
    box.status("Charging")
    assert asked.state == State.VERIFIED


class TestAStartThatCrossedWithTheCharger:
    """The charger began by itself while our remote start was on its way, and forgot the profile that came with it."""

    @pytest.fixture
    def crossed(self, cast, box, at_a_fixed_time) -> Asked:
        asked = Asked(cast)
        asked.send()
        asked.answer()
        at_a_fixed_time.shift(1)
        box.start()
        box.status("SuspendedEVSE")
        return asked

    def test_is_sent_once_more(self, cast, box, crossed, at_a_fixed_time):
        assert crossed.state == State.QUEUED
        crossed.send()
        crossed.answer()
        assert crossed.state == State.ACCEPTED
        box.status("Charging")
        assert crossed.state == State.VERIFIED

    def test_and_not_a_third_time(self, cast, box, crossed, at_a_fixed_time):
        crossed.send()
        crossed.answer()
        for status in ("Preparing", "SuspendedEVSE", "SuspendedEV", "SuspendedEVSE"):
            at_a_fixed_time.shift(1)
            box.status(status)
            assert crossed.state == State.ACCEPTED
        assert crossed.ends() == "held-back"

    def test_a_refusal_of_the_second_asking_leaves_the_first_as_it_was(self, cast, box, crossed):
        crossed.send()
        assert not commands.rejected(command=crossed.row.pk, now=clock.now(), code="refused", text="No.")
        assert crossed.state == State.ACCEPTED
        assert crossed.ends() == "held-back"

    def test_that_cannot_be_sent_again_did_reach_the_charger(self, cast, box, crossed):
        assert crossed.ends() == "held-back"

    def test_a_second_tap_meanwhile_finds_it(self, cast, box, crossed):
        connector = Connector.objects.select_related("charge_point").get(pk=cast.socket.pk)
        assert schedules.charge_now(connector=connector, user=cast.alice).pk == crossed.row.pk


def test_a_charger_that_held_back_before_is_not_asked_again(cast, box, at_a_fixed_time):
    box.status("SuspendedEVSE")
    at_a_fixed_time.shift(5)
    asked = Asked(cast)
    asked.send()
    asked.answer()
    for _ in range(3):
        at_a_fixed_time.shift(5)
        box.status("SuspendedEVSE")
        assert asked.state == State.ACCEPTED
    assert asked.ends() == "held-back"


def test_nothing_is_asked_of_a_charger_that_is_away(cast, box):
    commands_before = Command.objects.count()
    cast.aura.connected_since = None
    cast.aura.save(update_fields=["connected_since"])
    with pytest.raises(Conflict):
        Asked(cast)
    assert Command.objects.count() == commands_before
