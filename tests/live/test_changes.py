"""Whatever happens at two charge points, everybody's phone follows what they may see of it, and nothing else."""

import json
from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from chargeamps.accounts.models import Membership
from chargeamps.chargers.models import ChargePoint, Command
from chargeamps.chargers.services import commands, connections
from chargeamps.chargers.services.credentials import issue_key
from chargeamps.chargers.services.registration import register_charge_point
from chargeamps.chargers.services.settings import change_settings
from chargeamps.common import clock
from chargeamps.common.problems import Problem
from chargeamps.live import snapshot
from chargeamps.schedules.services import overrides as schedules
from tests.cast import Cast, assemble
from tests.gateway.box import NOW, Box

STATUSES = ["Available", "Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing", "Faulted", "Dancing"]
PEOPLE = ("alice", "bob", "charlie", "wendy", "dan", "ivy", "sam")


@pytest.fixture(autouse=True)
def at_a_fixed_time():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


class World:
    """Two charge points of two sites, and anything that may happen to them."""

    def __init__(self) -> None:
        self.cast: Cast = assemble()
        self.keys = {self.cast.aura: self.cast.aura_key, self.cast.work_aura: issue_key(self.cast.work_aura)}
        self.boxes = {charge_point: Box(charge_point, key) for charge_point, key in self.keys.items()}
        self.transaction = 0

    def happen(self, charge_point: ChargePoint, what: str, number: int, detail: int) -> None:
        """One thing; what people are refused changes nothing."""
        box = self.boxes[charge_point]
        connector = charge_point.connectors.select_related("charge_point").get(number=number)
        user = self.cast.alice if charge_point == self.cast.aura else self.cast.wendy
        try:
            match what:
                case "status":
                    box.status(STATUSES[detail % len(STATUSES)], connector=number)
                case "meter":
                    box.meter(wh=1000 + detail, power_w=detail, connector=number, at=clock.now())
                case "start":
                    self.transaction = box.start(connector=number, meter=detail)
                case "stop":
                    box.stop(self.transaction, meter=2000 + detail)
                case "boot":
                    box.say("BootNotification", {"chargePointVendor": f"V{detail}", "chargePointModel": "M"})
                case "reconnect":
                    self.boxes[charge_point] = Box(charge_point, self.keys[charge_point])
                case "close":
                    epoch = self.boxes[charge_point].opened.epoch
                    connections.close_connection(charge_point=charge_point.pk, epoch=epoch, now=clock.now())
                case "charge-now":
                    schedules.charge_now(connector=connector, user=user)
                case "wait":
                    schedules.wait_for_schedule(connector=connector, user=user)
                case "reset":
                    commands.request(charge_point=charge_point, kind=Command.Kind.RESET, user=user)
                case "claim":
                    commands.claim_next(charge_point=charge_point.pk, now=clock.now())
                case "expire":
                    schedules.expire_overdue(now=clock.now() + timedelta(minutes=detail % 3))
                case "name":
                    change_settings(charge_point=charge_point, user=user, changes={"name": f"N{detail}"})
        except Problem:
            pass


EVENTS = (
    *("status", "meter", "start", "stop", "boot", "reconnect", "close"),
    *("charge-now", "wait", "reset", "claim", "expire", "name"),
)
happenings = st.lists(
    st.tuples(st.sampled_from(("aura", "work_aura")), st.sampled_from(EVENTS), st.integers(1, 2), st.integers(0, 9)),
    max_size=12,
)


class TestChanges(HypothesisTestCase):
    @settings(max_examples=25, deadline=None)
    @given(st.lists(happenings, max_size=4))
    def test_every_hint_leads_from_what_was_sent_to_what_is(self, rounds: list) -> None:
        """As the socket does it: after each round only the charge points that were hinted at are read anew."""
        world = World()
        people = {name: getattr(world.cast, name) for name in PEOPLE}
        client = {name: snapshot.read(user) for name, user in people.items()}
        sent = dict(client)
        for happened in rounds:
            for place, what, number, detail in happened:
                world.happen(getattr(world.cast, place), what, number, detail)
            # An expiry may move commands of any charge point; each says so for itself.
            hinted = {str(getattr(world.cast, place).pk) for place, *_ in happened}
            if any(what == "expire" for _, what, *_ in happened):
                hinted = {str(charge_point.pk) for charge_point in world.boxes}
            for name, user in people.items():
                part = snapshot.read(user, map(UUID, hinted))
                now = snapshot.replace_part(sent[name], part, hinted)
                found = snapshot.changes(sent[name], now)
                client[name] = snapshot.apply(client[name], json.loads(json.dumps(found)))
                sent[name] = now
                assert now == snapshot.read(user), name
                assert client[name] == snapshot.read(user), name


def seen(user) -> dict[str, list[str]]:
    found = snapshot.read(user)
    return {
        "sites": sorted(site["name"] for site in found["sites"].values()),
        "charge_points": sorted(charge_point["identity"] for charge_point in found["charge_points"].values()),
    }


def test_who_is_removed_sees_it_no_more(cast):
    Membership.objects.get(user=cast.bob).delete()
    assert seen(cast.bob) == {"sites": [], "charge_points": []}


def test_a_bounded_number_of_queries_whatever_the_number_of_charge_points(cast, django_assert_max_num_queries):
    for number in range(30):
        register_charge_point(identity=f"MORE-{number}", site=cast.home)
    with django_assert_max_num_queries(17):
        assert len(snapshot.read(cast.alice)["charge_points"]) == 31
